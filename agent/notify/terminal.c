/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/notify/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "policy/scope.h"

static int open_terminal(const char *name, uid_t uid) {
        CLEANUP_FREE char *path = NULL;
        CLEANUP_CLOSE int fd = -1;
        struct stat st;

        if (asprintf(&path, "%s%s", *name == '/' ? "" : "/dev/", name) < 0) {
                path = NULL;
                return -ENOMEM;
        }
        fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISCHR(st.st_mode) || !isatty(fd))
                return -ENOTTY;
        if (st.st_uid != uid)
                return -EPERM;
        return STEAL_FD(fd);
}

int terminal_tell(const char *name, uid_t uid, const char *line) {
        CLEANUP_CLOSE int fd = open_terminal(name, uid);
        CLEANUP_FREE char *text = NULL;
        int length;

        if (fd < 0)
                return fd;
        length = asprintf(&text, "\r\n%s\r\n", line);
        if (length < 0) {
                text = NULL;
                return -ENOMEM;
        }
        return write(fd, text, (size_t)length) < 0 ? -errno : 0;
}

/* Graphical sessions have a terminal, too, but nobody sees it. */
static bool is_text_session(const char *session) {
        CLEANUP_FREE char *type = NULL;

        return sd_session_get_type(session, &type) >= 0 && strcmp(type, "tty") == 0;
}

static void free_strings(char ***list) {
        for (char **at = *list; at && *at; at++)
                free(*at);
        free(*list);
}

size_t terminals_tell(uid_t uid, const char *line) {
        CLEANUP(free_strings) char **sessions = NULL;
        size_t told = 0;

        if (sd_uid_get_sessions(uid, 0, &sessions) < 0)
                return 0;
        for (char **session = sessions; session && *session; session++) {
                CLEANUP_FREE char *name = NULL;

                if (is_text_session(*session) && sd_session_get_tty(*session, &name) >= 0)
                        told += terminal_tell(name, uid, line) == 0;
        }
        return told;
}
