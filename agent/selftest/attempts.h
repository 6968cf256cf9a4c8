/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attempts.h: what the self-test tries, in a process of its own, and what the answers mean. It tries as
 * root: another user would be refused by the file mode of the node, which proves nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* An errno of each try; 0: it worked, ATTEMPT_NONE: it was not made. */
enum {
        ATTEMPT_NONE = -1,
        ATTEMPT_PORT = 9, /* discard: RFC 863 */
};

typedef struct Attempts {
        int raw_open, raw_write;                        /* the disk's node */
        int space, mount_write, mount_read, make_write; /* its file system, mounted by all means */
        int create, make_directory;                     /* in it */
} Attempts;

typedef enum Probed {
        PROBED_NOT, /* a zeroed result has proved nothing */
        PROBED_PASSED,
        PROBED_FAILED
} Probed;

/* Try to write to the block device NODE, and to its file system, mounted on DIRECTORY in a mount namespace
 * of the caller's own. For a child process beside other threads: calls that are safe there, and no others.
 */
void attempts_make(const char *node, const char *directory, Attempts *ret);

/* Whether an errno says that somebody refused. */
bool attempt_was_refused(int error);

/* What they show of raw writes, and of writes to a file system. RET_WHY is the errno that says it, RET_WHAT
 * the try. */
Probed attempts_raw(const Attempts *made, const char **ret_what, int *ret_why);
Probed attempts_files(const Attempts *made, const char **ret_what, int *ret_why);

/* Try to send one datagram with the socket mark MARK to ADDRESS, which leads nowhere (192.0.2.1 or
 * 2001:db8::1: RFC 5737, RFC 3849), and say what that shows. A machine without a way there has proved
 * nothing. */
Probed attempt_connection(const char *address, uint32_t mark, int *ret_why);
