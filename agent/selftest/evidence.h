/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evidence.h: what the kernel itself says of a guard that stands, where trying would touch somebody's
 * medium. */
#pragma once

#include <sys/types.h>

/* Whether the fanotify group FD has the superblock DEVNUM marked: 1, 0, -errno. Source: proc(5), fdinfo. */
int evidence_of_mark(int fd, dev_t devnum);

/* The same of the text of an fdinfo file. Pure. */
int evidence_in_fdinfo(const char *text, dev_t devnum);
