/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lockers.h: org.sekisho.Guard1.Lockers, by which a screen locker that runs as the person it has locked out
 * has a code checked: of that person's own account, whose uid the bus knows, and of no other. A thread
 * answers each call, since names, the store and the hashes of codes take their time; a few at once, and one
 * of each uid.
 */
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "agent/bus/request.h"
#include "agent/sessions.h"
#include "policy/model.h"

#define BUS_LOCKERS_NAME "org.sekisho.Guard1.Lockers"

enum {
        LOCKERS_AT_ONCE = 4
};

typedef struct BusLockersCallbacks {
        /* the policy in force, borrowed until the next turn of the loop */
        const Policy *(*policy)(void *userdata);
        /* the directory of enrolments, borrowed likewise */
        const char *(*store)(void *userdata);
        /* somebody has unlocked: as of BusLoginsCallbacks */
        int (*change)(void *userdata, const Session *by);
        void *userdata;
} BusLockersCallbacks;

typedef struct BusLockers BusLockers;

/* 0 or -errno. */
int bus_lockers_new(sd_event *event, int64_t priority, const BusLockersCallbacks *callbacks,
                    BusLockers **ret);

/* Calls that are being answered are left to the end of the process. Returns NULL. */
BusLockers *bus_lockers_free(BusLockers *lockers);

/* Serves on BUS at PATH until bus_lockers_down(). 0 or -errno. */
int bus_lockers_up(BusLockers *lockers, sd_bus *bus, const char *path);
void bus_lockers_down(BusLockers *lockers);
