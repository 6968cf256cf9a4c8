/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * last_good.h: the copy of the policy that was in force last, which the agent keeps in STATE/last-good, for
 * when the configured one is not good. Logins go by it as the agent does.
 */
#pragma once

#include "policy/load.h"

typedef enum PolicySource {
        SOURCE_CONFIGURED,
        SOURCE_BUILT_IN,  /* nothing is configured */
        SOURCE_LAST_GOOD, /* what is configured is not good */
} PolicySource;

/* What the agent would have in force by what is on the disk: PATH, unless it has faults, a lower serial than
 * one that was in force, or not the signature that is asked for since then, and then the last good one by
 * the same measure; never one that was put aside at the console. 0; -EBADMSG where neither is good; another
 * -errno where that could not be found out. RET and its ownership pass only on success; names are not
 * resolved. RET_FAULTS is initialised by the caller, and the caller's: what is wrong with PATH. */
int policy_load_in_force(const char *path, const char *state_dir, Policy **ret, PolicySource *ret_source,
                         PolicyFaults *ret_faults);
