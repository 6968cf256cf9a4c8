/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/tty.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>

#include "agent/file.h"
#include "policy/scope.h"

bool tty_is_local(const char *name) {
        static const char *const prefixes[] = {"tty", "ttyS", "ttyAMA", "hvc"};

        if (strcmp(name, "console") == 0)
                return true;
        for (size_t i = 0; i < ELEMENTS(prefixes); i++) {
                size_t length = strlen(prefixes[i]);

                if (strncmp(name, prefixes[i], length) == 0 && name[length] &&
                    strspn(name + length, "0123456789") == strlen(name + length))
                        return true;
        }
        return false;
}

void tty_set_name(char ret[static TTY_TEXT_MAX], const char *name) {
        (void)snprintf(ret, TTY_TEXT_MAX, "%s", name);
        for (char *c = ret; *c; c++)
                if (*c <= ' ' || *c == 0x7f)
                        *c = '?';
}

static ssize_t read_of(pid_t pid, const char *name, char *text, size_t size) {
        char path[64];

        (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
        return file_read_small(AT_FDCWD, path, text, size);
}

int tty_of_process(pid_t pid, char ret[static TTY_TEXT_MAX]) {
        char text[4096], link[64], target[PATH_MAX];
        const char *rest;
        int number = 0;
        ssize_t n = read_of(pid, "stat", text, sizeof(text));

        if (n < 0)
                return n == -ENOENT ? -ESRCH : (int)n;
        if (!(rest = strrchr(text, ')')) || sscanf(rest, ") %*c %*d %*d %*d %d", &number) != 1)
                return -EBADMSG;
        if (number == 0)
                return -ENOTTY;
        (void)snprintf(link, sizeof(link), "/sys/dev/char/%d:%d", number >> 8 & 0xff,
                       (number & 0xff) | (number >> 12 & 0xfff00));
        /* pseudo terminals have no place in sysfs */
        tty_set_name(ret, realpath(link, target) ? strrchr(target, '/') + 1 : "pts");
        return 0;
}

static int read_uids(pid_t pid, TtyUser *user) {
        char text[4096];
        const char *at;
        ssize_t n = read_of(pid, "status", text, sizeof(text));

        if (n < 0)
                return (int)n;
        at = strstr(text, "\nUid:");
        if (!at || sscanf(at, "\nUid: %*u %u", &user->uid) != 1) /* the effective one */
                return -EBADMSG;
        user->loginuid = read_of(pid, "loginuid", text, sizeof(text)) > 0 ? (uid_t)strtoul(text, NULL, 10)
                                                                          : (uid_t)-1;
        return 0;
}

int tty_user_read(pid_t pid, TtyUser *ret) {
        CLEANUP_CLOSE int process = pid > 0 ? pidfd_open(pid, 0) : -1;
        TtyUser user = {.tty = "-"};
        int r;

        if (process < 0)
                return pid > 0 ? -errno : -ESRCH;
        r = read_uids(pid, &user);
        if (r == 0)
                r = tty_of_process(pid, user.tty);
        if (r < 0 && r != -ENOTTY)
                return r == -ENOENT ? -ESRCH : r;
        /* the number may have gone to another process while it was read */
        if (pidfd_send_signal(process, 0, NULL, 0) < 0)
                return -errno;
        *ret = user;
        return 0;
}
