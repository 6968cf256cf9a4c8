/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trusted_path.h: files that are loaded or believed because nobody but root can have put them there. */
#pragma once

#include <stddef.h>

/* Follows PATH, which is absolute, to the file that it leads to. 0 with RET, an owned path without links;
 * -EPERM if somebody else than root owns, or may write to, the file or a directory above it; -EINVAL if it
 * is no file; -errno. */
int trusted_path(const char *path, char **ret);

/* All of a file of that kind, at most MAX bytes. RET is owned, with a NUL behind. 0, -EFBIG, or as above. */
int trusted_read(const char *path, size_t max, char **ret, size_t *ret_length);
