/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expiry.h: dates on which rules end, in the local time zone of the terminal.
 */
#pragma once

#include <time.h>

/* Parses "YYYY-MM-DD" (holds until the end of that day) or "YYYY-MM-DD HH:MM" (until that minute begins)
 * into the first second at which the rule no longer holds. Returns 0, or -EINVAL with RET_WHY (static)
 * saying what was expected. RET is untouched on failure. The time zone is the one of the last tzset(3):
 * whoever lives long calls it before. */
int expiry_parse(const char *text, time_t *ret, const char **ret_why);

/* Whether expiry_parse() would take TEXT. */
int expiry_check(const char *text, const char **ret_why);
