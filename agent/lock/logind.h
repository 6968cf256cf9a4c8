/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * logind.h: sessions as systemd-logind knows them: whether they are idle and locked, and having one locked
 * (org.freedesktop.login1(5)). Nothing waits: logind may not be there, hang, or come and go, and the bus
 * too. A session is followed by the process that began it, which logind knows even where the PAM module
 * that told of it came before pam_systemd. Decides nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

typedef struct Logind Logind;

typedef struct LogindHints {
        bool idle, locked;
        uint64_t idle_since; /* microseconds of CLOCK_BOOTTIME, while IDLE */
} LogindHints;

typedef struct LogindCallbacks {
        /* what logind says of a session that is followed; at first, and whenever something changes */
        void (*hints)(void *userdata, pid_t leader, const LogindHints *hints);
        /* the answer to logind_lock(): 0, -ENXIO if it has no such session (any more), -errno with the cause
         */
        void (*answered)(void *userdata, pid_t leader, int error, const char *why);
        /* logind has come, or come back */
        void (*came)(void *userdata);
        void *userdata;
} LogindCallbacks;

/* A connection of its own, at PRIORITY. Answers within WAIT microseconds or not at all. 0 or -ENOMEM. */
int logind_new(sd_event *event, int priority, uint64_t wait, const LogindCallbacks *callbacks, Logind **ret);
Logind *logind_free(Logind *logind); /* without any callback; returns NULL */

/* Follows the session ID ("": whichever it is) that LEADER began. 0, -ENOMEM. */
int logind_follow(Logind *logind, pid_t leader, const char *id);
void logind_forget(Logind *logind, pid_t leader);

/* Has the session of LEADER locked: as soon as logind is there and knows it. answered() follows, or nothing
 * as long as it cannot be asked. */
void logind_lock(Logind *logind, pid_t leader);
/* Why that has had no answer yet, in English. */
const char *logind_why(const Logind *logind, pid_t leader);
