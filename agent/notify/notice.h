/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notice.h: a denial in the words of the person who met it: what was blocked, why, whom to ask. Pure but for
 * the locale. Whatever comes from file names, devices and the like is safe to show.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

/* What the guard said. Strings are owned, NULL where it said nothing. */
typedef struct Notice {
        char *event, *path, *mount, *device, *rule, *reason, *contact, *mode;
        char *destination, *port;
        char *interface, *vendor, *product, *serial;
        uint64_t count;
        uint64_t loginuid, seat; /* whom it concerns; UINT64_MAX: not said */
} Notice;

/* Takes in one text or number of the signal's details; what is not known here is passed over. 0 or -ENOMEM.
 */
int notice_set_text(Notice *notice, const char *name, const char *value);
void notice_set_number(Notice *notice, const char *name, uint64_t value);
void notice_clear(Notice *notice);

/* The heading. Static. */
const char *notice_summary(const Notice *notice);

/* Lines under it; TOTAL refusals are told of with this one. With MARKUP for a server that takes a body for
 * markup. A new string, NULL if memory is short. */
char *notice_body(const Notice *notice, uint64_t total, int markup);

/* All in one line for a terminal. A new string, NULL if memory is short. */
char *notice_line(const Notice *notice, uint64_t total);

#define CLEANUP_NOTICE CLEANUP(notice_clear)
