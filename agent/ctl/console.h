/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console.h: whether whoever runs this sits at the machine. It keeps an admin from doing from afar what is
 * meant for who is locked out, and says so in the record; it is no barrier to root, who can do as root
 * likes.
 */
#pragma once

#include <stdbool.h>

enum {
        CONSOLE_NAME_MAX = 64
};

/* Whether NAME is a terminal of the machine itself: tty1, ttyS0, hvc0, console ... */
bool console_is_local(const char *name);

/* By the login session, if there is one: local, and with a seat or on such a terminal. Without one (rescue
 * mode) by the controlling terminal. RET_TTY says where, also where it is not at the machine. */
bool console_is_here(char ret_tty[static CONSOLE_NAME_MAX]);
