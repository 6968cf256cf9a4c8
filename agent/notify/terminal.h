/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * terminal.h: a line on the text terminals where a person is logged in. Never waits for a terminal: one that
 * does not take it now does not get it.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Write LINE, safe for a terminal, to the terminals of UID's text sessions, as logind knows them. How many
 * took it. */
size_t terminals_tell(uid_t uid, const char *line);

/* The same for one terminal, "/dev/pts/3" or "tty2". It has to be a terminal that belongs to UID. 0 or
 * -errno. */
int terminal_tell(const char *name, uid_t uid, const char *line);
