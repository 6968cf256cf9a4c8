/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/scope.h"

enum {
        READ_FIRST = 16384
};

ssize_t file_read_small(int dir_fd, const char *path, char *buffer, size_t size) {
        CLEANUP_CLOSE int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        size_t length = 0;

        if (size == 0)
                return -EINVAL;
        if (fd < 0)
                return -errno;
        for (;;) {
                ssize_t n = read(fd, buffer + length, size - length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                length += (size_t)n;
                if (length == size)
                        return -E2BIG;
        }
        if (length > 0 && buffer[length - 1] == '\n')
                length--;
        buffer[length] = '\0';
        return (ssize_t)length;
}

int file_read_whole(int fd, size_t max, char **ret, size_t *ret_length) {
        CLEANUP_FREE char *text = NULL;
        size_t length = 0, size = 0;

        for (;;) {
                ssize_t n;

                if (size - length < 2) {
                        size_t larger = size > 0 ? size * 2 : READ_FIRST;
                        char *grown = realloc(text, larger);

                        if (!grown)
                                return -ENOMEM;
                        text = grown;
                        size = larger;
                }
                n = read(fd, text + length, size - length - 1);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                length += (size_t)n;
                if (length > max)
                        return -E2BIG;
        }
        text[length] = '\0';
        *ret = STEAL_PTR(text);
        if (ret_length)
                *ret_length = length;
        return 0;
}

static int write_whole(int fd, const char *content, size_t length) {
        while (length > 0) {
                ssize_t n = write(fd, content, length);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                content += n;
                length -= (size_t)n;
        }
        return fsync(fd) < 0 ? -errno : 0;
}

int file_replace(const char *path, const char *content, size_t length, mode_t mode) {
        char temporary[PATH_MAX], copy[PATH_MAX];
        CLEANUP_CLOSE int fd = -1;
        CLEANUP_CLOSE int dir = -1;
        int r;

        if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= sizeof(temporary) ||
            (size_t)snprintf(copy, sizeof(copy), "%s", path) >= sizeof(copy))
                return -ENAMETOOLONG;
        dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return -errno;
        fd = mkostemp(temporary, O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = write_whole(fd, content, length);
        if (r == 0 && fchmod(fd, mode) < 0)
                r = -errno;
        if (r == 0 && rename(temporary, path) < 0)
                r = -errno;
        if (r < 0) {
                unlink(temporary);
                return r;
        }
        return fsync(dir) < 0 ? -errno : 0;
}

int directory_ensure(const char *path, mode_t mode) {
        char partial[PATH_MAX];
        struct stat st;

        if ((size_t)snprintf(partial, sizeof(partial), "%s", path) >= sizeof(partial))
                return -ENAMETOOLONG;
        for (char *slash = strchr(partial + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                if (mkdir(partial, mode) < 0 && errno != EEXIST)
                        return -errno;
                *slash = '/';
        }
        if (mkdir(partial, mode) < 0 && errno != EEXIST)
                return -errno;
        if (lstat(partial, &st) < 0)
                return -errno;
        if (!S_ISDIR(st.st_mode))
                return -ENOTDIR;
        if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
                return -EPERM;
        return 0;
}
