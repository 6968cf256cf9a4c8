/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The factors whose modules are loaded when somebody has one. */
#include "pam_module/device_module.h"
#include "pam_module/factor.h"

static Proof prove_by(Login *login, DeviceKind kind, Factor factor, unsigned wanted, Factor *ret) {
        const DeviceModule *module = NULL;

        *ret = factor;
        if (device_module(login, kind, &module) < 0 || !module)
                return PROOF_BROKEN;
        return module->prove(login, wanted, ret);
}

static Proof prove_fido2(Login *login, unsigned wanted, Factor *ret) {
        return prove_by(login, DEVICE_FIDO2, FACTOR_FIDO2, wanted, ret);
}

static Proof prove_card(Login *login, unsigned wanted, Factor *ret) {
        return prove_by(login, DEVICE_CARD, FACTOR_CARD, wanted, ret);
}

const FactorModule factor_fido2 = {
        .name = "fido2",
        .factors = FACTOR_BIT(FACTOR_FIDO2),
        .prove = prove_fido2,
};

const FactorModule factor_card = {
        .name = "card",
        .factors = FACTOR_BIT(FACTOR_CARD) | FACTOR_BIT(FACTOR_CARD_PIN),
        .prove = prove_card,
};
