/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * clock.h: the time that verdicts are asked with. Hours go by the wall clock. Expiry goes by the later of
 * the wall clock and of the boot-time clock counted on from the agent's start, so that setting the clock
 * back does not stretch an approval.
 */
#pragma once

#include <stdint.h>
#include <time.h>

#include "policy/object.h"

typedef struct Clock {
        time_t wall;       /* CLOCK_REALTIME at clock_start() */
        uint64_t boottime; /* CLOCK_BOOTTIME at clock_start(), microseconds */
} Clock;

void clock_start(Clock *clock);
/* 0 or -EINVAL. */
int clock_policy_time(const Clock *clock, PolicyTime *ret);
/* CLOCK_BOOTTIME in microseconds. */
uint64_t clock_boottime_usec(void);
