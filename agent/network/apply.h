/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apply.h: commands for nftables, run by sekisho-network, a program of its own: the library that understands
 * them ends its process when something goes wrong, and takes memory that the agent need not keep.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A run of the program. */
typedef struct Apply {
        pid_t pid; /* 0: none runs */
        int pidfd;
        int errors; /* what it says */
} Apply;

/* Start it with TEXT. 0 or -errno. */
int apply_start(const char *text, Apply *ret);

/* Whether it has ended after MSEC at most. */
bool apply_ends_within(const Apply *apply, int msec);

/* Wait for its end, for eight seconds at most, and leave it to be taken: its number is nobody else's until
 * then. 0; -ETIMEDOUT, after which it is ended. */
int apply_wait(const Apply *apply);

/* Take its end, which may be waited for, for eight seconds at most. 0 if the kernel took the commands,
 * -EBADMSG if not, with a line in WHY; -ETIMEDOUT, after which it is ended; -errno. */
int apply_finish(Apply *apply, char *why, size_t size);
