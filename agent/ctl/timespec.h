/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timespec.h: points in time as people type them and as they are shown to them, in the local time zone.
 * Microseconds since the epoch. Pure but for the time zone: now is an argument.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define USEC_PER_SEC UINT64_C(1000000)

enum {
        TIMESPEC_TEXT_MAX = 48
};

/* Which end of a day is meant where only the day is named. */
typedef enum TimespecEdge {
        TIMESPEC_START,
        TIMESPEC_END /* its last microsecond */
} TimespecEdge;

/* Parses "YYYY-MM-DD", "YYYY-MM-DD HH:MM[:SS]" (a T may stand for the space), "HH:MM[:SS]" of today, "now",
 * "today", "yesterday", or back from now "-30s", "-30min", "-2h", "-3d", "-1w". Returns 0, or -EINVAL with
 * RET_WHY (static, untranslated) saying what was expected; RET is untouched on failure. */
int timespec_parse(const char *text, uint64_t now, TimespecEdge edge, uint64_t *ret, const char **ret_why);

/* "2026-11-21 08:30:00" for people; "?" for what no calendar holds. Returns BUFFER. */
const char *timespec_for_person(uint64_t usec, char buffer[static TIMESPEC_TEXT_MAX]);

/* ISO 8601 with microseconds and offset: "2026-11-21T08:30:00.000000+09:00". Returns BUFFER. */
const char *timespec_iso(uint64_t usec, char buffer[static TIMESPEC_TEXT_MAX]);

/* CLOCK_REALTIME. */
uint64_t timespec_now(void);
