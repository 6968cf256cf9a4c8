/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/ctl/event_record.h"
#include "agent/ctl/timespec.h"

/* 2026-11-21 08:30:15 in Tokyo */
#define THEN (UINT64_C(1795217415) * USEC_PER_SEC)

static void tokyo(void) {
        setenv("TZ", "Asia/Tokyo", 1);
        tzset();
        setlocale(LC_CTYPE, "C.UTF-8");
}

/* A denial as the guard writes it; what comes after it in LATER (up to NULL) is added first, and so counts.
 */
static EventRecord denial(const char *const *changed) {
        static const char *const fields[] = {
                "_TRANSPORT=journal",
                "_UID=0",
                "_COMM=sekishod",
                "_EXE=/usr/sbin/sekishod",
                "MESSAGE_ID=6601ec7f17b44a1a88fb7cb3bb75a96e",
                "MESSAGE=Write denied: /media/stick/名簿.csv",
                "PRIORITY=4",
                "_CMDLINE=sekishod",
                "SEKISHO_EVENT=write-denied",
                "SEKISHO_VERDICT=deny",
                "SEKISHO_RULE=課税課 暗号化USB 01",
                "SEKISHO_REASON=outside-hours",
                "SEKISHO_OPERATION=open-write",
                "SEKISHO_PATH=/media/stick/名簿.csv",
                "SEKISHO_EXE=/usr/bin/cp",
                "SEKISHO_PID=4711",
                "SEKISHO_UID=0",
                "SEKISHO_LOGINUID=1001",
                "SEKISHO_DEVICE=sdb",
                "SEKISHO_DEVICE_BUS=usb",
                "SEKISHO_DEVICE_VENDOR=0951",
                "SEKISHO_DEVICE_PRODUCT=1666",
                "SEKISHO_DEVICE_SERIAL=E0D55EA574",
                "SEKISHO_POLICY_SERIAL=2026112101",
                "SEKISHO_COUNT=3",
        };
        EventRecord record = {.realtime = THEN};

        for (; changed && *changed; changed++)
                cr_assert_eq(event_record_add(&record, *changed, strlen(*changed)), 0);
        for (size_t i = 0; i < ELEMENTS(fields); i++)
                cr_assert_eq(event_record_add(&record, fields[i], strlen(fields[i])), 0);
        return record;
}

#define CHANGED(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool trusted(const char *const *changed) {
        CLEANUP_EVENT_RECORD EventRecord record = denial(changed);

        return event_record_is_trusted(&record);
}

Test(event_record, of_the_guard_is_trusted) {
        cr_expect(trusted(NULL));
        cr_expect(trusted(CHANGED("_COMM=sekisho-keeper")), "the keeper is the same program");
        cr_expect(trusted(CHANGED("_COMM=sekisho-keeper", "_EXE=/usr/sbin/sekishod (deleted)")));
        cr_expect(trusted(CHANGED("_EXE=")), "it ended before the journal could look");
}

Test(event_record, of_anybody_else_is_not_trusted) {
        cr_expect_not(trusted(CHANGED("_UID=1001")), "logger --journald");
        cr_expect_not(trusted(CHANGED("_UID=1001", "_COMM=sekishod", "_EXE=/home/sato/sekishod")));
        cr_expect_not(trusted(CHANGED("_COMM=logger", "_EXE=/usr/bin/logger")));
        cr_expect_not(trusted(CHANGED("_COMM=x", "_EXE=/usr/sbin/not-sekishod")));
        cr_expect_not(trusted(CHANGED("_COMM=x", "_EXE=/usr/sbin/sekishod/x")));
        cr_expect_not(trusted(CHANGED("_TRANSPORT=syslog")));
        cr_expect_not(trusted(CHANGED("_UID=00")));
        cr_expect_not(trusted(CHANGED("MESSAGE_ID=8d686bcc5ffb491b99dc76f860125a54")));
        cr_expect_not(trusted(CHANGED("SEKISHO_EVENT=none", "MESSAGE_ID=00000000000000000000000000000000")));
        cr_expect_not(trusted(CHANGED("SEKISHO_EVENT=write-allowed")));
}

static bool matches(EventFilter filter, const char *const *changed) {
        CLEANUP_EVENT_RECORD EventRecord record = denial(changed);

        filter.any_kind = filter.any_kind || !filter.by_kind[EVENT_READ_DENIED];
        filter.until = filter.until ? filter.until : UINT64_MAX;
        return event_filter_matches(&filter, &record);
}

#define FILTER(...) ((EventFilter){__VA_ARGS__})

