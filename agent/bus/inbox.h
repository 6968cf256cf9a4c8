/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inbox.h: denials on their way from the reporting thread to the event loop: a bounded queue, and a
 * descriptor that becomes readable. Who puts never waits; what does not fit is counted.
 */
#pragma once

#include "agent/bus/denial.h"

enum {
        INBOX_MAX = 256
};

typedef struct Inbox Inbox;

/* 0 or -errno. */
int inbox_new(Inbox **ret);
Inbox *inbox_free(Inbox *inbox); /* returns NULL */

/* Readable while something may be in it; read by inbox_take(). */
int inbox_fd(const Inbox *inbox);

/* Put a copy of RECORD in. From any thread. */
void inbox_put(Inbox *inbox, const Record *record);

/* Take the oldest one out. False if there is none. */
bool inbox_take(Inbox *inbox, Denial *ret);

/* How many denials were not handed over, for want of room or memory. */
uint64_t inbox_lost(Inbox *inbox);
