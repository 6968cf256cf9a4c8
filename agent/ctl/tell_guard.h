/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tell_guard.h: have the agent read its policy again, and learn what came of it. The one place of sekishoctl
 * that tells the agent to do something.
 */
#pragma once

#include <stdint.h>

#include "policy/enum.h"

#define RELOAD_OUTCOME_LIST(X)                                                                              \
        X(RELOAD_NO_ANSWER, "no-answer")     /* it was told, and has not said what came of it */            \
        X(RELOAD_NOT_RUNNING, "not-running") /* it will read the policy when it starts */                   \
        X(RELOAD_ELSEWHERE, "elsewhere")     /* it has its policy from another place, and was not told */   \
        X(RELOAD_REFUSED, "refused")                                                                        \
        X(RELOAD_TAKEN, "taken")
DECLARE_ENUM(ReloadOutcome, reload_outcome, RELOAD_OUTCOME_LIST);

/* Tell the agent of RUNTIME_DIR (NULL: the default) that the policy in DIRECTORY was changed, and wait, at
 * most ten seconds, until it has taken a policy of at least SERIAL (0: the built-in default) or refused it.
 * For a refusal RET_FAULT, where it is known, is the first fault, allocated. Returns 0, or 2 after one line
 * on stderr. */
int reload_agent(const char *runtime_dir, const char *directory, uint64_t serial, ReloadOutcome *ret,
                 char **ret_fault);
