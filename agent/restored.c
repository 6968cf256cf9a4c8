/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/restored.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/file.h"

static int make_path(const char *state_dir, char path[static PATH_MAX]) {
        return (size_t)snprintf(path, PATH_MAX, "%s/restored", state_dir) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* One line: serial, uid, loginuid, time, told, terminal, and to the end of the line the directory. */
int restored_read(const char *state_dir, Restored *ret) {
        char path[PATH_MAX], text[RESTORED_TEXT_MAX + 256];
        Restored restored = {0};
        struct stat st;
        int64_t at;
        int told, end = 0, r = make_path(state_dir, path);
        ssize_t n;

        if (r < 0)
                return r;
        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
                return -EPERM;
        n = file_read_small(AT_FDCWD, path, text, sizeof(text));
        if (n < 0)
                return (int)n;
        if (sscanf(text, "%" SCNu64 " %u %u %" SCNd64 " %d %63s %n", &restored.serial, &restored.uid,
                   &restored.loginuid, &at, &told, restored.tty, &end) != 6 ||
            end == 0 || text[end] == '\0' || strlen(text + end) >= sizeof(restored.directory))
                return -EBADMSG;
        restored.time = (time_t)at;
        restored.told = told;
        memcpy(restored.directory, text + end, strlen(text + end) + 1);
        *ret = restored;
        return 1;
}

int restored_write(const char *state_dir, const Restored *restored) {
        char path[PATH_MAX], text[RESTORED_TEXT_MAX + 256];
        int length, r = make_path(state_dir, path);

        if (r < 0)
                return r;
        length = snprintf(text, sizeof(text), "%" PRIu64 " %u %u %" PRId64 " %d %s %s\n", restored->serial,
                          restored->uid, restored->loginuid, (int64_t)restored->time, restored->told,
                          restored->tty[0] ? restored->tty : "-", restored->directory);
        if (length < 0 || (size_t)length >= sizeof(text))
                return -E2BIG;
        return file_replace(path, text, (size_t)length, 0600);
}

int restored_drop(const char *state_dir) {
        char path[PATH_MAX];
        int r = make_path(state_dir, path);

        if (r < 0)
                return r;
        return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}
