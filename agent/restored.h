/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * restored.h: the note STATE/restored that the policies up to a serial were put aside by root on the
 * console. sekishoctl writes it before it moves them; the agent takes none of them again, records who did
 * it, and drops the note once a later policy is in force. It survives a reboot.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum {
        RESTORED_TEXT_MAX = 512
};

typedef struct Restored {
        uint64_t serial; /* the highest that was put aside */
        uid_t uid, loginuid;
        time_t time;
        bool told;                                  /* the journal has it */
        char tty[64], directory[RESTORED_TEXT_MAX]; /* from where, and where they are now */
} Restored;

/* 1 with RET filled, 0 if there is no note, -errno (-EBADMSG for one that makes no sense). */
int restored_read(const char *state_dir, Restored *ret);

/* Atomically, for root alone. 0 or -errno. */
int restored_write(const char *state_dir, const Restored *restored);

/* 0, also if there is none, or -errno. */
int restored_drop(const char *state_dir);
