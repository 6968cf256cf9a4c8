/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * contents.h: what files that were written hold, for their records: hashed a piece at a time, the file with
 * the least left first, so that a huge one keeps nobody waiting. No file waits for longer than a limit, and
 * no more than a number wait: its record then goes out without the hash, and says why. A hash is shared only
 * by those that were closed before its reading began: times of change prove nothing, since on FAT people set
 * them. Used by one thread; reads the files it is given, and nothing else.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "agent/report/record.h"

enum {
        CONTENTS_MAX = 128,          /* files that wait */
        CONTENTS_PIECE = 128 * 1024, /* bytes that are read at a time */
        CONTENTS_SECONDS_MAX = 180   /* after which a file waits no longer */
};

/* More than is hashed in that time: not even begun. */
#define CONTENTS_SIZE_MAX (INT64_C(64) << 30)

typedef struct Contents Contents;

/* Who gets each record when it is complete, and owns it from then on. */
typedef void (*ContentsDone)(void *userdata, Record *record);

/* 0 or -errno. */
int contents_new(ContentsDone done, void *userdata, Contents **ret);
/* What still waits is told without its hash. NULL is fine. Returns NULL. */
Contents *contents_free(Contents *contents);

/* The file FD, for RECORD, which gets its path; both are the callee's from now on. NOW is CLOCK_BOOTTIME in
 * microseconds. If too many wait, the one with the most left waits no longer. */
void contents_add(Contents *contents, int fd, Record *record, uint64_t now);
/* Read a piece, and let go of those that waited too long. Whether any still wait. */
bool contents_step(Contents *contents, uint64_t now);
/* Whether any wait. */
bool contents_is_busy(const Contents *contents);
/* All that wait are told without a hash, and WHY. */
void contents_give_up(Contents *contents, const char *why);
