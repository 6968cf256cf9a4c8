/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * codes.h: recovery codes, a few on paper that are taken once each, and the substitute for a forgotten card,
 * which a second person issues for some hours. Stored as Argon2id hashes. Pure, as totp.h.
 *
 * A recovery code is R, the number of its slot, and 60 random bits: R3ABCD-EFGH-JKMN. A substitute is S and
 * 50 random bits: SABCDE-FGHJK. Letters as in Crockford's base 32; case, hyphens and blanks do not count.
 */
#pragma once

#include "pam_module/enrolment.h"

enum {
        CODE_SIZE = 32 /* of any code that is made here, with its NUL */
};

/* CODE without hyphens and blanks, in capitals, O, I and L as the digits they look like (but for the first
 * character). 0 or -ENOMEM. */
int code_normalise(const char *code, Secret *ret);

/* What a normalised code claims to be. */
bool recovery_has_form(const char *code);
bool substitute_has_form(const char *code);

/* Fresh ones, replacing those that are there. CODES get the text to hand out. 0 or -errno. */
int recovery_issue(Enrolment *enrolment, unsigned n, char codes[static RECOVERY_SLOTS][CODE_SIZE]);
int substitute_issue(Enrolment *enrolment, time_t from, time_t until, const char *by,
                     char code[static CODE_SIZE]);

/* Takes a normalised code: a recovery code is gone then, a substitute counted. 0, -EKEYREJECTED if it is
 * none, -EKEYEXPIRED if it was one, -ENOMEM. */
int recovery_take(Enrolment *enrolment, const char *code);
int substitute_take(Enrolment *enrolment, const char *code, time_t now);
