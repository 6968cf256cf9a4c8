/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * granting.h: exceptions, for a person or a session, a medium and a time. Each is a permit in the book;
 * while it runs, the policy in force has a rule for it before its own. It ends by the earlier of the wall
 * clock and the boot-time clock, when its person logs out or gives way to another one, its medium is pulled,
 * a lockdown begins, the policy allows none any more, or the machine starts anew.
 */
#pragma once

#include <systemd/sd-event.h>
#include <systemd/sd-login.h>

#include "agent/bus/grants.h"
#include "agent/device/devices.h"
#include "agent/grants/book.h"
#include "agent/grants/holder.h"
#include "agent/grants/writes.h"
#include "agent/mount/superblocks.h"
#include "policy/with_grants.h"

typedef struct Agent Agent;

enum {
        BOOT_TEXT_MAX = 64
};

typedef struct Granting {
        Book book;
        int error;                /* why it could not be read; else 0 */
        bool is_short;            /* of memory to put in force what runs */
        char boot[BOOT_TEXT_MAX]; /* this one's id; "": not known, and nothing is granted */
        char terminal[64];        /* the machine's id */
        sd_event_source *again;   /* judges again at the next turn of the loop */
        bool unwritten;           /* the book on disk is not this one: what is over runs there ... */
        sd_event_source *retry;   /* ... which is tried anew */
        sd_login_monitor *logins; /* NULL: there is no logind, and pam_sekisho alone tells of sessions */
        sd_event_source *logins_changed;
        Writes *writes; /* NULL while nothing is granted, or it could not be made */
} Granting;

/* Read the book, once there is a policy and before anything is decided. What failed is told. */
void agent_load_grants(Agent *agent);
void agent_free_grants(Agent *agent);

/* End what is over, and put what runs before the rules of the policy in force. Returns the policy before,
 * which decisions refer to until all is judged again; NULL if it is the same. */
Policy *agent_refresh_grants(Agent *agent);

/* Sessions began or ended, or there is another person in one: what was for one that is gone ends for CAUSE.
 */
void agent_grants_sessions_changed(Agent *agent, const char *cause);
/* DEVICE is there, or was pulled. */
void agent_grants_plugged(Agent *agent, const DeviceIdentity *device);
void agent_grants_unplugged(Agent *agent, const DeviceIdentity *device);

/* SB was judged: have what is written to it told, or not any more. */
void agent_grants_follow(Agent *agent, const Superblock *sb);
void agent_grants_follow_all(Agent *agent);

BusGrantsCallbacks agent_grants_callbacks(Agent *agent);

/* granting.c, for granted.c: what is written of PERMIT in the journal; CAUSE may be NULL. */
void agent_tell_grant(Agent *agent, EventKind kind, const Permit *permit, const char *cause);
/* PERMIT is over, or never begins. Nothing is written or judged yet. */
void agent_end_permit(Agent *agent, Permit *permit, const char *cause);
/* Write the book. 0, or -errno, which was told; it is tried again until it is written. */
int agent_write_book(Agent *agent);

/* What runs, waits, or is not back yet, for the status. A new string of JSON; NULL if memory is short. */
char *agent_grants_text(const Agent *agent);

/* holders.c, for granting.c and granted.c. Follow what logind writes, where there is one. */
void agent_start_holders(Agent *agent);
void agent_stop_holders(Agent *agent);
/* The sessions of UID that are open. */
void agent_find_holders(Agent *agent, uid_t uid, HolderSessions *ret);
/* Puts into RULE the sessions in which PERMIT lets write. */
void agent_holders_allow(Agent *agent, const Permit *permit, GrantRule *rule);
/* End what runs for a session that is gone, for GONE. Whether something is other than before. */
bool agent_holders_follow(Agent *agent, const char *gone);
/* PERMIT begins: the media that are there. */
void agent_holders_note_media(Agent *agent, Permit *permit);
/* The agent starts: end what runs for a medium that was pulled meanwhile. Whether something was. */
bool agent_holders_end_pulled(Agent *agent);
