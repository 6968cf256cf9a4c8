/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock.h: how far the locking of one session has come, and when it is due. Pure: times are given, in
 * microseconds of CLOCK_BOOTTIME, and what has to be done is the answer. Every try ends, and there are only
 * so many; what no locker has confirmed counts as failed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "policy/event.h"

enum {
        LOCK_TRIES = 5
};
#define LOCK_ANSWER_USEC UINT64_C(5000000)  /* logind has to answer */
#define LOCK_LOCKER_USEC UINT64_C(10000000) /* then the session has to be locked, as logind sees it */
#define LOCK_WAIT_USEC   UINT64_C(1000000)  /* until the second try; doubled with each */

typedef enum LockStage {
        LOCK_RESTS,    /* nothing is to be locked */
        LOCK_ASKED,    /* logind has been asked */
        LOCK_EXPECTED, /* logind has passed it on */
        LOCK_FAILED,   /* is tried again */
        LOCK_GIVEN_UP, /* until somebody locks or unlocks it, or logind starts anew */
} LockStage;

typedef struct Lock {
        LockReason reason;
        LockStage stage;
        unsigned tries;
        uint64_t due; /* when lock_look() has to be called; 0: not for this */
        bool locked;  /* logind calls the session locked */
} Lock;

/* What is to be done now. */
typedef enum LockStep {
        LOCK_DO_NOTHING,
        LOCK_DO_ASK, /* and tell lock_answered() */
        LOCK_DO_TELL_LOCKED,
        LOCK_DO_TELL_FAILED,
} LockStep;

/* It is to be locked for REASON. What is under way goes on, for its first reason. */
LockStep lock_want(Lock *lock, LockReason reason, uint64_t now);
/* logind has answered: it did, or (false) it would not, or could not be asked. */
LockStep lock_answered(Lock *lock, bool ok, uint64_t now);
/* logind calls the session locked, or not any more. */
LockStep lock_hint(Lock *lock, bool locked);
/* Time has passed. */
LockStep lock_look(Lock *lock, uint64_t now);
/* logind has come, or come back. */
LockStep lock_again(Lock *lock, uint64_t now);
/* Somebody has proven who it is: nothing is to be locked any more. */
void lock_unlocked(Lock *lock);

/* Whether nobody is there, as the desktop says. */
typedef struct Idle {
        bool hinted;
        uint64_t since;
        bool handled; /* it has been locked for that, or was tried */
} Idle;

/* What logind says of it now. */
void idle_hint(Idle *idle, bool hinted, uint64_t since);
/* When it is to be locked, if it is after MINUTES (0: never); 0: not as things are. */
uint64_t idle_due(const Idle *idle, unsigned minutes);
