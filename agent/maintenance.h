/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * maintenance.h: the note RUNTIME/maintenance that root on the console has lifted the guard's protection of
 * itself for a while: until when, who, from where and what for. It holds for the boot it was made in.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/tty.h"

enum {
        MAINTENANCE_REASON_MAX = 200, /* bytes */
        MAINTENANCE_MINUTES_MAX = 480,
        MAINTENANCE_MINUTES = 30, /* unless said otherwise */
};

typedef struct Maintenance {
        uint64_t until; /* CLOCK_BOOTTIME in microseconds, 0: there is none */
        TtyUser by;
        char reason[MAINTENANCE_REASON_MAX + 1];
} Maintenance;

/* Whether TEXT is one line of visible text that fits. */
bool maintenance_reason_is_good(const char *text);

/* NOW is CLOCK_BOOTTIME in microseconds. 1 with RET filled (it may be over by now), 0 if there is none or it
 * is of another boot, -errno (-EPERM for one that somebody else could have written, -EBADMSG for one that
 * makes no sense, or would last longer than any may). */
int maintenance_read(const char *runtime_dir, uint64_t now, Maintenance *ret);

/* Atomically, for root alone. 0 or -errno. */
int maintenance_write(const char *runtime_dir, const Maintenance *maintenance);

/* 0, also if there is none, or -errno. */
int maintenance_drop(const char *runtime_dir);
