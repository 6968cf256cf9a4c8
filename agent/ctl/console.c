/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/console.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-login.h>

#include "agent/file.h"
#include "policy/scope.h"

bool console_is_local(const char *name) {
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

static void set_name(char ret[static CONSOLE_NAME_MAX], const char *name) {
        (void)snprintf(ret, CONSOLE_NAME_MAX, "%s", name);
        for (char *c = ret; *c; c++)
                if (*c <= ' ' || *c == 0x7f)
                        *c = '?';
}

/* The name of the controlling terminal as sysfs has it; false without one. Source: proc(5), tty_nr. */
static bool controlling_terminal(char ret[static CONSOLE_NAME_MAX]) {
        char text[4096], link[64], target[PATH_MAX];
        const char *rest;
        int number = 0;

        if (file_read_small(AT_FDCWD, "/proc/self/stat", text, sizeof(text)) < 0 ||
            !(rest = strrchr(text, ')')) || sscanf(rest, ") %*c %*d %*d %*d %d", &number) != 1 ||
            number == 0)
                return false;
        (void)snprintf(link, sizeof(link), "/sys/dev/char/%d:%d", number >> 8 & 0xff,
                       (number & 0xff) | (number >> 12 & 0xfff00));
        if (realpath(link, target))
                set_name(ret, strrchr(target, '/') + 1);
        else
                set_name(ret, "pts"); /* pseudo terminals have no place in sysfs */
        return true;
}

static bool session_is_here(const char *session, char ret_tty[static CONSOLE_NAME_MAX]) {
        CLEANUP_FREE char *tty = NULL;
        CLEANUP_FREE char *seat = NULL;

        (void)sd_session_get_tty(session, &tty);
        (void)sd_session_get_seat(session, &seat);
        set_name(ret_tty, tty ? tty : seat ? seat : session);
        if (sd_session_is_remote(session) != 0)
                return false; /* also where it cannot be told */
        return seat || (tty && console_is_local(tty));
}

bool console_is_here(char ret_tty[static CONSOLE_NAME_MAX]) {
        CLEANUP_FREE char *session = NULL;

        set_name(ret_tty, "-");
        if (sd_pid_get_session(0, &session) >= 0)
                return session_is_here(session, ret_tty);
        return controlling_terminal(ret_tty) && console_is_local(ret_tty);
}
