/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fingerprints. fprintd compares; what it says is believed, from it alone. Fingers that came or went since
 * they were enrolled here are not taken: whoever sat at the terminal may have put theirs there.
 */
#include <errno.h>
#include <string.h>

#include "pam_module/conversation.h"
#include "pam_module/factor_device.h"
#include "pam_module/fingerprint.h"

enum {
        USEC = 1000000
};

typedef struct Expected {
        char fingers[FINGERS_SIZE];
} Expected;

/* What is enrolled, if no wait is due. The person is asked without the lock. */
static Proof take_fingers(Verification *verification, Enrolment *enrolment, void *userdata) {
        Expected *expected = userdata;

        (void)verification;
        if (!enrolment->fingerprint.enrolled)
                return PROOF_NOT_ENROLLED;
        memcpy(expected->fingers, enrolment->fingerprint.fingers, sizeof(expected->fingers));
        return PROOF_ABSENT;
}

/* Fprintd has taken the finger; and it counts still. */
static Proof check_enrolled(Verification *verification, Enrolment *enrolment, void *userdata) {
        const Expected *expected = userdata;

        (void)verification;
        return enrolment->fingerprint.enrolled &&
                               strcmp(enrolment->fingerprint.fingers, expected->fingers) == 0
                       ? PROOF_PROVEN
                       : PROOF_NOT_ENROLLED;
}

static void tell_again(void *userdata) {
        factor_tell(userdata, _("Put your finger on the reader once more."));
}

static Proof fail(Login *login, Verification *verification, int r) {
        switch (-r) {
        case EKEYREJECTED:
                factor_tell(login, _("The fingerprint was not recognised."));
                return factor_failed(login, verification);
        case ETIMEDOUT:
                factor_tell(login, _("No finger was put on the reader in time."));
                return PROOF_REFUSED;
        case ENOKEY:
                return PROOF_NOT_ENROLLED;
        case EBUSY:
                login->why = "the fingerprint reader is in use";
                return PROOF_BROKEN;
        case EPERM:
                login->why = "who answers for fprintd is not root";
                return PROOF_BROKEN;
        default:
                login->why = r == -ENOMEM ? "out of memory" : "fprintd cannot be used";
                return PROOF_BROKEN;
        }
}

static int verify(Login *login, const Expected *expected, Fingerprint *fingerprint) {
        uint64_t timeout = (uint64_t)login->policy->mfa_fingerprint_timeout * USEC;
        int r = fingerprint_open(login->account.name, timeout, fingerprint);

        if (r < 0)
                return r;
        if (strcmp(fingerprint->fingers, expected->fingers) != 0) {
                factor_tell(login, _("Your fingers at the reader are not those that were enrolled."));
                return -ENOKEY;
        }
        factor_tell(login, _("Put your finger on the reader."));
        return fingerprint_verify(fingerprint, timeout, tell_again, login);
}

static Proof prove_fingerprint(Login *login, unsigned wanted, Factor *ret) {
        Verification verification = login_verification(login, FACTOR_FINGERPRINT);
        CLEANUP_FINGERPRINT Fingerprint fingerprint = {0};
        Expected expected;
        Proof proof;
        int r;

        (void)wanted;
        *ret = FACTOR_FINGERPRINT;
        if (factor_is_remote(login))
                return PROOF_ABSENT;
        proof = verify_factor(&verification, take_fingers, &expected);
        if (proof != PROOF_ABSENT)
                return factor_done(login, &verification, proof);
        r = verify(login, &expected, &fingerprint);
        if (r == -ENODEV && !fingerprint.bus) /* before anything was asked: there is no reader */
                return PROOF_ABSENT;
        if (moment_now(&verification.now) < 0) {
                login->why = "there is no clock";
                return PROOF_BROKEN;
        }
        if (r < 0)
                return fail(login, &verification, r);
        return factor_done(login, &verification, verify_factor(&verification, check_enrolled, &expected));
}

const FactorModule factor_fingerprint = {
        .name = "fingerprint",
        .factors = FACTOR_BIT(FACTOR_FINGERPRINT),
        .prove = prove_fingerprint,
};
