/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * expiry.h: dates on which rules end, in the local time zone of the terminal.
 */
#pragma once

#include <time.h>

/* Parses "YYYY-MM-DD" (holds until the end of that day) or "YYYY-MM-DD HH:MM" (until that minute begins)
 * into the first second at which the rule no longer holds. Returns 0, or -EINVAL with RET_WHY (static)
 * saying what was expected. RET is untouched on failure. */
int expiry_parse(const char *text, time_t *ret, const char **ret_why);
