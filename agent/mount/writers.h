/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * writers.h: who has files of a superblock, or the nodes of a disk, open for writing, or mapped shared and
 * writable, at this moment. Looks through /proc; opens nothing on the volume itself. Source: proc(5),
 * statx(2).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

typedef struct Writer {
        pid_t pid;
        bool mapped;      /* by a mapping, not by a descriptor */
        const char *path; /* as /proc shows it; borrowed for the call */
} Writer;

/* Call F for each writer of the superblock with device number DEVNUM. Processes that go away meanwhile are
 * passed over. Returns the number of writers, or -errno if /proc cannot be read. */
int writers_foreach(dev_t devnum, void (*f)(void *userdata, const Writer *writer), void *userdata);

/* The same for whoever has one of these N device nodes open for writing. */
int writers_foreach_node(const dev_t *nodes, size_t n, void (*f)(void *userdata, const Writer *writer),
                         void *userdata);

/* End process PID (SIGKILL) and wait for that, for a second at most. 0, -ETIMEDOUT, -errno. */
int writer_end(pid_t pid);
