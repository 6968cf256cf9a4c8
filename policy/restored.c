/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/restored.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/scope.h"

enum {
        NOTE_SIZE = RESTORED_TEXT_MAX + 256
};

/* The note's one line. 1, 0 if there is none, -errno. */
static int read_note(const char *path, char text[static NOTE_SIZE]) {
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        struct stat st;
        ssize_t n;

        if (fd < 0)
                return errno == ENOENT ? 0 : errno == ELOOP ? -EPERM : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
                return -EPERM;
        n = read(fd, text, NOTE_SIZE); /* a file of this size comes whole */
        if (n < 0)
                return -errno;
        if (n == NOTE_SIZE)
                return -E2BIG;
        text[n] = '\0';
        if (n > 0 && text[n - 1] == '\n')
                text[n - 1] = '\0';
        return 1;
}

/* One line: serial, uid, loginuid, time, told, terminal, and to the end of the line the directory. */
int restored_read(const char *state_dir, Restored *ret) {
        char path[PATH_MAX], text[NOTE_SIZE];
        Restored restored = {0};
        int64_t at;
        int told, end = 0, r;

        if ((size_t)snprintf(path, sizeof(path), "%s/restored", state_dir) >= sizeof(path))
                return -ENAMETOOLONG;
        r = read_note(path, text);
        if (r <= 0)
                return r;
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
