/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/note.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/file.h"

static int note_path(const char *runtime_dir, const char *kind, dev_t devnum, char path[static PATH_MAX]) {
        return (size_t)snprintf(path, PATH_MAX, "%s/%s/%u:%u", runtime_dir, kind, major(devnum),
                                minor(devnum)) >= PATH_MAX
                       ? -ENAMETOOLONG
                       : 0;
}

int note_write(const char *runtime_dir, const char *kind, dev_t devnum, uint64_t number) {
        char path[PATH_MAX], text[32];
        int r = note_path(runtime_dir, kind, devnum, path);

        if (r < 0)
                return r;
        *strrchr(path, '/') = '\0';
        r = directory_ensure(path, 0700);
        if (r < 0)
                return r;
        path[strlen(path)] = '/';
        snprintf(text, sizeof(text), "%" PRIu64 "\n", number);
        return file_replace(path, text, strlen(text), 0600);
}

int note_drop(const char *runtime_dir, const char *kind, dev_t devnum) {
        char path[PATH_MAX];
        int r = note_path(runtime_dir, kind, devnum, path);

        if (r < 0)
                return r;
        return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int note_holds(const char *runtime_dir, const char *kind, dev_t devnum, uint64_t number) {
        char path[PATH_MAX], text[32], expected[32];
        struct stat st;
        int r = note_path(runtime_dir, kind, devnum, path);

        if (r < 0)
                return r;
        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
                return -EPERM;
        if (file_read_small(AT_FDCWD, path, text, sizeof(text)) < 0)
                return -EIO;
        snprintf(expected, sizeof(expected), "%" PRIu64, number);
        return number != 0 && strcmp(text, expected) == 0;
}
