/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * writes.h: what is written to a medium while an exception holds: each file once it is closed, with its
 * path, its size and the SHA-256 of what it holds then, as far as contents.h gets to it; its name is on
 * record in any case. A thread of its own takes in what was closed, and reads the files, for reading only;
 * the kernel keeps what it has not come to (16384 files), and what is lost beyond that is told.
 */
#pragma once

#include "agent/report/report.h"

typedef struct Writes Writes;

/* 0 or -errno. */
int writes_new(Report *report, Writes **ret);
/* What was closed by now is told, without hashes where there are none yet; if the thread hangs on a medium
 * it is left behind after two seconds. NULL is fine. Returns NULL. */
Writes *writes_free(Writes *writes);

/* Tell of writes to the file system DEVNUM, by any of its mounts that can be reached, as those under grant
 * ID; MOUNT is for the record. Again for the same is fine. 0; -ENOENT if no mount of it can be reached;
 * -ENOSPC if too many are written to at present; -errno. */
int writes_watch(Writes *writes, const char *mount, dev_t devnum, uint32_t id, uint64_t policy_serial,
                 const DeviceIdentity *device);

/* No more of what is on DEVNUM. What was closed before is told yet. */
void writes_leave(Writes *writes, dev_t devnum);
/* How many files were closed under grant ID by now; waits for half a second at most to know. */
uint64_t writes_count(Writes *writes, uint32_t id);
