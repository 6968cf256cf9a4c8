/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reenrol.h: people put another one-time password program in place of their own, as for a new telephone,
 * once they have proven a factor that they have: the old program's code, or one on paper. The agent does it
 * for them. Knows nothing of the bus. Blocks: on the name service, the store's lock and the disk.
 */
#pragma once

#include "pam_module/verify.h"
#include "policy/decide_mfa.h"

#define REENROL_SERVICE "sekisho-enrol" /* for rules of the policy */

#define REENROL_VERDICT_LIST(X)                                                                             \
        X(REENROL_DENY, "deny")                                                                             \
        X(REENROL_UNCONFIRMED,                                                                              \
          "unconfirmed")        /* the new program's code is not right: nothing was used up */              \
        X(REENROL_WAIT, "wait") /* too many failures */                                                     \
        X(REENROL_DONE, "done")
DECLARE_ENUM(ReenrolVerdict, reenrol_verdict, REENROL_VERDICT_LIST);

typedef struct Reenrol {
        /* the question; borrowed */
        const char *store; /* directory */
        const Policy *policy;
        uid_t uid;
        const char *code;         /* of a factor that is enrolled */
        TotpEnrolment *totp;      /* the new one, in memory of secret_alloc() */
        const char *confirmation; /* its code */

        /* the answer */
        unsigned wait; /* seconds */
        char account[STORE_KEY_SIZE];
        Proof proof; /* of the code, where one was looked at: */
        bool has_proof;
        Factor factor;
        const char *why; /* what went wrong; NULL: nothing */
} Reenrol;

/* Does it, or does nothing but count a failure. Writes no record. */
ReenrolVerdict reenrol(Reenrol *question);

/* The records of that; none where nothing was looked at. */
void reenrol_record(const Reenrol *question, ReenrolVerdict verdict);

/* What is enrolled for the account of UID. */
typedef struct OwnFactors {
        char account[STORE_KEY_SIZE];
        unsigned factors; /* a FACTOR_BIT each */
        unsigned recovery_left;
} OwnFactors;

/* 0; -ENOENT if there is no such account; -EPERM if several people use it; -errno, see store_error(). */
int own_factors_read(const char *store, uid_t uid, OwnFactors *ret);
