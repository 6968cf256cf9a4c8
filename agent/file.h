/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file.h: small files, safely: read whole with a bound, replaced atomically.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Read at most SIZE-1 bytes of PATH (relative to DIR_FD, or AT_FDCWD) into BUFFER and end it with NUL; a
 * last newline is dropped. Returns the length, -E2BIG if there is more, -errno. BUFFER is undefined on
 * failure. */
ssize_t file_read_small(int dir_fd, const char *path, char *buffer, size_t size);

/* Read FD from where it stands to its end into a new string, ended with NUL, of MAX bytes at most.
 * RET_LENGTH may be NULL. 0, -E2BIG if there is more, -ENOMEM, -errno. */
int file_read_whole(int fd, size_t max, char **ret, size_t *ret_length);

/* Replace PATH by a file of MODE with this content: temporary file in the same directory, fsync, rename,
 * fsync of the directory. Returns 0 or -errno; on failure the old file stands and no temporary is left. */
int file_replace(const char *path, const char *content, size_t length, mode_t mode);

/* mkdir -p with MODE for what is made; an existing last component must be a directory owned by the caller's
 * effective uid and not writable by others. Returns 0 or -errno (-EPERM for such a doubtful directory). */
int directory_ensure(const char *path, mode_t mode);
