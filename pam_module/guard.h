/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.h: asking the guard of this machine, org.sekisho.Guard1 on the system bus, and telling it. Only a
 * process of root's is taken for it: its name is followed to a connection, whose user the bus knows, and
 * from then on that connection is spoken to and no other. Every wait ends. Links nothing of the agent.
 */
#pragma once

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "policy/decide_mfa.h"
#include "policy/scope.h"

#define GUARD_NAME        "org.sekisho.Guard1"
#define GUARD_PATH        "/org/sekisho/Guard1"
#define GUARD_INTERFACE   "org.sekisho.Guard1"
#define GUARD_LOCKERS     "org.sekisho.Guard1.Lockers"
#define GUARD_LOGINS      "org.sekisho.Guard1.Logins" /* root's alone */
#define GUARD_RUN         "/run/sekisho"
#define GUARD_WAIT_USEC   UINT64_C(3000000)
#define GUARD_GLANCE_USEC UINT64_C(500000)   /* where nothing hangs on it */
#define GUARD_CHECK_USEC  UINT64_C(15000000) /* more, for a code: the store may be locked for 10 s */

typedef struct GuardLink {
        sd_bus *bus;
        char *owner; /* the guard's connection */
        uint64_t deadline;
} GuardLink;

/* Finds the guard within WAIT microseconds, which all calls share. 0; -ENOENT if there is no bus at all;
 * -ETIMEDOUT if nobody came by the name; -EPERM if who has it is not root; -errno. */
int guard_open(uint64_t wait, GuardLink *ret);
void guard_close(GuardLink *link);
#define CLEANUP_GUARD_LINK CLEANUP(guard_close)

/* A call of METHOD of INTERFACE to the guard, to be filled. 0 or -errno. */
int guard_new_call(GuardLink *link, const char *interface, const char *method, sd_bus_message **ret);
/* Sends it. 0 and the reply, or -errno, also for an error in place of a reply. RET may be NULL. */
int guard_call(GuardLink *link, sd_bus_message *call, sd_bus_message **ret);

static inline void scope_message_unref(sd_bus_message **message) {
        sd_bus_message_unref(*message);
}
#define CLEANUP_MESSAGE CLEANUP(scope_message_unref)

/* What the guard says of itself. Where there is no bus, as early on a console, the lock in RUNTIME counts
 * that the agent holds as long as it lives. PRESENCE_NONE for whatever cannot be found out within WAIT. */
Presence guard_presence(const char *runtime, uint64_t wait);

/* Whether a process holds an exclusive flock(2) on RUNTIME/lock, which is root's alone. Looks it up in LOCKS
 * (/proc/locks): to try the lock would keep an agent that starts just then from taking it. */
bool guard_lock_is_held(const char *runtime, const char *locks);
