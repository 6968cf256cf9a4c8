/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/verify.h"

#include <errno.h>
#include <string.h>

#include "pam_module/codes.h"
#include "pam_module/totp.h"

DEFINE_ENUM_STRINGS(Proof, proof, PROOF_LIST)

static Proof broken(Verification *verification, int r) {
        verification->error = r;
        return PROOF_BROKEN;
}

/* A guess is a failure until it has turned out to be right: whoever ends the process while it is looked at
 * has not had it for nothing. */
static int count_ahead(Verification *verification, Enrolment *enrolment, const Failures *before,
                       bool ahead) {
        Failures *failures = &enrolment->failures[verification->factor];

        *failures = *before;
        if (!verification->guessable)
                return 0;
        if (ahead)
                limits_failed(failures, &verification->now);
        return store_note(verification->store, verification->user, enrolment);
}

/* What CHECK says is written before it is told. */
static Proof settle(Verification *verification, Enrolment *enrolment, VerifyCheck check, void *userdata) {
        Failures *failures = &enrolment->failures[verification->factor], before;
        Proof proof;
        int r;

        if (limits_stamp_is_lost(failures, &verification->now)) {
                limits_stamp(failures, &verification->now);
                r = store_advance(verification->store, verification->user, enrolment);
                if (r < 0)
                        return broken(verification, r);
        }
        verification->wait =
                limits_wait(&verification->limits, failures, verification->break_glass, &verification->now);
        if (verification->wait > 0)
                return PROOF_WAIT;
        before = *failures;
        r = count_ahead(verification, enrolment, &before, true);
        if (r < 0)
                return broken(verification, r);
        proof = check(verification, enrolment, userdata);
        switch (proof) {
        case PROOF_PROVEN:
                memset(failures, 0, sizeof(*failures));
                break;
        case PROOF_REFUSED:
        case PROOF_REPLAYED:
        case PROOF_EXPIRED:
        case PROOF_CLONED:
                *failures = before;
                limits_failed(failures, &verification->now);
                break;
        case PROOF_BROKEN:
        case PROOF_WAIT:
        case PROOF_NOT_ENROLLED:
        case PROOF_ABSENT:
                r = count_ahead(verification, enrolment, &before, false);
                return r < 0 ? broken(verification, r) : proof;
        }
        r = store_advance(verification->store, verification->user, enrolment);
        return r < 0 ? broken(verification, r) : proof;
}

Proof verify_factor(Verification *verification, VerifyCheck check, void *userdata) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new();
        Proof proof;
        int r;

        if (!enrolment)
                return broken(verification, -ENOMEM);
        if ((unsigned)verification->factor >= FACTORS_N ||
            !(verification->factors & FACTOR_BIT(verification->factor)))
                return PROOF_NOT_ENROLLED;
        r = store_lock(verification->store);
        if (r < 0)
                return broken(verification, r);
        r = store_load(verification->store, verification->user, verification->uid, enrolment);
        if (r == -ENOENT)
                proof = PROOF_NOT_ENROLLED;
        else if (r < 0)
                proof = broken(verification, r);
        else
                proof = settle(verification, enrolment, check, userdata);
        store_unlock(verification->store);
        return proof;
}

static Proof check_code(Verification *verification, Enrolment *enrolment, void *userdata) {
        const Secret *code = userdata;
        int r = -EKEYREJECTED;

        if (!(enrolment_factors(enrolment) & FACTOR_BIT(verification->factor)))
                return PROOF_NOT_ENROLLED;
        if (verification->factor == FACTOR_TOTP)
                r = totp_take(&enrolment->totp, code->text, verification->now.wall, verification->drift);
        else if (verification->factor == FACTOR_RECOVERY)
                r = recovery_take(enrolment, code->text);
        else if (verification->factor == FACTOR_SUBSTITUTE)
                r = substitute_take(enrolment, code->text, verification->now.wall);
        verification->uses = enrolment->substitute.uses;
        switch (r) {
        case 0:
                return PROOF_PROVEN;
        case -EKEYREJECTED:
                return PROOF_REFUSED;
        case -EALREADY:
                return PROOF_REPLAYED;
        case -EKEYEXPIRED:
                return PROOF_EXPIRED;
        default:
                return broken(verification, r);
        }
}

Proof verify_code(Verification *verification, const char *code) {
        CLEANUP_SECRET Secret normal = {0};
        int r = code_normalise(code, &normal);

        if (r < 0)
                return broken(verification, r);
        /* what has the form of none of them is a failure of the commonest */
        verification->factor = recovery_has_form(normal.text)     ? FACTOR_RECOVERY
                               : substitute_has_form(normal.text) ? FACTOR_SUBSTITUTE
                                                                  : FACTOR_TOTP;
        verification->guessable = true;
        return verify_factor(verification, check_code, &normal);
}
