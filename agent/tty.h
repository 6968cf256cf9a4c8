/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tty.h: from which terminal a process is run, and whether that is one of the machine itself. Source:
 * proc(5), tty_nr.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

enum {
        TTY_TEXT_MAX = 64
};

typedef struct TtyUser {
        uid_t uid, loginuid;    /* (uid_t) -1: nobody logged in */
        char tty[TTY_TEXT_MAX]; /* of its controlling terminal: "tty2", "pts"; "-" if it has none */
} TtyUser;

/* Whether NAME is a terminal of the machine itself: tty1, ttyS0, hvc0, console ... */
bool tty_is_local(const char *name);

/* NAME with whatever is no visible ASCII replaced, cut to what fits. */
void tty_set_name(char ret[static TTY_TEXT_MAX], const char *name);

/* The name of PID's controlling terminal as sysfs has it. 0, -ENOTTY without one, -errno. */
int tty_of_process(pid_t pid, char ret[static TTY_TEXT_MAX]);

/* Who runs PID, and from where; all of it of one process, which is still there. 0, -ESRCH, -errno. */
int tty_user_read(pid_t pid, TtyUser *ret);
