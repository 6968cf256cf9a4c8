/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libexec.h: the programs that stand beside ours and are run by them, and by nobody else. */
#pragma once

#include <limits.h>
#include <sys/types.h>

/* The path of the program NAME: /usr/sbin/sekishod has /usr/libexec/NAME. 0 or -errno. */
int libexec_path(const char *name, char path[static PATH_MAX]);

typedef struct LibexecFiles {
        int input;  /* -1: /dev/null */
        int output; /* of results */
        int errors; /* -1: ours */
} LibexecFiles;

/* Start the program ARGUMENTS[0], with no signal blocked and this ENVIRONMENT alone. The process in RET is
 * the caller's to reap; RET_PIDFD, which tells of its end, to close. 0 or -errno. */
int libexec_start(char *const arguments[], char *const environment[], const LibexecFiles *files, pid_t *ret,
                  int *ret_pidfd);
