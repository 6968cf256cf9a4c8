/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom a denial concerns, what is told of it, and which ones are kept. */
#include <criterion/criterion.h>
#include <string.h>

#include "agent/bus/denial.h"
#include "agent/ctl/json.h"

static Denial denial_of(uid_t uid, uid_t loginuid, uint64_t count) {
        Denial denial = {.record = record_new(EVENT_WRITE_DENIED), .realtime = 1795217415000000};

        cr_assert_not_null(denial.record);
        denial.record->uid = uid;
        denial.record->loginuid = loginuid;
        denial.record->count = count;
        denial.record->operation = OPERATION_OPEN_WRITE;
        record_set(denial.record, TEXT_PATH, "/media/stick/file");
        record_set(denial.record, TEXT_RULE, "stick");
        record_set(denial.record, TEXT_RULE_ORIGIN, "/etc/sekisho/policy.d/10.yaml:7");
        return denial;
}

static const uid_t nobody_known = (uid_t)-1;

Test(denial, concerns_who_did_it_and_who_logged_in) {
        const struct {
                uid_t uid, loginuid, asks;
                bool concerns;
        } cases[] = {{1000, 1000, 1000, true},
                     {0, 1000, 1000, true}, /* by sudo */
                     {1000, 1001, 1000, true},
                     {1000, 1001, 1001, true},
                     {1000, 1001, 1002, false},
                     {1000, nobody_known, 0, false},
                     {nobody_known, nobody_known, nobody_known, false}};

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Denial denial = denial_of(cases[i].uid, cases[i].loginuid, 1);

                cr_expect_eq(denial_concerns(&denial, cases[i].asks), cases[i].concerns, "case %zu", i);
                denial_clear(&denial);
        }
}

Test(denial, of_what_was_plugged_in_concerns_who_sits_there_and_nobody_else) {
        const struct {
                uid_t seat, asks;
                bool concerns;
        } cases[] = {{1000, 1000, true},
                     {1000, 1001, false},
                     {nobody_known, 1000, false},
                     {nobody_known, 0, false},
                     {nobody_known, nobody_known, false}};

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Denial denial = denial_of(nobody_known, nobody_known, 1);
                struct json_object *told;
                int64_t number = 0;

                denial.record->for_seat = true;
                denial.seat = cases[i].seat;
                cr_expect_eq(denial_concerns(&denial, cases[i].asks), cases[i].concerns, "case %zu", i);
                told = denial_json(&denial, false);
                cr_expect_eq(json_number(told, "seat_uid", &number), cases[i].seat != nobody_known);
                cr_expect_not(json_number(told, "uid", &number), "nobody is said to have done it");
                json_object_put(told);
                denial_clear(&denial);
        }
}

Test(denial, tells_where_the_rule_stands_only_as_a_whole) {
        Denial denial = denial_of(1000, nobody_known, 3);
        struct json_object *whole = denial_json(&denial, true), *own = denial_json(&denial, false);
        int64_t number = 0;

        cr_expect_str_eq(json_text(whole, "rule_origin"), "/etc/sekisho/policy.d/10.yaml:7");
        cr_expect_null(json_text(own, "rule_origin"));
        cr_expect_str_eq(json_text(own, "rule"), "stick");
        cr_expect_str_eq(json_text(own, "event"), "write-denied");
        cr_expect_str_eq(json_text(own, "operation"), "open-write");
        cr_expect(json_number(own, "count", &number) && number == 3);
        cr_expect(json_number(own, "uid", &number) && number == 1000);
        cr_expect(json_number(own, "timestamp_us", &number) && number == 1795217415000000);
        cr_expect_not(json_number(own, "loginuid", &number));
        json_object_put(whole);
        json_object_put(own);
        denial_clear(&denial);
}

static size_t kept(const Recent *recent, size_t max, bool everybody, uid_t uid, int64_t *ret_first) {
        struct json_object *list = recent_json(recent, max, everybody, uid);
        size_t n = json_object_array_length(list);

        if (n > 0)
                cr_assert(json_number(json_object_array_get_idx(list, 0), "count", ret_first));
        json_object_put(list);
        return n;
}

Test(recent, keeps_the_last_ones_in_order) {
        static Recent recent;
        int64_t first = 0;

        for (uint64_t i = 1; i <= RECENT_MAX + 10; i++)
                recent_add(&recent, denial_of(1000 + (uid_t)(i % 2), nobody_known, i));
        cr_expect_eq(kept(&recent, SIZE_MAX, true, 0, &first), (size_t)RECENT_MAX);
        cr_expect_eq(first, 11);
        cr_expect_eq(kept(&recent, 3, true, 0, &first), 3);
        cr_expect_eq(first, RECENT_MAX + 8);
        cr_expect_eq(kept(&recent, SIZE_MAX, false, 1000, &first), (size_t)RECENT_MAX / 2);
        cr_expect_eq(first, 12);
        cr_expect_eq(kept(&recent, 1, false, 1001, &first), 1);
        cr_expect_eq(first, RECENT_MAX + 9);
        cr_expect_eq(kept(&recent, SIZE_MAX, false, 1002, &first), 0);
        cr_expect_eq(kept(&recent, 0, true, 0, &first), 0);
        recent_clear(&recent);
        cr_expect_eq(kept(&recent, SIZE_MAX, true, 0, &first), 0);
}

Test(record, is_copied_whole) {
        Denial denial = denial_of(1000, 1001, 5);
        Record *copy = record_copy(denial.record);

        cr_assert_not_null(copy);
        cr_expect_eq(copy->count, 5);
        cr_expect_eq(copy->loginuid, 1001);
        cr_expect_str_eq(copy->text[TEXT_PATH], "/media/stick/file");
        cr_expect_neq(copy->text[TEXT_PATH], denial.record->text[TEXT_PATH]);
        cr_expect_null(copy->text[TEXT_EXE]);
        record_free(copy);
        denial_clear(&denial);
}
