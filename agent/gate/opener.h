/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * opener.h: who is blocked in an open: read from /proc while the thread waits for its answer, so that it
 * cannot be gone or changed. Nothing here touches the guarded volume or the thread's own memory (which may
 * lie on it); for the command line, which does lie in its memory, see cmdline.h. Source: proc(5).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/report/record.h"
#include "policy/object.h"

enum {
        OPENER_GROUPS_MAX = 1024
}; /* more are not looked at: a rule for them then does not apply */

typedef struct Opener {
        pid_t tid, tgid;
        Subject subject; /* groups point into groups below */
        bool core_dumping;
        gid_t groups[OPENER_GROUPS_MAX];
} Opener;

/* Parse the text of /proc/TID/status. 0, or -EBADMSG if an id is missing: nothing is then known of the
 * opener. */
int opener_from_status(const char *text, Opener *ret);

/* Read who TID is. 0 or -errno; RET is then an unknown nobody (uid and gid -1). */
int opener_read(pid_t tid, Opener *ret);

/* Whether PID is still the process that started at STARTED (CLOCK_BOOTTIME, ns), told to a clock tick. */
bool opener_is(pid_t pid, uint64_t started);

/* The session of audit that PID is in: every login begins one, and who is in it stays, as whatever account.
 * 0 if it is in none, or is gone. */
uint32_t opener_session(pid_t pid);

/* Add exe, session, uid, login uid and pid to RECORD. What cannot be read is left out. */
void opener_describe(const Opener *opener, Record *record);
