/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file.h: reading policy files, and refusing those that somebody else could have written.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "policy/faults.h"

enum {
        POLICY_FILE_MAX = 4 * 1024 * 1024, /* of one with YAML */
        POLICY_FILES_MAX = 1000
};

/* Opens PATH, no symbolic link, and tells whether it is a directory. Returns the descriptor, -ENOENT,
 * -ENOMEM, or -EBADMSG with a fault added: it has to be a regular file or a directory, owned by root or the
 * caller and writable by no one else. */
int policy_file_open(int dir_fd, const char *name, const char *path, bool *ret_is_directory, Faults *faults);

/* Reads all of FD. RET is allocated, and followed by a NUL. 0, -ENOMEM or -EBADMSG with a fault added. */
int policy_file_read(int fd, const char *path, char **ret, size_t *ret_length, Faults *faults);

/* The names of all *.yaml in the directory FD, in byte order; dot-files are left out. Takes FD over.
 * 0, -ENOMEM or -EBADMSG with a fault added. RET is freed with policy_file_list_free. */
int policy_file_list(int fd, const char *path, char ***ret, size_t *ret_n, Faults *faults);
/* NAME among them, in its place, unless it is there. 0 or -ENOMEM. */
int policy_file_list_add(char ***names, size_t *n, const char *name);
void policy_file_list_free(char **names, size_t n);
