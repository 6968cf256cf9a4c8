/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/clock.h"

uint64_t clock_boottime_usec(void) {
        struct timespec ts;

        clock_gettime(CLOCK_BOOTTIME, &ts);
        return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void clock_start(Clock *clock) {
        clock->wall = time(NULL);
        clock->boottime = clock_boottime_usec();
}

int clock_policy_time(const Clock *clock, PolicyTime *ret) {
        time_t counted = clock->wall + (time_t)((clock_boottime_usec() - clock->boottime) / 1000000);
        int r = policy_time_from_wall(time(NULL), ret);

        if (r < 0)
                return r;
        if (counted > ret->expiry_now)
                ret->expiry_now = counted;
        return 0;
}
