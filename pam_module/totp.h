/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * totp.h: time-based one-time passwords (RFC 6238, by liboath). Pure: the time is an argument, and what was
 * taken is noted in the enrolment, which the caller writes before saying so.
 */
#pragma once

#include "pam_module/enrolment.h"

enum {
        TOTP_STEP = 30 /* seconds; authenticator programs know no other */
};

/* Whether CODE has TOTP's form: 6 or 8 digits. */
bool totp_has_form(const char *code);

/* Compares CODE with those of the time NOW and DRIFT steps either way. 0 if it is one of them and later than
 * all that were taken before, which is noted; -EALREADY if it was taken before, or an older one;
 * -EKEYREJECTED if it is none of them; -errno. Whatever it is takes the same time. */
int totp_take(TotpEnrolment *totp, const char *code, time_t now, unsigned drift);

/* The code of a step, as text. 0 or -errno. */
int totp_code(const TotpEnrolment *totp, uint64_t step, char ret[static 9]);

/* A fresh secret of as many bytes as the hash has (RFC 4226, R6; RFC 6238, 5.1). */
void totp_generate(TotpHash hash, unsigned digits, TotpEnrolment *ret);

/* otpauth://totp/... for an authenticator program, which shows LABEL and ISSUER. 0 or -errno. */
int totp_uri(const TotpEnrolment *totp, const char *issuer, const char *label, Secret *ret);
