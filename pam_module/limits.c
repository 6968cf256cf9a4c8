/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

static void read_boot_id(char ret[static BOOT_ID_SIZE]) {
        CLEANUP_CLOSE int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, ret, BOOT_ID_SIZE - 1);

        ret[n == BOOT_ID_SIZE - 1 ? n : 0] = '\0';
        if (!enrolment_is_word(ret, BOOT_ID_SIZE - 1))
                memcpy(ret, "-", 2);
}

int moment_now(Moment *ret) {
        struct timespec wall, boottime;

        if (clock_gettime(CLOCK_REALTIME, &wall) < 0 || clock_gettime(CLOCK_BOOTTIME, &boottime) < 0)
                return -errno;
        if (wall.tv_sec < 0)
                return -ERANGE;
        ret->wall = wall.tv_sec;
        ret->boottime = (uint64_t)boottime.tv_sec;
        read_boot_id(ret->boot_id);
        return 0;
}

static bool same_boot(const Failures *failures, const Moment *now) {
        return strcmp(now->boot_id, "-") != 0 && strcmp(failures->boot_id, now->boot_id) == 0;
}

static uint64_t elapsed(const Failures *failures, const Moment *now) {
        if (same_boot(failures, now))
                return now->boottime > failures->boottime ? now->boottime - failures->boottime : 0;
        return now->wall > failures->wall ? (uint64_t)(now->wall - failures->wall) : 0;
}

bool limits_stamp_is_lost(const Failures *failures, const Moment *now) {
        return failures->n > 0 && !same_boot(failures, now) && now->wall < failures->wall;
}

void limits_stamp(Failures *failures, const Moment *now) {
        failures->wall = now->wall;
        failures->boottime = now->boottime;
        memcpy(failures->boot_id, now->boot_id, sizeof(failures->boot_id));
}

void limits_failed(Failures *failures, const Moment *now) {
        if (failures->n < INT_MAX)
                failures->n++;
        limits_stamp(failures, now);
}

unsigned limits_wait(const MfaLimits *limits, const Failures *failures, bool break_glass,
                     const Moment *now) {
        uint64_t wait = limits->wait, passed, max = limits->wait_max;

        if (failures->n < limits->tries)
                return 0;
        for (unsigned n = failures->n - limits->tries; n > 0 && wait < max; n--)
                wait *= 2;
        if (break_glass && max > BREAK_GLASS_WAIT_MAX)
                max = BREAK_GLASS_WAIT_MAX;
        if (wait > max)
                wait = max;
        passed = elapsed(failures, now);
        return passed < wait ? (unsigned)(wait - passed) : 0;
}
