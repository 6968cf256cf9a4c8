/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console.h: whether whoever runs this sits at the machine. It keeps an admin from doing from afar what is
 * meant for who is locked out, and says so in the record; it is no barrier to root, who can do as root
 * likes.
 */
#pragma once

#include <stdbool.h>

#include "agent/tty.h"

/* By the login session, if there is one: local, and with a seat or on a terminal of the machine. Without one
 * (emergency mode) by the controlling terminal. RET_TTY says where, also where it is not at the machine. */
bool console_is_here(char ret_tty[static TTY_TEXT_MAX]);
