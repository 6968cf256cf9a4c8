/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/trusted_path.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/scope.h"

static int check(const char *path, mode_t type) {
        struct stat st;

        if (lstat(path, &st) < 0)
                return -errno;
        if ((st.st_mode & S_IFMT) != type)
                return -EINVAL;
        return st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0 ? -EPERM : 0;
}

/* Nobody but root can change any of it afterwards, so that looking at one part after the other is no race.
 */
int trusted_path(const char *path, char **ret) {
        CLEANUP_FREE char *whole = NULL;
        int r;

        if (path[0] != '/')
                return -EINVAL;
        whole = realpath(path, NULL);
        if (!whole)
                return -errno;
        r = check(whole, S_IFREG);
        for (char *slash = whole + 1; r == 0 && (slash = strchr(slash, '/')); slash++) {
                *slash = '\0';
                r = check(whole, S_IFDIR);
                *slash = '/';
        }
        if (r == 0)
                r = check("/", S_IFDIR);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(whole);
        return 0;
}

static int read_all(int fd, char *text, size_t length) {
        size_t at = 0;

        while (at < length) {
                ssize_t n = read(fd, text + at, length - at);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                at += (size_t)n;
        }
        return 0;
}

int trusted_read(const char *path, size_t max, char **ret, size_t *ret_length) {
        CLEANUP_FREE char *whole = NULL, *text = NULL;
        CLEANUP_CLOSE int fd = -1;
        struct stat st;
        int r = trusted_path(path, &whole);

        if (r < 0 || !whole)
                return r < 0 ? r : -EINVAL;
        fd = open(whole, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size < 0 || (size_t)st.st_size > max)
                return -EFBIG;
        text = malloc((size_t)st.st_size + 1);
        if (!text)
                return -ENOMEM;
        r = read_all(fd, text, (size_t)st.st_size);
        if (r < 0)
                return r;
        text[st.st_size] = '\0';
        *ret = STEAL_PTR(text);
        *ret_length = (size_t)st.st_size;
        return 0;
}
