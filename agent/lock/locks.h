/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * locks.h: the sessions at this machine that lock when what they were opened with is taken away, or when
 * nobody is there. Knows them by the process that began them. Asks systemd-logind, and tells what became of
 * it; enforces nothing else, and nothing else hangs on it. Runs on the agent's loop.
 */
#pragma once

#include <systemd/sd-event.h>

#include "agent/lock/lock.h"
#include "agent/sessions.h"

typedef struct Locks Locks;

typedef struct LocksCallbacks {
        /* it is locked: logind says so */
        void (*locked)(void *userdata, const Session *session, LockReason reason);
        /* it is not; WHY is English. Called for each try */
        void (*failed)(void *userdata, const Session *session, LockReason reason, const char *why);
        void *userdata;
} LocksCallbacks;

/* 0 or -ENOMEM. */
int locks_new(sd_event *event, const LocksCallbacks *callbacks, Locks **ret);
Locks *locks_free(Locks *locks); /* returns NULL */

/* What the policy asks for from now on. */
void locks_set_rules(Locks *locks, bool on_removal, unsigned idle_minutes);

/* SESSION has begun, or its person has just unlocked it. What it was opened with may be gone already: then
 * it locks. Sessions from elsewhere are let be. 0 or -errno. */
int locks_follow(Locks *locks, const Session *session);
/* Lock every session that is known here for REASON, and follow them all until nothing is asked of it any
 * more (LOCK_FOR_NOTHING). */
void locks_lock_all(Locks *locks, LockReason reason);
void locks_forget(Locks *locks, pid_t leader);
