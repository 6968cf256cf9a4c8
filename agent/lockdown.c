/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lockdown.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/file.h"
#include "policy/scope.h"

enum {
        TEXT_MAX = MAINTENANCE_REASON_MAX + TTY_TEXT_MAX + 128
};

static int make_path(const char *state_dir, char path[static PATH_MAX]) {
        return (size_t)snprintf(path, PATH_MAX, "%s/lockdown", state_dir) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* One line: time, uid, loginuid, terminal, and to the end of the line the reason. */
static int parse(const char *text, Lockdown *ret) {
        Lockdown found = {0};
        int64_t since;
        int end = 0;

        if (sscanf(text, "%" SCNd64 " %u %u %63s %n", &since, &found.by.uid, &found.by.loginuid,
                   found.by.tty, &end) != 4 ||
            end == 0 || !maintenance_reason_is_good(text + end))
                return -EBADMSG;
        found.since = (time_t)since;
        memcpy(found.reason, text + end, strlen(text + end) + 1);
        *ret = found;
        return 0;
}

int lockdown_read(const char *state_dir, Lockdown *ret) {
        char path[PATH_MAX], text[TEXT_MAX];
        struct stat st;
        int r = make_path(state_dir, path);
        ssize_t n;

        if (r < 0)
                return r;
        if (lstat(path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
                return -EPERM;
        n = file_read_small(AT_FDCWD, path, text, sizeof(text));
        r = n < 0 ? (int)n : parse(text, ret);
        return r < 0 ? r : 1;
}

int lockdown_write(const char *state_dir, const Lockdown *lockdown) {
        char path[PATH_MAX], text[TEXT_MAX];
        int length, r = make_path(state_dir, path);

        if (r < 0)
                return r;
        length = snprintf(text, sizeof(text), "%" PRId64 " %u %u %s %s\n", (int64_t)lockdown->since,
                          lockdown->by.uid, lockdown->by.loginuid,
                          lockdown->by.tty[0] ? lockdown->by.tty : "-", lockdown->reason);
        if (length < 0 || (size_t)length >= sizeof(text))
                return -E2BIG;
        return file_replace(path, text, (size_t)length, 0600);
}

int lockdown_drop(const char *state_dir) {
        CLEANUP_CLOSE int dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (dir < 0)
                return errno == ENOENT ? 0 : -errno;
        if (unlinkat(dir, "lockdown", 0) < 0)
                return errno == ENOENT ? 0 : -errno;
        return fsync(dir) < 0 ? -errno : 0;
}
