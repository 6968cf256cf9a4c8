/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * memory.h: large arguments of calls, as files in memory (memfd_create(2)) that are sealed: who reads one
 * cannot be kept waiting, and what was read cannot become something else.
 */
#pragma once

#include <stddef.h>

/* Make one with this content. A descriptor, or -errno. */
int bus_memory_new(const char *text, size_t length);

/* All of FD, a new string ended with NUL. 0; -EINVAL if it is no such file; -E2BIG if it has more than MAX
 * bytes; -errno. */
int bus_memory_read(int fd, size_t max, char **ret, size_t *ret_length);