Test(event_filter, lets_through_what_was_asked_for) {
        cr_expect(matches(FILTER(0), NULL));
        cr_expect(matches(FILTER(.by_user = true, .uid = 1001), NULL), "by login");
        cr_expect(matches(FILTER(.by_user = true, .uid = 0), NULL), "by process");
        cr_expect_not(matches(FILTER(.by_user = true, .uid = 100), NULL));
        cr_expect(matches(FILTER(.device = "E0D55EA574"), NULL));
        cr_expect(matches(FILTER(.device = "sdb"), NULL));
        cr_expect(matches(FILTER(.device = "0951:1666"), NULL));
        cr_expect_not(matches(FILTER(.device = "0951"), NULL));
        cr_expect(matches(FILTER(.rule = "課税課 暗号化USB 01"), NULL));
        cr_expect_not(matches(FILTER(.rule = "課税課"), NULL));
        cr_expect_not(matches(FILTER(.by_kind = {[EVENT_READ_DENIED] = true}), NULL));
        cr_expect(matches(FILTER(.since = THEN, .until = THEN), NULL));
        cr_expect_not(matches(FILTER(.since = THEN + 1), NULL));
        cr_expect_not(matches(FILTER(.until = THEN - 1), NULL));
}

Test(event_filter, lets_through_by_destination) {
        static const struct {
                const char *to, *place;
                bool matches;
        } cases[] = {
                {"10.9.0.1", "10.9.0.1", true},          {"10.9.0.1", "10.9.0.0/16", true},
                {"10.9.0.1", "10.8.0.0/16", false},      {"::ffff:10.9.0.1", "10.9.0.0/16", true},
                {"fe80::1%eth0", "fe80::/10", true},     {"gw.example.jp", "GW.example.jp", true},
                {"gw.example.jp", "10.9.0.0/16", false}, {NULL, "10.9.0.0/16", false},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char field[64];
                const char *const changed[] = {cases[i].to ? field : NULL, NULL};

                snprintf(field, sizeof(field),
                         cases[i].to ? "SEKISHO_DESTINATION=%s" : "X=", cases[i].to ? cases[i].to : "");
                cr_expect_eq(matches(FILTER(.destination = cases[i].place), changed), cases[i].matches,
                             "%s in %s", field, cases[i].place);
        }
}

Test(event_filter, keeps_forged_records_out_unless_they_are_wanted) {
        const char *const *forged = CHANGED("_UID=1001", "_COMM=logger", "_EXE=/usr/bin/logger");

        cr_expect_not(matches(FILTER(0), forged));
        cr_expect(matches(FILTER(.untrusted = true), forged));
        cr_expect_not(matches(FILTER(.untrusted = true), CHANGED("SEKISHO_EVENT=unheard-of")));
}

Test(event_record, as_json_has_the_fields_under_their_own_names, .init = tokyo) {
        CLEANUP_EVENT_RECORD EventRecord record =
                denial(CHANGED("SEKISHO_TIME=never", "SEKISHO_CMDLINE=cp \xff"));
        CLEANUP_JSON struct json_object *json = event_record_json(&record);
        int64_t number = 0;

        cr_expect_str_eq(json_text(json, "time"), "2026-11-21T08:30:15.000000+09:00");
        cr_expect(json_number(json, "timestamp_us", &number) && number == (int64_t)THEN);
        cr_expect_str_eq(json_text(json, "message_id"), "6601ec7f17b44a1a88fb7cb3bb75a96e");
        cr_expect_str_eq(json_text(json, "message"), "Write denied: /media/stick/名簿.csv");
        cr_expect_str_eq(json_text(json, "event"), "write-denied");
        cr_expect_str_eq(json_text(json, "device_serial"), "E0D55EA574");
        cr_expect_str_eq(json_text(json, "path"), "/media/stick/名簿.csv");
        cr_expect_str_eq(json_text(json, "cmdline"), "cp \xef\xbf\xbd");
        cr_expect(json_number(json, "loginuid", &number) && number == 1001);
        cr_expect(json_number(json, "count", &number) && number == 3);
        cr_expect(json_is_true(json, "trusted"));
        cr_expect_not(json_object_object_get_ex(json, "priority", NULL));
        cr_expect_not(json_object_object_get_ex(json, "_uid", NULL));
}

Test(event_record, number_that_is_none_stays_text) {
        CLEANUP_EVENT_RECORD EventRecord record =
                denial(CHANGED("SEKISHO_COUNT=3x", "SEKISHO_PID=", "SEKISHO_UID=99999999999999999999"));
        CLEANUP_JSON struct json_object *json = event_record_json(&record);

        cr_expect_str_eq(json_text(json, "count"), "3x");
        cr_expect_str_eq(json_text(json, "pid"), "");
        cr_expect_str_eq(json_text(json, "uid"), "99999999999999999999");
}

