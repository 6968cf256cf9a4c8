/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lock/lock.h"

#include <criterion/criterion.h>

enum {
        NOW = 1000
};

/* Where it has come to after LockSession was answered. */
static Lock asked_and_answered(bool ok) {
        Lock lock = {0};

        cr_assert_eq(lock_want(&lock, LOCK_TOKEN_REMOVED, NOW), LOCK_DO_ASK);
        cr_assert_eq(lock_answered(&lock, ok, NOW), ok ? LOCK_DO_NOTHING : LOCK_DO_TELL_FAILED);
        return lock;
}

Test(lock, is_told_when_logind_calls_the_session_locked_and_not_before) {
        Lock lock = asked_and_answered(true);

        cr_expect_eq(lock_hint(&lock, false), LOCK_DO_NOTHING);
        cr_expect_eq(lock_hint(&lock, true), LOCK_DO_TELL_LOCKED);
        cr_expect_eq(lock.reason, LOCK_TOKEN_REMOVED);
        cr_expect_eq(lock_hint(&lock, true), LOCK_DO_NOTHING, "it is told once");
        cr_expect_eq(lock_look(&lock, UINT64_MAX), LOCK_DO_NOTHING);
}

Test(lock, of_a_session_that_was_locked_already_is_asked_for_and_told) {
        Lock lock = {0};

        cr_expect_eq(lock_hint(&lock, true), LOCK_DO_NOTHING);
        cr_expect_eq(lock_want(&lock, LOCK_IDLE, NOW), LOCK_DO_ASK);
        cr_expect_eq(lock_answered(&lock, true, NOW), LOCK_DO_TELL_LOCKED);
}

Test(lock, that_comes_before_the_answer_is_told_with_it) {
        Lock lock = {0};

        cr_expect_eq(lock_want(&lock, LOCK_IDLE, NOW), LOCK_DO_ASK);
        cr_expect_eq(lock_hint(&lock, true), LOCK_DO_NOTHING);
        cr_expect_eq(lock_answered(&lock, true, NOW), LOCK_DO_TELL_LOCKED);
}

Test(lock, that_no_locker_confirms_has_failed) {
        Lock lock = asked_and_answered(true);

        cr_expect_eq(lock_look(&lock, NOW + LOCK_LOCKER_USEC - 1), LOCK_DO_NOTHING);
        cr_expect_eq(lock_look(&lock, NOW + LOCK_LOCKER_USEC), LOCK_DO_TELL_FAILED);
        cr_expect_eq(lock_hint(&lock, true), LOCK_DO_TELL_LOCKED, "late, but it is");
}

Test(lock, that_logind_does_not_answer_has_failed) {
        Lock lock = {0};

        cr_expect_eq(lock_want(&lock, LOCK_IDLE, NOW), LOCK_DO_ASK);
        cr_expect_eq(lock_look(&lock, NOW + LOCK_ANSWER_USEC), LOCK_DO_TELL_FAILED);
        cr_expect_eq(lock_answered(&lock, true, NOW), LOCK_DO_NOTHING, "nobody waits for that any more");
}

Test(lock, is_tried_so_many_times_and_each_wait_is_longer) {
        Lock lock = asked_and_answered(false);
        uint64_t now = NOW, waited = 0;

        for (int i = 1; i < LOCK_TRIES; i++) {
                cr_expect_gt(lock.due - now, waited);
                waited = lock.due - now;
                cr_expect_eq(lock_look(&lock, lock.due - 1), LOCK_DO_NOTHING);
                now = lock.due;
                cr_expect_eq(lock_look(&lock, now), LOCK_DO_ASK);
                cr_expect_eq(lock_answered(&lock, false, now), LOCK_DO_TELL_FAILED);
        }
        cr_expect_eq(lock.due, 0);
        cr_expect_eq(lock_look(&lock, UINT64_MAX), LOCK_DO_NOTHING, "it was given up");
        cr_expect_eq(lock_again(&lock, now), LOCK_DO_ASK, "until logind starts anew");
        cr_expect_eq(lock_answered(&lock, false, now), LOCK_DO_TELL_FAILED);
        cr_expect_neq(lock.due, 0, "with all its tries");
}

Test(lock, that_was_given_up_is_tried_for_another_reason) {
        Lock lock = {.stage = LOCK_GIVEN_UP, .reason = LOCK_IDLE, .tries = LOCK_TRIES};

        cr_expect_eq(lock_want(&lock, LOCK_TOKEN_REMOVED, NOW), LOCK_DO_ASK);
        cr_expect_eq(lock.reason, LOCK_TOKEN_REMOVED);
        cr_expect_eq(lock.tries, 1);
}

Test(lock, that_is_under_way_is_not_asked_for_twice) {
        Lock lock = asked_and_answered(true);

        cr_expect_eq(lock_want(&lock, LOCK_IDLE, NOW), LOCK_DO_NOTHING);
        cr_expect_eq(lock_again(&lock, NOW), LOCK_DO_NOTHING);
        cr_expect_eq(lock.reason, LOCK_TOKEN_REMOVED);
}

Test(lock, is_not_wanted_any_more_once_somebody_unlocked) {
        Lock lock = asked_and_answered(false);

        lock.locked = true;
        lock_unlocked(&lock);
        cr_expect_eq(lock_look(&lock, UINT64_MAX), LOCK_DO_NOTHING);
        cr_expect_eq(lock_again(&lock, NOW), LOCK_DO_NOTHING);
        cr_expect(lock.locked, "that is logind's to say");
}

Test(idle, is_due_by_the_policy_from_when_it_began) {
        Idle idle = {0};

        cr_expect_eq(idle_due(&idle, 5), 0);
        idle_hint(&idle, true, NOW);
        cr_expect_eq(idle_due(&idle, 0), 0);
        cr_expect_eq(idle_due(&idle, 5), NOW + 5 * UINT64_C(60000000));
        idle_hint(&idle, false, 0);
        cr_expect_eq(idle_due(&idle, 5), 0);
}

Test(idle, is_handled_once_until_somebody_was_there) {
        Idle idle = {0};

        idle_hint(&idle, true, NOW);
        idle.handled = true;
        idle_hint(&idle, true, NOW + 7);
        cr_expect_eq(idle_due(&idle, 5), 0);
        idle_hint(&idle, false, 0);
        idle_hint(&idle, true, NOW);
        cr_expect_neq(idle_due(&idle, 5), 0);
}
