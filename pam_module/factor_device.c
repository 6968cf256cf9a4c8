/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/factor_device.h"

#include <time.h>

#include "pam_module/conversation.h"

enum {
        LOOK_AGAIN_NS = 500 * 1000 * 1000
};

bool factor_is_remote(const Login *login) {
        return mfa_place_covers("remote", login->rhost);
}

bool factor_has_other(const Login *login, unsigned factors) {
        return login->decision.wanted & login->enrolled & ~factors;
}

bool factor_look_again(uint64_t *start, unsigned seconds) {
        const struct timespec pause = {.tv_nsec = LOOK_AGAIN_NS};
        struct timespec now;

        if (clock_gettime(CLOCK_BOOTTIME, &now) < 0)
                return false;
        if (*start == 0)
                *start = (uint64_t)now.tv_sec;
        if ((uint64_t)now.tv_sec - *start >= seconds)
                return false;
        (void)nanosleep(&pause, NULL);
        return true;
}

void factor_tell(const Login *login, const char *text) {
        (void)conversation_tell(login->pamh, login->flags, text);
}

Proof factor_done(Login *login, const Verification *verification, Proof proof) {
        char text[256];

        if (proof == PROOF_BROKEN)
                login->why = store_error(verification->error);
        if (proof == PROOF_WAIT) {
                (void)snprintf(text, sizeof(text), _("Too many failures. Try again in %u seconds."),
                               verification->wait);
                factor_tell(login, text);
        }
        return proof;
}

static Proof refuse(Verification *verification, Enrolment *enrolment, void *userdata) {
        (void)verification;
        (void)enrolment;
        (void)userdata;
        return PROOF_REFUSED;
}

Proof factor_failed(Login *login, Verification *verification) {
        return factor_done(login, verification, verify_factor(verification, refuse, NULL));
}
