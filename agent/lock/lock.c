/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lock/lock.h"

static LockStep ask(Lock *lock, uint64_t now) {
        lock->stage = LOCK_ASKED;
        lock->due = now + LOCK_ANSWER_USEC;
        lock->tries++;
        return LOCK_DO_ASK;
}

static LockStep done(Lock *lock) {
        lock->stage = LOCK_RESTS;
        lock->due = 0;
        return LOCK_DO_TELL_LOCKED;
}

static LockStep fail(Lock *lock, uint64_t now) {
        bool last = lock->tries >= LOCK_TRIES;

        lock->stage = last ? LOCK_GIVEN_UP : LOCK_FAILED;
        lock->due = last ? 0 : now + (LOCK_WAIT_USEC << (lock->tries - 1));
        return LOCK_DO_TELL_FAILED;
}

LockStep lock_want(Lock *lock, LockReason reason, uint64_t now) {
        if (lock->stage != LOCK_RESTS && lock->stage != LOCK_GIVEN_UP)
                return LOCK_DO_NOTHING;
        lock->reason = reason;
        lock->tries = 0;
        return ask(lock, now);
}

LockStep lock_answered(Lock *lock, bool ok, uint64_t now) {
        if (lock->stage != LOCK_ASKED)
                return LOCK_DO_NOTHING;
        if (!ok)
                return fail(lock, now);
        if (lock->locked)
                return done(lock);
        lock->stage = LOCK_EXPECTED;
        lock->due = now + LOCK_LOCKER_USEC;
        return LOCK_DO_NOTHING;
}

LockStep lock_hint(Lock *lock, bool locked) {
        lock->locked = locked;
        if (!locked || lock->stage == LOCK_RESTS || lock->stage == LOCK_ASKED)
                return LOCK_DO_NOTHING;
        return done(lock);
}

LockStep lock_look(Lock *lock, uint64_t now) {
        if (lock->due == 0 || now < lock->due)
                return LOCK_DO_NOTHING;
        return lock->stage == LOCK_FAILED ? ask(lock, now) : fail(lock, now);
}

LockStep lock_again(Lock *lock, uint64_t now) {
        if (lock->stage == LOCK_GIVEN_UP)
                lock->tries = 0;
        return lock->stage == LOCK_FAILED || lock->stage == LOCK_GIVEN_UP ? ask(lock, now) : LOCK_DO_NOTHING;
}

void lock_unlocked(Lock *lock) {
        *lock = (Lock){.locked = lock->locked};
}

void idle_hint(Idle *idle, bool hinted, uint64_t since) {
        if (!hinted || !idle->hinted)
                idle->handled = false;
        idle->hinted = hinted;
        idle->since = since;
}

uint64_t idle_due(const Idle *idle, unsigned minutes) {
        if (!idle->hinted || idle->handled || minutes == 0)
                return 0;
        return idle->since + (uint64_t)minutes * 60 * 1000000;
}
