/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * restored.h: the note STATE/restored that the policies up to a serial were put aside by root on the
 * console, as it is read. None of them is to be taken again. It survives a reboot. Who writes it:
 * agent/restored.h.
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
