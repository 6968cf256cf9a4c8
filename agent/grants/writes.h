/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * writes.h: what is written to a medium while an exception holds: each file once it is closed, with its
 * path, its size and the SHA-256 of what it holds then. A thread of its own reads the files, for reading
 * only; the kernel keeps what it has not come to (16384 files), and what is lost beyond that is told.
 */
#pragma once

#include "agent/report/report.h"

enum {
        WRITES_VOLUMES_MAX = 32
};

typedef struct Writes Writes;

/* 0 or -errno. */
int writes_new(Report *report, Writes **ret);
/* What was closed by now is told, or the thread ends with the process. NULL is fine. Returns NULL. */
Writes *writes_free(Writes *writes);

/* Tell of writes to the file system mounted at MOUNT, which has the number DEVNUM, as those under grant ID.
 * Again for the same is fine. 0; -ESTALE if something else is mounted there; -ENOSPC; -errno. */
int writes_watch(Writes *writes, const char *mount, dev_t devnum, uint32_t id, uint64_t policy_serial,
                 const DeviceIdentity *device);

/* No more of what is mounted there. What was closed before is told yet. */
void writes_leave(Writes *writes, const char *mount, dev_t devnum);
/* How many files were closed under grant ID, as far as they have been looked at. */
uint64_t writes_count(Writes *writes, uint32_t id);
