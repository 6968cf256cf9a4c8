/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limits.h: how long one has to wait after failures. Pure: the moment is an argument. Within one boot the
 * boot-time clock counts, which nobody sets; across boots the wall clock, and one that was set back counts
 * as no time at all.
 */
#pragma once

#include "pam_module/enrolment.h"

typedef struct Moment {
        time_t wall;
        uint64_t boottime;
        char boot_id[BOOT_ID_SIZE]; /* "-" if it is not known */
} Moment;

enum {
        BREAK_GLASS_WAIT_MAX = 5 /* seconds: nobody else keeps it from being used */
};

/* The present one. 0 or -errno. */
int moment_now(Moment *ret);

/* Seconds that are left to wait. */
unsigned limits_wait(const MfaLimits *limits, const Failures *failures, bool break_glass, const Moment *now);

/* Whether the failures were seen by clocks that say nothing any more, so that they count from NOW. */
bool limits_stamp_is_lost(const Failures *failures, const Moment *now);
void limits_stamp(Failures *failures, const Moment *now);

/* One more. */
void limits_failed(Failures *failures, const Moment *now);
