/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Security keys. What a key says is believed where its signature fits what was enrolled; all else that a
 * key, or somebody with a computer in place of one, may do ends in a refusal.
 */
#include <errno.h>
#include <string.h>

#include "pam_module/conversation.h"
#include "pam_module/device_module.h"
#include "pam_module/factor_device.h"
#include "pam_module/fido2.h"

enum {
        PIN_MIN = 4, /* CTAP 2.1, 6.5.1 */
        PIN_MAX = 63
};

typedef struct Keys {
        const char *relying_party;
        Fido2Key list[FIDO2_KEYS_MAX];
        size_t n;
} Keys;

typedef struct Answer {
        const Fido2Key *key;
        UserVerification verification;
        Fido2Assertion assertion;
} Answer;

/* What is enrolled, if no wait is due. The person is asked without the lock. */
static Proof take_keys(Verification *verification, Enrolment *enrolment, void *userdata) {
        Keys *keys = userdata;

        (void)verification;
        for (size_t i = 0; i < FIDO2_KEYS_MAX; i++)
                if (enrolment->fido2[i].length > 0 &&
                    strcmp(enrolment->fido2[i].relying_party, keys->relying_party) == 0)
                        keys->list[keys->n++] = enrolment->fido2[i];
        return keys->n > 0 ? PROOF_ABSENT : PROOF_NOT_ENROLLED;
}

/* By the key as it is enrolled now: its counter goes up before anything is said. */
static Proof check_answer(Verification *verification, Enrolment *enrolment, void *userdata) {
        const Answer *answer = userdata;

        for (size_t i = 0; i < FIDO2_KEYS_MAX; i++) {
                Fido2Key *key = &enrolment->fido2[i];
                int r;

                if (key->length == 0 || key->length != answer->key->length ||
                    memcmp(key->id, answer->key->id, key->length) != 0)
                        continue;
                r = fido2_check(key, answer->verification, &answer->assertion, &key->counter);
                if (r == -ENOMEM)
                        verification->error = r;
                return r == 0         ? PROOF_PROVEN
                       : r == -ENOMEM ? PROOF_BROKEN
                       : r == -ESTALE ? PROOF_CLONED
                                      : PROOF_REFUSED;
        }
        return PROOF_NOT_ENROLLED;
}

/* Waits for one of KEYS. -ENODEV, -ENOKEY: there was none until DEADLINE. */
static int find(const Login *login, const Keys *keys, uint64_t deadline, Fido2Device *ret) {
        CLEANUP_CLOSE int watch = fido2_watch();
        int told = 0, r;

        for (;;) {
                r = fido2_find(keys->list, keys->n, deadline, ret);
                if ((r != -ENODEV && r != -ENOKEY) || watch < 0 ||
                    factor_has_other(login, FACTOR_BIT(FACTOR_FIDO2)))
                        return r;
                if (told != r)
                        factor_tell(login, r == -ENODEV
                                                   ? _("Plug in your security key.")
                                                   : _("This security key is not enrolled for you. Plug "
                                                       "in yours."));
                told = r;
                if (fido2_watch_wait(watch, deadline) < 0)
                        return r;
        }
}

static void tell_retries(const Login *login, Fido2Device *device) {
        char text[256];
        int n = fido2_retries(device);

        if (n < 0) {
                factor_tell(login, _("That is not the PIN of the security key."));
                return;
        }
        (void)snprintf(text, sizeof(text),
                       dngettext("sekisho", "That is not the PIN of the security key. %d try is left.",
                                 "That is not the PIN of the security key. %d tries are left.",
                                 (unsigned long)n),
                       n);
        factor_tell(login, text);
}

