/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * denial.h: one denial as the bus tells it: whom it concerns, and what is said of it to whom. The last ones
 * are kept in memory. A device or interface that was refused as it came is told likewise, to who sits at the
 * terminal, and not kept. Pure.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "agent/report/record.h"

typedef struct Denial {
        Record *record;    /* owned */
        uint64_t realtime; /* when it was told, microseconds since the epoch */
        uid_t seat;        /* who sat at the terminal then, of a record for the seat; (uid_t) -1: nobody */
} Denial;

void denial_clear(Denial *denial);

/* Whether it is UID's own: done as UID, or by who logged in as UID; of a record for the seat, whether UID
 * sits there. */
bool denial_concerns(const Denial *denial, uid_t uid);

/* Keys as `sekishoctl events --json` has them. Where in the policy the rule stands is told only where WHOLE:
 * policy files are not for everybody. NULL if memory is short. */
struct json_object *denial_json(const Denial *denial, bool whole);

/* The same as an a{sv} behind what is in M already, with the policy's CONTACT (may be NULL). 0 or -errno. */
int denial_append(const Denial *denial, const char *contact, bool whole, sd_bus_message *m);

enum {
        RECENT_MAX = 256
};

/* The last denials, in order. */
typedef struct Recent {
        Denial items[RECENT_MAX];
        size_t head, n;
} Recent;

/* Ownership of what is in DENIAL passes; the oldest one goes when there is no room. */
void recent_add(Recent *recent, Denial denial);
void recent_clear(Recent *recent);

/* The last MAX of them, the oldest first: all of them, whole, or if not EVERYBODY those of UID. NULL if
 * memory is short. */
struct json_object *recent_json(const Recent *recent, size_t max, bool everybody, uid_t uid);
