/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_share.h: the policy of one transaction, from call to call of PAM: read once, as long as nothing of
 * what it was read from has changed. PAM forgets it at the end of the transaction.
 */
#pragma once

#include <security/pam_modules.h>
#include <stdbool.h>

#include "policy/model.h"

enum {
        POLICY_IDENTITY_SIZE = 32
};

/* What the files are that a policy at PATH is judged by: each that there is with its inode, size and times,
 * which no writer can put back. */
typedef struct PolicyIdentity {
        bool known; /* else it compares with nothing */
        unsigned char digest[POLICY_IDENTITY_SIZE];
} PolicyIdentity;

/* To be asked for before reading. */
PolicyIdentity policy_identity(const char *path, const char *state_dir);

/* Another reference to the policy that was kept, NULL if there is none of IDENTITY. */
Policy *policy_share_get(pam_handle_t *pamh, const PolicyIdentity *identity);

/* Keeps POLICY, which is resolved. 0, also for an identity that is not known, or -ENOMEM. */
int policy_share_put(pam_handle_t *pamh, const PolicyIdentity *identity, Policy *policy);