/* What became of it where there is no answer. */
static Proof fail(Login *login, Verification *verification, Fido2Device *device, bool pin, int r) {
        switch (-r) {
        case EKEYREJECTED:
                if (pin)
                        tell_retries(login, device);
                else
                        factor_tell(login, _("The security key did not recognise you."));
                return factor_failed(login, verification);
        case EACCES:
                factor_tell(login, _("The security key is blocked after too many wrong PINs. It has to be "
                                     "reset and enrolled again."));
                return factor_failed(login, verification);
        case EBUSY:
                factor_tell(login, _("Too many wrong PINs. Pull the security key out, plug it in, and try "
                                     "again."));
                return factor_failed(login, verification);
        case ENOENT:
                factor_tell(login,
                            _("The security key has no PIN. One has to be set before it can be used."));
                return PROOF_REFUSED;
        case ETIMEDOUT:
                factor_tell(login, _("The security key was not touched in time."));
                return PROOF_REFUSED;
        case ECANCELED:
        case ENOKEY:
                return PROOF_REFUSED;
        default:
                login->why = r == -ENOMEM ? "out of memory" : "the security key cannot be used";
                return PROOF_BROKEN;
        }
}

/* By PIN, or by the key's own means, as the policy asks and the key can. 0 or -errno. */
static int sign(Login *login, Fido2Device *device, const Fido2Key *key, uint64_t timeout, bool *ret_pin,
                Fido2Assertion *ret) {
        CLEANUP_SECRET Secret pin = {0};
        int r = -EACCES;

        *ret_pin = false;
        if (device->has_uv || !device->has_pin) {
                if (!device->has_uv && login->policy->mfa_fido2.verification != USER_VERIFICATION_PREFERRED)
                        return -ENOENT;
                factor_tell(login, _("Touch your security key."));
                r = fido2_sign(device, key, NULL, device->has_uv, fido2_clock() + timeout, ret);
        }
        if (!device->has_pin || r != -EACCES)
                return r;
        *ret_pin = true;
        r = conversation_ask_secret(login->pamh, _("PIN of the security key: "), &pin);
        if (r < 0)
                return r == -ENODATA ? -ECANCELED : r;
        if (pin.length < PIN_MIN || pin.length > PIN_MAX)
                return -EKEYREJECTED;
        factor_tell(login, _("Touch your security key."));
        return fido2_sign(device, key, pin.text, true, fido2_clock() + timeout, ret);
}

static Proof prove_fido2(Login *login, unsigned wanted, Factor *ret) {
        const MfaFido2 *policy = &login->policy->mfa_fido2;
        Verification verification = login_verification(login, FACTOR_FIDO2);
        CLEANUP_FIDO2 Fido2Device device = {0};
        Keys keys = {.relying_party =
                             policy->relying_party ? policy->relying_party : MFA_RELYING_PARTY_DEFAULT};
        Answer answer = {.verification = policy->verification};
        uint64_t timeout = (uint64_t)policy->timeout * 1000, now = fido2_clock();
        bool pin = false;
        Proof proof;
        int r;

        (void)wanted;
        *ret = FACTOR_FIDO2;
        if (factor_is_remote(login))
                return PROOF_ABSENT;
        proof = verify_factor(&verification, take_keys, &keys);
        if (proof != PROOF_ABSENT)
                return factor_done(login, &verification, proof);
        fido2_init();
        r = now == 0 ? -EIO : find(login, &keys, now + timeout, &device);
        if (r == -ENODEV || r == -ENOKEY)
                return PROOF_ABSENT;
        if (r == 0) {
                answer.key = &keys.list[device.key];
                r = sign(login, &device, answer.key, timeout, &pin, &answer.assertion);
        }
        if (moment_now(&verification.now) < 0) {
                login->why = "there is no clock";
                return PROOF_BROKEN;
        }
        if (r < 0)
                return fail(login, &verification, &device, pin, r);
        proof = factor_done(login, &verification, verify_factor(&verification, check_answer, &answer));
        if (proof == PROOF_PROVEN)
                token_of_key(device.node, login->token);
        return proof;
}

__attribute__((visibility("default"))) const DeviceModule sekisho_device_fido2 = {
        .build = DEVICE_BUILD,
        .prove = prove_fido2,
};
