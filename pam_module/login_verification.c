/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Apart from login.c, for modules of devices have it too. */
#include "pam_module/login.h"

Verification login_verification(Login *login, Factor factor) {
        return (Verification){.store = &login->store,
                              .user = login->key,
                              .uid = login->account.subject.uid,
                              .limits = login->policy->mfa_limits,
                              .break_glass = login->decision.break_glass,
                              .drift = login->policy->mfa_drift,
                              .factors = FACTOR_BIT(factor),
                              .now = login->now,
                              .factor = factor};
}
