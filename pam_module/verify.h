/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verify.h: what somebody typed or a device answered, against the store: locked, bounded by the attempt
 * limits, written before anything is said. Knows nothing of PAM.
 */
#pragma once

#include "pam_module/limits.h"
#include "pam_module/store.h"

/* How it went. Zero is the worst that can be said. */
#define PROOF_LIST(X)                                                                                       \
        X(PROOF_BROKEN, "broken") /* it could not be found out: denied */                                   \
        X(PROOF_REFUSED, "refused")                                                                         \
        X(PROOF_REPLAYED, "replayed")         /* right once, and taken then */                              \
        X(PROOF_EXPIRED, "expired")           /* a substitute whose time is over */                         \
        X(PROOF_CLONED, "cloned")             /* the key counts less than before: there are two of it */    \
        X(PROOF_WAIT, "wait")                 /* too many failures: not looked at */                        \
        X(PROOF_NOT_ENROLLED, "not-enrolled") /* the person has nothing of the kind */                      \
        X(PROOF_ABSENT, "absent")             /* the card, token or reader is not there: no failure */      \
        X(PROOF_PROVEN, "proven")
DECLARE_ENUM(Proof, proof, PROOF_LIST);

/* Whose factor, and by which rules. USER is the account's own name, as NSS spells it. */
typedef struct Verification {
        Store *store;
        const char *user;
        uid_t uid;
        MfaLimits limits;
        bool break_glass;
        unsigned drift;
        unsigned factors; /* those that count, a FACTOR_BIT each */
        Moment now;
        bool guessable; /* it counts as a failure before it is looked at */

        Factor factor; /* which one it was about */
        unsigned wait; /* PROOF_WAIT: seconds */
        int error;     /* PROOF_BROKEN: -errno, see store_error */
        unsigned uses; /* a substitute: how often it has served */
} Verification;

/* Takes a code as it was typed: a one-time password, a recovery code or a substitute, by its form. */
Proof verify_code(Verification *verification, const char *code);

/* The same steps for a factor that is proven by other means: CHECK is called with the enrolment, which it
 * may change, once it is known that no wait is due; its answer is what is told. A PROOF_REFUSED, _REPLAYED
 * or _EXPIRED counts as a failure. What it does should not take long: the store is locked. */
typedef Proof (*VerifyCheck)(Verification *verification, Enrolment *enrolment, void *userdata);
Proof verify_factor(Verification *verification, VerifyCheck check, void *userdata);
