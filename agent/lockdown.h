/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lockdown.h: the note STATE/lockdown that somebody has locked this terminal down: since when, who, from
 * where and what for. It outlives the agent and the boot; whatever of it cannot be read means that there is
 * a lockdown.
 */
#pragma once

#include <time.h>

#include "agent/maintenance.h"
#include "agent/tty.h"

typedef struct Lockdown {
        time_t since;
        TtyUser by;
        char reason[MAINTENANCE_REASON_MAX + 1]; /* as maintenance_reason_is_good() has it */
} Lockdown;

/* 1 with RET filled, 0 if there is none; -errno (-EPERM for one that somebody else could have written,
 * -EBADMSG for one that makes no sense), which means that there is one. */
int lockdown_read(const char *state_dir, Lockdown *ret);

/* Atomically, for root alone. 0 or -errno. */
int lockdown_write(const char *state_dir, const Lockdown *lockdown);

/* 0, also if there is none, or -errno. The directory is on disk when it returns. */
int lockdown_drop(const char *state_dir);
