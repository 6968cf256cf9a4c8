/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grace.h: the time in which one factor does for who has nothing enrolled: when it begins, and what the
 * person is told of its end. Whether it holds is the policy's to say (policy/decide_mfa.h).
 */
#pragma once

#include "pam_module/login.h"

/* Notes such a login: with the first one the days begin to count. 0 or -errno. */
int grace_note(Login *login);

/* Until when, and whom to ask. */
void grace_tell(const Login *login);

/* That it is over, where it is: only to who knew the password; nobody else learns what is enrolled. */
void grace_tell_over(const Login *login);
