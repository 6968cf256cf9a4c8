/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hours.h: windows of the week, such as "Mon-Fri 08:30-17:15". Pure: weekday and minute are arguments, so
 * that neither time zone nor summer time is known here.
 */
#pragma once

#include "policy/model.h"

/* Parses "[DAYS ]HH:MM-HH:MM". DAYS are Sun, Mon … Sat, ranges of them ("Mon-Fri", "Sat-Mon") or both,
 * separated by commas; without DAYS, every day. The end may be 24:00; an end before the start means after
 * midnight. Returns 0, or -EINVAL with RET_WHY (static) saying what was expected. RET is untouched on
 * failure. */
int hours_parse(const char *text, Hours *ret, const char **ret_why);

/* Whether HOURS cover MINUTE of WEEKDAY (0 = Sunday). Hours that are not set cover everything. */
bool hours_cover(const Hours *hours, int weekday, int minute);

/* In how many minutes from MINUTE of WEEKDAY on hours_cover() changes its answer: 1 or more, 0 if never. */
int hours_next_change(const Hours *hours, int weekday, int minute);
