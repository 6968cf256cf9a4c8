/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The queue between the reporting thread and the loop. */
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>

#include "agent/bus/inbox.h"

static Inbox *inbox;

static void setup(void) {
        cr_assert_eq(inbox_new(&inbox), 0);
}

static void teardown(void) {
        inbox_free(inbox);
}

TestSuite(inbox, .init = setup, .fini = teardown);

static bool is_readable(void) {
        struct pollfd fd = {.fd = inbox_fd(inbox), .events = POLLIN};

        return poll(&fd, 1, 0) == 1;
}

static void put(uint64_t count) {
        Record *record = record_new(EVENT_WRITE_DENIED);

        cr_assert_not_null(record);
        record->count = count;
        inbox_put(inbox, record);
        record_free(record);
}

/* 0 if there is nothing. */
static uint64_t take(void) {
        Denial denial;
        uint64_t count;

        if (!inbox_take(inbox, &denial))
                return 0;
        cr_expect_gt(denial.realtime, 0);
        count = denial.record->count;
        denial_clear(&denial);
        return count;
}

Test(inbox, gives_back_what_was_put_in_order) {
        cr_expect_not(is_readable());
        put(1);
        put(2);
        cr_expect(is_readable());
        cr_expect_eq(take(), 1);
        cr_expect_eq(take(), 2);
        cr_expect_eq(take(), 0);
        cr_expect_not(is_readable());
}

Test(inbox, counts_what_it_cannot_hold) {
        for (uint64_t i = 1; i <= INBOX_MAX; i++)
                put(i);
        put(7);
        put(3);
        cr_expect_eq(inbox_lost(inbox), 10);
        for (uint64_t i = 1; i <= INBOX_MAX; i++)
                cr_expect_eq(take(), i);
        cr_expect_eq(take(), 0);
        put(5);
        cr_expect_eq(take(), 5);
}

enum {
        PUT = 20000
};

static void *put_many(void *userdata) {
        for (int i = 0; i < PUT; i++)
                put(1);
        return userdata;
}

/* Whoever finds it not readable may wait: nothing is in it. */
Test(inbox, never_leaves_anything_in_it_unannounced, .timeout = 60) {
        uint64_t taken = 0;
        pthread_t thread;

        cr_assert_eq(pthread_create(&thread, NULL, put_many, NULL), 0);
        while (taken + inbox_lost(inbox) < PUT) {
                struct pollfd fd = {.fd = inbox_fd(inbox), .events = POLLIN};

                cr_assert_eq(poll(&fd, 1, 30000), 1);
                for (uint64_t count; (count = take()) > 0;)
                        taken += count;
        }
        pthread_join(thread, NULL);
        cr_expect_eq(taken + inbox_lost(inbox), PUT);
}
