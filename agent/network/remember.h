/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * remember.h: the addresses of names in a file, so that the next agent has them before a resolver has
 * answered it. A line for each name: the name, and its addresses after a blank each.
 */
#pragma once

#include "agent/network/plan.h"

/* Replace PATH by what is known of NAMES. 0 or -errno. */
int remember_write(const char *path, const NetworkName *names, size_t n);

/* What is in PATH; RET is "" if there is no such file. 0; -errno; -EPERM if somebody else could have written
 * it. */
int remember_read(const char *path, char **ret);

/* The addresses of NAME in TEXT, of which there are at most MAX. How many: 0 if none is known; -EBADMSG. */
int remember_find(const char *text, const char *name, Address *addresses, size_t max);
