/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * factor.h: a way to prove factors. A new one is a file of its own with one constant, listed in
 * authenticate.c, its lines of the enrolment in enrolment.c, and its entry in policy/model.h.
 */
#pragma once

#include "pam_module/login.h"

typedef struct FactorModule {
        const char *name;
        unsigned factors;  /* what it can prove, a FACTOR_BIT each */
        bool asks_anybody; /* asks also who has nothing enrolled, so that nobody learns who has */

        /* Has the person prove one of WANTED, which are among FACTORS. RET says which it was about, also
         * where it failed. Speaks through conversation.h, checks through verify.h. Returns PROOF_ABSENT,
         * without having bothered the person, if its device is not there: another module is asked then. Sets
         * LOGIN's WHY for PROOF_BROKEN. */
        Proof (*prove)(Login *login, unsigned wanted, Factor *ret);
} FactorModule;

extern const FactorModule factor_fido2; /* this and cards: factor_loaded.c */
extern const FactorModule factor_fingerprint;
extern const FactorModule factor_card; /* card, and what its PIN shows: card-pin */
extern const FactorModule factor_code; /* totp, recovery, substitute: one prompt for all */
