/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmdline.h: the command line of a process, read with a deadline. It lies in the process's own memory, which
 * may be mapped from a file system that does not answer: the read is done by a thread of its own, and who
 * asked goes on without it when it takes too long.
 */
#pragma once

#include <sys/types.h>

typedef struct CmdlineReader CmdlineReader;

enum {
        CMDLINE_MAX = 1024,
        CMDLINE_DEADLINE_MSEC = 50
};

/* 0 or -ENOMEM; the thread is started when it is first needed. */
int cmdline_reader_new(CmdlineReader **ret);
CmdlineReader *cmdline_reader_free(CmdlineReader *reader); /* returns NULL; never waits */

/* The command line of PID, arguments joined by spaces, control characters as '?', cut at CMDLINE_MAX.
 * Returns 0 and an owned string, -ETIMEDOUT, -ESRCH, -errno. After a timeout the next call starts afresh;
 * while four reads are stuck no further one is made and -EHOSTDOWN is returned. */
int cmdline_read(CmdlineReader *reader, pid_t pid, char **ret);