static char *name(void *userdata, const char *uid) {
        (void)userdata;
        return strdup(strcmp(uid, "1001") == 0 ? "sato" : strcmp(uid, "0") == 0 ? "root" : uid);
}

Test(event_record, as_a_row_names_who_logged_in_and_what_was_tried, .init = tokyo) {
        CLEANUP_EVENT_RECORD EventRecord record = denial(NULL);
        CLEANUP_EVENT_ROW EventRow row = {0};

        cr_assert_eq(event_record_row(&record, name, NULL, &row), 0);
        cr_expect_str_eq(row.cells[EVENT_TIME], "2026-11-21 08:30:15");
        cr_expect_str_eq(row.cells[EVENT_KIND], "write-denied");
        cr_expect_str_eq(row.cells[EVENT_USER], "sato (root)");
        cr_expect_str_eq(row.cells[EVENT_WHAT], "cp: /media/stick/名簿.csv");
        cr_expect_str_eq(row.cells[EVENT_DEVICE], "0951:1666 E0D55EA574");
        cr_expect_str_eq(row.cells[EVENT_RULE], "課税課 暗号化USB 01");
        cr_expect_str_eq(row.cells[EVENT_COUNT], "3");
}

Test(event_record, as_a_row_says_what_was_not_refused_and_what_is_forged) {
        CLEANUP_EVENT_RECORD EventRecord watched = denial(CHANGED("SEKISHO_MODE=monitor"));
        CLEANUP_EVENT_RECORD EventRecord forged = denial(CHANGED("_UID=1001"));
        CLEANUP_EVENT_ROW EventRow first = {0}, second = {0};

        cr_assert_eq(event_record_row(&watched, name, NULL, &first), 0);
        cr_assert_eq(event_record_row(&forged, name, NULL, &second), 0);
        cr_expect_str_eq(first.cells[EVENT_KIND], "write-denied (only watched)");
        cr_expect_str_eq(second.cells[EVENT_KIND], "write-denied (NOT BY THE GUARD)");
}

Test(event_record, with_every_kind_of_event_has_a_row) {
        for (int kind = 1; kind < EVENT_KINDS; kind++) {
                CLEANUP_EVENT_RECORD EventRecord record = {.realtime = THEN};
                CLEANUP_EVENT_ROW EventRow row = {0};
                char field[128];

                snprintf(field, sizeof(field), "SEKISHO_EVENT=%s", event_to_string((EventKind)kind));
                cr_assert_eq(event_record_add(&record, field, strlen(field)), 0);
                cr_expect_eq(event_record_row(&record, name, NULL, &row), 0, "%s", field);
        }
}

Test(event_record, of_a_connection_says_where_it_was_to_go) {
        static const struct {
                const char *fields[4], *what;
        } cases[] = {
                {{"SEKISHO_DESTINATION=10.9.0.1", "SEKISHO_PORT=443"}, "curl → 10.9.0.1:443"},
                {{"SEKISHO_DESTINATION=fd00::1", "SEKISHO_PORT=443"}, "curl → [fd00::1]:443"},
                {{"SEKISHO_DESTINATION=10.9.0.1", "SEKISHO_PROTOCOL=icmp"}, "curl → 10.9.0.1 (icmp)"},
                {{"SEKISHO_OPERATION=packet-socket"}, "curl → packet-socket"},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_EVENT_RECORD EventRecord record = {.realtime = THEN};
                CLEANUP_EVENT_ROW EventRow row = {0};

                cr_assert_eq(event_record_add(&record, "SEKISHO_EVENT=connection-denied", 31), 0);
                cr_assert_eq(event_record_add(&record, "SEKISHO_EXE=/usr/bin/curl", 25), 0);
                for (size_t j = 0; cases[i].fields[j]; j++)
                        cr_assert_eq(
                                event_record_add(&record, cases[i].fields[j], strlen(cases[i].fields[j])),
                                0);
                cr_assert_eq(event_record_row(&record, name, NULL, &row), 0);
                cr_expect_str_eq(row.cells[EVENT_WHAT], cases[i].what);
        }
}

Test(event_record, takes_no_more_fields_than_it_can_hold) {
        CLEANUP_EVENT_RECORD EventRecord record = {0};
        char field[64];

        for (int i = 0; i < 2 * EVENT_FIELDS_MAX; i++) {
                snprintf(field, sizeof(field), "SEKISHO_X%d=%d", i, i);
                cr_assert_eq(event_record_add(&record, field, strlen(field)), 0);
        }
        cr_assert_eq(event_record_add(&record, "SEKISHO_NO_VALUE", 16), 0);
        cr_assert_eq(record.n, EVENT_FIELDS_MAX);
}
