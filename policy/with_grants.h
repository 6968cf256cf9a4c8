/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * with_grants.h: a policy with exceptions in front of its rules. It is a policy of its own, which never
 * changes: whoever decides from one goes on with it until it is handed the next. While an exception holds,
 * its device is for its person alone.
 */
#pragma once

#include "policy/model.h"

enum {
        GRANT_SESSIONS_MAX = 32
};

/* An exception: one person, one medium, until then. */
typedef struct GrantRule {
        uint32_t id;
        uid_t uid;
        uint32_t sessions[GRANT_SESSIONS_MAX]; /* of audit: those of the account that are the person's */
        size_t n_sessions;                     /* 0: none yet, and nobody writes */
        DeviceMatch match;                     /* borrowed; with a serial, or it is left out */
        time_t until;                          /* first second at which it no longer holds */
} GrantRule;

/* A new policy: BASE (or what that was made from) with the N GRANTS before its rules; with none, another
 * reference to that. The flags that are not of the file are as they are in BASE. A medium that BASE lets be
 * written to encrypted only stays so. 0 or -ENOMEM. */
int policy_with_grants(Policy *base, const GrantRule *grants, size_t n, Policy **ret);
