/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdio.h>

#include "agent/report/fold.h"

static Record *denial(const char *path, const char *exe) {
        Record *record = record_new(EVENT_WRITE_DENIED);

        record->uid = 1000;
        record->operation = OPERATION_CREATE;
        record_set(record, TEXT_PATH, path);
        record_set(record, TEXT_EXE, exe);
        record_set(record, TEXT_RULE, "removable.default");
        return record;
}

/* Offers and frees what comes out; returns how many denials that stood for. */
static uint64_t offer(Fold *fold, Record *record, uint64_t now) {
        Record *second, *first = fold_offer(fold, record, now, &second);
        uint64_t count = (first ? first->count : 0) + (second ? second->count : 0);

        record_free(first);
        record_free(second);
        return count;
}

static uint64_t drain(Fold *fold, uint64_t now) {
        uint64_t count = 0;
        Record *record;

        while ((record = fold_take_due(fold, now))) {
                count += record->count;
                record_free(record);
        }
        return count;
}

Test(fold, first_goes_out_at_once_and_repeats_are_counted) {
        Fold *fold = fold_new();
        Record *record;

        cr_assert_eq(offer(fold, denial("/m/a", "/bin/cp"), 0), 1);
        for (int i = 0; i < 9; i++)
                cr_assert_eq(offer(fold, denial("/m/a", "/bin/cp"), 1), 0);
        cr_assert_null(fold_take_due(fold, FOLD_WINDOW_MIN_USEC - 1));
        record = fold_take_due(fold, FOLD_WINDOW_MIN_USEC);
        cr_assert_not_null(record);
        cr_assert_eq(record->count, 9);
        cr_assert_str_eq(record->text[TEXT_PATH], "/m/a");
        record_free(record);
        fold_free(fold);
}

Test(fold, other_person_program_path_or_operation_is_no_repeat) {
        Fold *fold = fold_new();
        Record *record;

        cr_assert_eq(offer(fold, denial("/m/a", "/bin/cp"), 0), 1);
        cr_assert_eq(offer(fold, denial("/m/b", "/bin/cp"), 0), 1);
        cr_assert_eq(offer(fold, denial("/m/a", "/bin/mv"), 0), 1);
        record = denial("/m/a", "/bin/cp");
        record->uid = 1001;
        cr_assert_eq(offer(fold, record, 0), 1);
        record = denial("/m/a", "/bin/cp");
        record->operation = OPERATION_TRUNCATE;
        cr_assert_eq(offer(fold, record, 0), 1);
        fold_free(fold);
}

Test(fold, window_doubles_while_repeats_keep_coming_and_ends_when_they_stop) {
        Fold *fold = fold_new();
        uint64_t now = 0;

        offer(fold, denial("/m/a", "/bin/cp"), now);
        for (uint64_t window = FOLD_WINDOW_MIN_USEC; window <= FOLD_WINDOW_MAX_USEC; window *= 2) {
                offer(fold, denial("/m/a", "/bin/cp"), now);
                cr_assert_eq(drain(fold, now + window - 1), 0);
                cr_assert_eq(drain(fold, now + window), 1);
                now += window;
        }
        cr_assert_eq(drain(fold, now + FOLD_WINDOW_MAX_USEC), 0);
        cr_assert_eq(fold_next_due(fold), UINT64_MAX);
        cr_assert_eq(offer(fold, denial("/m/a", "/bin/cp"), now), 1, "a new one goes out at once again");
        fold_free(fold);
}

Test(fold, flood_over_many_paths_becomes_few_records_and_loses_no_count) {
        Fold *fold = fold_new();
        uint64_t out = 0;
        size_t records = 0;

        for (int i = 0; i < 10000; i++) {
                char path[32];
                uint64_t count;

                snprintf(path, sizeof(path), "/m/%d", i);
                count = offer(fold, denial(path, "/bin/cp"), 5);
                records += count > 0;
                out += count;
        }
        cr_assert_eq(records, FOLD_PATHS);
        out += drain(fold, UINT64_MAX / 2);
        cr_assert_eq(out, 10000);
        fold_free(fold);
}

Test(fold, more_kinds_than_it_has_room_for_lose_no_count) {
        Fold *fold = fold_new();
        uint64_t out = 0;

        for (int i = 0; i < 3 * FOLD_ENTRIES; i++) {
                char exe[32];

                snprintf(exe, sizeof(exe), "/bin/%d", i);
                out += offer(fold, denial("/m/a", exe), (uint64_t)i);
                out += offer(fold, denial("/m/a", exe), (uint64_t)i);
        }
        out += drain(fold, UINT64_MAX / 2);
        cr_assert_eq(out, (size_t)6 * FOLD_ENTRIES);
        fold_free(fold);
}

static Record *refused_connection(const char *to, const char *port) {
        Record *record = record_new(EVENT_CONNECTION_DENIED);

        record->uid = 1000;
        record->operation = OPERATION_CONNECT;
        record_set(record, TEXT_EXE, "/usr/bin/curl");
        record_set(record, TEXT_DESTINATION, to);
        record_set(record, TEXT_PORT, port);
        record_set(record, TEXT_PROTOCOL, "tcp");
        return record;
}

Test(fold, another_destination_or_port_is_no_repeat) {
        Fold *fold = fold_new();
        Record *record;

        cr_expect_eq(offer(fold, refused_connection("10.9.0.1", "443"), 0), 1);
        cr_expect_eq(offer(fold, refused_connection("10.9.0.1", "80"), 0), 1);
        cr_expect_eq(offer(fold, refused_connection("10.9.0.2", "443"), 0), 1);
        cr_expect_eq(offer(fold, refused_connection("10.9.0.1", "443"), 1), 0);
        record = fold_take_due(fold, FOLD_WINDOW_MIN_USEC + 1);
        cr_assert_not_null(record);
        cr_expect_str_eq(record->text[TEXT_PORT], "443");
        cr_expect_str_eq(record->text[TEXT_DESTINATION], "10.9.0.1");
        record_free(record);
        fold_free(fold);
}

Test(fold, a_scan_of_many_destinations_is_counted_without_loss) {
        Fold *fold = fold_new();
        uint64_t told = 0;

        for (unsigned i = 0; i < 50000; i++) {
                char to[32];

                snprintf(to, sizeof(to), "10.9.%u.%u", i / 250, i % 250);
                told += offer(fold, refused_connection(to, "445"), i);
        }
        cr_expect_leq(told, UINT64_C(2) * FOLD_PATHS);
        cr_expect_eq(told + drain(fold, 60 * FOLD_WINDOW_MAX_USEC), 50000);
        fold_free(fold);
}
