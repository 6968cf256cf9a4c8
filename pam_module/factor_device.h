/* SPDX-License-Identifier: GPL-2.0-or-later */
/* factor_device.h: what factors by devices of the terminal have in common. */
#pragma once

#include "pam_module/factor.h"

/* Whether the person sits elsewhere: what is plugged in here, and who touches it, is not theirs. */
bool factor_is_remote(const Login *login);

/* Whether something else than FACTORS, a FACTOR_BIT each, that the person has would do as well, so that a
 * missing device is not waited for. */
bool factor_has_other(const Login *login, unsigned factors);

/* For devices that do not tell when they have come: true a moment later, false SECONDS after START, which is
 * 0 at first. */
bool factor_look_again(uint64_t *start, unsigned seconds);

/* What it says in the person's language; and how long to wait if that is what PROOF is about. */
void factor_tell(const Login *login, const char *text);
Proof factor_done(Login *login, const Verification *verification, Proof proof);

/* Counts a failure that the device itself found. */
Proof factor_failed(Login *login, Verification *verification);
