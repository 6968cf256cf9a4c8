/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unlock.h: what pam_sekisho decides where it runs as root, for a screen locker that runs as the person
 * itself and can read neither policy nor store: the agent asks this in its place. Knows nothing of PAM or
 * the bus. Takes codes; cards and keys are not asked for this way. Blocks: on the name service, the store's
 * lock and the disk.
 */
#pragma once

#include "pam_module/verify.h"
#include "policy/decide_mfa.h"

#define UNLOCK_VERDICT_LIST(X)                                                                              \
        X(UNLOCK_DENY, "deny")                                                                              \
        X(UNLOCK_MORE, "more") /* a code has to be given, and who it is, where the account is shared */     \
        X(UNLOCK_WAIT, "wait") /* too many failures */                                                      \
        X(UNLOCK_ALLOW, "allow")
DECLARE_ENUM(UnlockVerdict, unlock_verdict, UNLOCK_VERDICT_LIST);

typedef struct Unlock {
        /* the question; borrowed */
        const char *store; /* directory */
        const Policy *policy;
        uid_t uid; /* whose locker it is */
        const char *service;
        bool password;      /* the locker says that the password was right: it is the person's own */
        const char *person; /* staff number; "": not given */
        const char *code;   /* "": not given */

        /* the answer */
        bool shared;
        unsigned wait; /* seconds */
        char account[STORE_KEY_SIZE];
        char who[STORE_KEY_SIZE]; /* the person, if there is such a one */
        unsigned proven;
        MfaDecision decision;
        Proof proof; /* of the code, where one was looked at: */
        bool has_proof;
        Factor factor;
        const char *why; /* what went wrong; NULL: nothing */
} Unlock;

/* Answers. Writes no record. */
UnlockVerdict unlock_decide(Unlock *unlock);

/* The records of that: of a code that was none, and of how it ended. Nothing where no code was given. */
void unlock_record(const Unlock *unlock, UnlockVerdict verdict);
