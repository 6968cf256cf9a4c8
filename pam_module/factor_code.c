/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Codes that are typed. Who has none, and who is nobody, is asked all the same. */
#include <errno.h>

#include "pam_module/conversation.h"
#include "pam_module/factor.h"

static void tell(Login *login, const Verification *verification, Proof proof) {
        char text[256];

        if (proof == PROOF_WAIT) {
                (void)snprintf(text, sizeof(text), _("Too many failures. Try again in %u seconds."),
                               verification->wait);
                (void)conversation_tell(login->pamh, login->flags, text);
        }
}

static Proof prove_code(Login *login, unsigned wanted, Factor *ret) {
        CLEANUP_SECRET Secret code = {0};
        Verification verification = login_verification(login, FACTOR_TOTP);
        Proof proof;
        int r = conversation_ask_secret(login->pamh, _("One-time code: "), &code);

        *ret = FACTOR_TOTP;
        if (r == -ENODATA)
                return PROOF_REFUSED;
        if (r < 0) {
                login->why = "the conversation with the person failed";
                return PROOF_BROKEN;
        }
        if (!login->account.known)
                return PROOF_NOT_ENROLLED;
        r = moment_now(&verification.now); /* not when the question was asked */
        if (r < 0) {
                login->why = "there is no clock";
                return PROOF_BROKEN;
        }
        verification.factors = wanted;
        proof = verify_code(&verification, code.text);
        *ret = verification.factor;
        if (proof == PROOF_BROKEN)
                login->why = store_error(verification.error);
        tell(login, &verification, proof);
        return proof;
}

const FactorModule factor_code = {
        .name = "code",
        .factors = FACTOR_BIT(FACTOR_TOTP) | FACTOR_BIT(FACTOR_RECOVERY) | FACTOR_BIT(FACTOR_SUBSTITUTE),
        .asks_anybody = true,
        .prove = prove_code,
};
