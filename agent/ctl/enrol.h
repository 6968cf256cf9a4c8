/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enrol.h: one-time password programs on a terminal, and the commands enrol and factors of somebody who is
 * not root and means the own account: the guard is asked.
 */
#pragma once

#include <stdbool.h>

#include "agent/ctl/options.h"
#include "pam_module/reenrol.h"

#define ENROL_ISSUER "Sekisho"

/* A new secret as OPTIONS want it. 0, or 2 after one line on stderr. */
int enrol_new_totp(const Options *options, TotpEnrolment *ret);

/* Shows URI for the person's program and asks for the code that it shows then. 0, or 2 as above. */
int enrol_show(const TotpEnrolment *totp, const char *uri);

/* Whether the command is about the caller's own account: no user is named, or that one, by somebody who is
 * not root. */
bool own_is_meant(const Options *options);

int own_enrol(const Options *options);
int own_factors(const Options *options);

/* The same about others, by somebody who is not root and whom polkit allows it (others_factors.c). */
int others_enrol(const Options *options);
int others_unenrol(const Options *options);
int others_factors(const Options *options);

/* A line of stdin, without its end. 0, or 2 after one line on stderr. */
int enrol_read_code(Secret *ret);

/* What is enrolled, as text or as JSON; PERSON is NULL where it is the account's own. 0, or 2 as above. */
int enrol_print_factors(const Options *options, const OwnFactors *found, const char *person);
