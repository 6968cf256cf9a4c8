/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * logins.h: org.sekisho.Guard1.Logins, by which root's processes, pam_sekisho in login and its like, tell
 * who has logged in. Nobody else is listened to. Its calls wait by themselves, so that whoever floods the
 * guard with others does not keep a login from being told.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "agent/bus/request.h"
#include "agent/sessions.h"

#define BUS_LOGINS_NAME "org.sekisho.Guard1.Logins"

typedef struct BusLoginsCallbacks {
        /* a session begins, goes on with who unlocked it (its id may be ""), or is over: 0 or positive,
         * -ENOENT if it is not known, -errno */
        int (*open)(void *userdata, const Session *session);
        int (*change)(void *userdata, const Session *by);
        int (*close)(void *userdata, pid_t leader);
        void *userdata;
} BusLoginsCallbacks;

typedef struct BusLogins {
        BusLoginsCallbacks callbacks;
        Requests requests;
        sd_bus_slot *object;
} BusLogins;

/* Serves on BUS at PATH until bus_logins_down(). 0 or -errno. */
int bus_logins_up(BusLogins *logins, sd_bus *bus, const char *path);
void bus_logins_down(BusLogins *logins);
