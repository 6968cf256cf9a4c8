/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "policy/expiry.h"
#include "policy/object.h"
#include "policy/scope.h"

static time_t expiry_in(const char *zone, const char *text) {
        const char *why;
        time_t at = 0;

        setenv("TZ", zone, 1);
        tzset();
        cr_assert_eq(expiry_parse(text, &at, &why), 0, "%s: %s", text, why);
        return at;
}

Test(policy_expiry, of_a_date_is_the_end_of_that_local_day) {
        /* 2027-04-01 00:00 in Japan is 2027-03-31 15:00 UTC */
        cr_expect_eq(expiry_in("JST-9", "2027-03-31"), 1806505200);
        cr_expect_eq(expiry_in("UTC0", "2027-03-31"), 1806537600);
        cr_expect_eq(expiry_in("UTC0", "2027-12-31"), expiry_in("UTC0", "2028-01-01 00:00"));
        cr_expect_eq(expiry_in("UTC0", "2028-02-29"), expiry_in("UTC0", "2028-03-01 00:00"));
}

Test(policy_expiry, of_a_minute_is_the_second_it_begins) {
        cr_expect_eq(expiry_in("JST-9", "2027-03-31 17:15"), 1806480900);
        cr_expect_eq(expiry_in("UTC0", "2027-03-31 17:15"), 1806513300);
}

Test(policy_expiry, follows_the_clock_of_the_day_where_summer_time_changes) {
        /* 2027-03-28 has 23 hours in central Europe */
        const char *zone = "CET-1CEST,M3.5.0,M10.5.0/3";

        cr_expect_eq(expiry_in(zone, "2027-03-28") - expiry_in(zone, "2027-03-27"), (time_t)23 * 3600);
        cr_expect_eq(expiry_in(zone, "2027-10-31") - expiry_in(zone, "2027-10-30"), (time_t)25 * 3600);
}

Test(policy_expiry, refuses_dates_and_times_that_are_none) {
        static const struct {
                const char *text, *why;
        } cases[] = {
                {"", "expected YYYY"},
                {"2027-3-31", "expected YYYY"},
                {"2027/03/31", "expected YYYY"},
                {"31.03.2027", "expected YYYY"},
                {"2027-03-31T17:15", "expected YYYY"},
                {"2027-03-31 17:15:00", "expected YYYY"},
                {"2027-03-31 ", "expected YYYY"},
                {"2027-02-29", "there is no such date"},
                {"2027-02-30", "there is no such date"},
                {"2100-02-29", "there is no such date"},
                {"2027-04-31", "there is no such date"},
                {"2027-13-01", "there is no such date"},
                {"2027-00-10", "there is no such date"},
                {"2027-01-00", "there is no such date"},
                {"0000-01-01", "there is no such date"},
                {"1969-12-31", "there is no such date"},
                {"2027-03-31 24:00", "there is no such time"},
                {"2027-03-31 12:60", "there is no such time"},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                const char *why = "";
                time_t at = 4711;

                cr_expect_eq(expiry_parse(cases[i].text, &at, &why), -EINVAL, "%s", cases[i].text);
                cr_expect(strncmp(why, cases[i].why, strlen(cases[i].why)) == 0, "%s: %s", cases[i].text,
                          why);
                cr_expect_eq(at, 4711, "the result is touched by %s", cases[i].text);
        }
}

/* Through changes of the clocks, where hours are missing or there twice, and in a zone that has two changes
 * close together. */
Test(policy_expiry, is_what_mktime_says) {
        static const char *const zones[] = {"Asia/Tokyo",        "Europe/Berlin",       "America/St_Johns",
                                            "Africa/Casablanca", "Australia/Lord_Howe", "UTC0"};

        for (size_t i = 0; i < ELEMENTS(zones); i++)
                for (int hour = 0; hour < 2 * 365 * 24; hour++) {
                        struct tm wanted = {.tm_year = 126, .tm_mday = 1, .tm_min = 30, .tm_isdst = -1}, tm;
                        char text[sizeof("2026-01-01 00:30") + 16];

                        tm = (struct tm){.tm_year = 126, .tm_mday = 1, .tm_hour = hour, .tm_min = 30};
                        (void)timegm(&tm); /* only to have month, day and hour in their ranges */
                        wanted.tm_year = tm.tm_year;
                        wanted.tm_mon = tm.tm_mon;
                        wanted.tm_mday = tm.tm_mday;
                        wanted.tm_hour = tm.tm_hour;
                        (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
                        cr_assert_eq(expiry_in(zones[i], text), mktime(&wanted), "%s in %s", text, zones[i]);
                }
}

Test(policy_time, is_read_off_the_wall_clock_of_the_terminal) {
        PolicyTime time;

        setenv("TZ", "JST-9", 1);
        cr_assert_eq(policy_time_from_wall(1806480900, &time), 0); /* Wednesday 2027-03-31 17:15 in Japan */
        cr_expect_eq(time.weekday, 3);
        cr_expect_eq(time.minute, 17 * 60 + 15);
        cr_expect_eq(time.expiry_now, 1806480900);
        setenv("TZ", "UTC0", 1);
        cr_assert_eq(policy_time_from_wall(1806480900, &time), 0);
        cr_expect_eq(time.minute, 8 * 60 + 15);
}
