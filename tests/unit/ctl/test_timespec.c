/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "agent/ctl/timespec.h"
#include "policy/scope.h"

/* Saturday 2026-11-21 08:30:15 in Tokyo */
#define NOW (UINT64_C(1795217415) * USEC_PER_SEC)

static void tokyo(void) {
        setenv("TZ", "Asia/Tokyo", 1);
        tzset();
}

static void show(uint64_t usec, char *buffer) {
        snprintf(buffer, TIMESPEC_TEXT_MAX, "%s", usec ? "" : "nothing");
        if (usec)
                (void)timespec_iso(usec, buffer);
}

typedef struct Case {
        const char *text, *start, *end;
} Case;

static const Case good[] = {
        {"now", "2026-11-21T08:30:15.000000+09:00", "2026-11-21T08:30:15.000000+09:00"},
        {"today", "2026-11-21T00:00:00.000000+09:00", "2026-11-21T23:59:59.999999+09:00"},
        {"yesterday", "2026-11-20T00:00:00.000000+09:00", "2026-11-20T23:59:59.999999+09:00"},
        {"2026-11-01", "2026-11-01T00:00:00.000000+09:00", "2026-11-01T23:59:59.999999+09:00"},
        {"2024-02-29", "2024-02-29T00:00:00.000000+09:00", "2024-02-29T23:59:59.999999+09:00"},
        {"2026-12-31", "2026-12-31T00:00:00.000000+09:00", "2026-12-31T23:59:59.999999+09:00"},
        {"2026-11-01 17:15", "2026-11-01T17:15:00.000000+09:00", "2026-11-01T17:15:00.000000+09:00"},
        {"2026-11-01T17:15:30", "2026-11-01T17:15:30.000000+09:00", "2026-11-01T17:15:30.000000+09:00"},
        {"07:00", "2026-11-21T07:00:00.000000+09:00", "2026-11-21T07:00:00.000000+09:00"},
        {"23:59:59", "2026-11-21T23:59:59.000000+09:00", "2026-11-21T23:59:59.000000+09:00"},
        {"-30s", "2026-11-21T08:29:45.000000+09:00", "2026-11-21T08:29:45.000000+09:00"},
        {"-30min", "2026-11-21T08:00:15.000000+09:00", "2026-11-21T08:00:15.000000+09:00"},
        {"-2h", "2026-11-21T06:30:15.000000+09:00", "2026-11-21T06:30:15.000000+09:00"},
        {"-3d", "2026-11-18T08:30:15.000000+09:00", "2026-11-18T08:30:15.000000+09:00"},
        {"-1w", "2026-11-14T08:30:15.000000+09:00", "2026-11-14T08:30:15.000000+09:00"},
};

Test(timespec, is_understood_as_people_mean_it, .init = tokyo) {
        for (size_t i = 0; i < ELEMENTS(good); i++) {
                char start[TIMESPEC_TEXT_MAX], end[TIMESPEC_TEXT_MAX];
                uint64_t usec = 0;
                const char *why;

                cr_assert_eq(timespec_parse(good[i].text, NOW, TIMESPEC_START, &usec, &why), 0, "%s",
                             good[i].text);
                show(usec, start);
                cr_assert_eq(timespec_parse(good[i].text, NOW, TIMESPEC_END, &usec, &why), 0, "%s",
                             good[i].text);
                show(usec, end);
                cr_expect_str_eq(start, good[i].start, "%s", good[i].text);
                cr_expect_str_eq(end, good[i].end, "%s", good[i].text);
        }
}

static const char *const bad[] = {
        "",
        " ",
        "-",
        "--2h",
        "-h",
        "-2",
        "-2y",
        "- 2h",
        "-+2h",
        "-2 h",
        "+2h",
        "tomorrow",
        "Now",
        "now ",
        "2026-11",
        "2026-11-31",
        "2026-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-11-00",
        "1969-12-31",
        "2026-1-1",
        "2026-11-21 ",
        "24:00",
        "08:60",
        "08:30:60",
        "8:30",
        "08:3",
        "08:30:",
        "08:30:1",
        "08:30 ",
        "2026-11-21  08:30",
        "2026-11-21T",
        "-99999999999999999999d",
        "-999999d",
        "課税課",
};

Test(timespec, is_refused_with_a_reason_and_nothing_is_changed, .init = tokyo) {
        for (size_t i = 0; i < ELEMENTS(bad); i++) {
                const char *why = NULL;
                uint64_t usec = 42;

                cr_expect_eq(timespec_parse(bad[i], NOW, TIMESPEC_START, &usec, &why), -EINVAL, "%s",
                             bad[i]);
                cr_expect_eq(usec, 42, "%s", bad[i]);
                cr_expect_not_null(why, "%s", bad[i]);
        }
}

Test(timespec, a_day_on_which_the_clock_is_changed_has_its_own_length) {
        uint64_t start = 0, end = 0;
        const char *why;

        setenv("TZ", "Europe/Berlin", 1);
        tzset();
        cr_assert_eq(timespec_parse("2026-10-25", NOW, TIMESPEC_START, &start, &why), 0);
        cr_assert_eq(timespec_parse("2026-10-25", NOW, TIMESPEC_END, &end, &why), 0);
        cr_assert_eq(end + 1 - start, UINT64_C(25) * 3600 * USEC_PER_SEC);
}

Test(timespec, is_shown_with_its_offset) {
        char buffer[TIMESPEC_TEXT_MAX];

        setenv("TZ", "America/St_Johns", 1);
        tzset();
        cr_assert_str_eq(timespec_iso(NOW + 7, buffer), "2026-11-20T20:00:15.000007-03:30");
        cr_assert_str_eq(timespec_for_person(NOW, buffer), "2026-11-20 20:00:15");
}

Test(timespec, what_no_calendar_holds_is_shown_as_such) {
        char buffer[TIMESPEC_TEXT_MAX];

        cr_assert_neq(*timespec_iso(UINT64_MAX, buffer), '\0');
        cr_assert_neq(*timespec_for_person(UINT64_MAX, buffer), '\0');
}
