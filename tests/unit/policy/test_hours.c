/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>

#include "policy/hours.h"
#include "policy/scope.h"

enum {
        SUN,
        MON,
        TUE,
        WED,
        THU,
        FRI,
        SAT
};

static Hours hours_of(const char *text) {
        Hours hours = {0};
        const char *why;

        cr_assert_eq(hours_parse(text, &hours, &why), 0, "%s: %s", text, why);
        return hours;
}

Test(policy_hours, covers_its_days_and_minutes_from_inclusive_to_exclusive) {
        static const struct {
                const char *text;
                int weekday, hour, minute;
                bool expected;
        } cases[] = {
                {"Mon-Fri 08:30-17:15", MON, 8, 29, false},   {"Mon-Fri 08:30-17:15", MON, 8, 30, true},
                {"Mon-Fri 08:30-17:15", FRI, 17, 14, true},   {"Mon-Fri 08:30-17:15", FRI, 17, 15, false},
                {"Mon-Fri 08:30-17:15", SAT, 12, 0, false},   {"Mon-Fri 08:30-17:15", SUN, 12, 0, false},
                {"Mon,Wed 09:00-12:00", WED, 9, 0, true},     {"Mon,Wed 09:00-12:00", TUE, 9, 0, false},
                {"Sat-Mon 09:00-12:00", SUN, 9, 0, true},     {"Sat-Mon 09:00-12:00", FRI, 9, 0, false},
                {"Mon,Thu-Sat 09:00-12:00", FRI, 9, 0, true}, {"08:30-17:15", SUN, 12, 0, true},
                {"00:00-24:00", SUN, 23, 59, true},           {"00:00-24:00", SUN, 0, 0, true},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Hours hours = hours_of(cases[i].text);

                cr_expect_eq(hours_cover(&hours, cases[i].weekday, cases[i].hour * 60 + cases[i].minute),
                             cases[i].expected, "%s on day %d at %02d:%02d", cases[i].text, cases[i].weekday,
                             cases[i].hour, cases[i].minute);
        }
}

Test(policy_hours, over_midnight_belong_to_the_day_they_start_on) {
        static const struct {
                const char *text;
                int weekday, hour;
                bool expected;
        } cases[] = {
                {"Fri 22:00-06:00", FRI, 21, false},   {"Fri 22:00-06:00", FRI, 22, true},
                {"Fri 22:00-06:00", SAT, 5, true},     {"Fri 22:00-06:00", SAT, 6, false},
                {"Fri 22:00-06:00", FRI, 5, false},    {"Fri 22:00-06:00", SAT, 22, false},
                {"Sat 22:00-06:00", SUN, 3, true},     {"Sun 22:00-00:00", SUN, 23, true},
                {"Sun 22:00-00:00", MON, 0, false},    {"22:00-06:00", WED, 2, true},
                {"Mon-Fri 22:00-06:00", SAT, 2, true}, {"Mon-Fri 22:00-06:00", MON, 2, false},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Hours hours = hours_of(cases[i].text);

                cr_expect_eq(hours_cover(&hours, cases[i].weekday, cases[i].hour * 60), cases[i].expected,
                             "%s on day %d at %d", cases[i].text, cases[i].weekday, cases[i].hour);
        }
}

Test(policy_hours, that_are_not_set_cover_everything_and_that_have_no_day_cover_nothing) {
        Hours unset = {0}, no_day = {.set = true, .from = 0, .to = 24 * 60};

        cr_expect(hours_cover(&unset, SUN, 0));
        cr_expect_not(hours_cover(&no_day, MON, 600));
}

Test(policy_hours, do_not_cover_a_time_that_cannot_be) {
        Hours hours = hours_of("00:00-24:00");

        cr_expect_not(hours_cover(&hours, 7, 0));
        cr_expect_not(hours_cover(&hours, -1, 0));
        cr_expect_not(hours_cover(&hours, 0, 1440));
        cr_expect_not(hours_cover(&hours, 0, -1));
}

Test(policy_hours, refuses_what_cannot_be_read_or_cannot_be) {
        static const struct {
                const char *text, *why;
        } cases[] = {
                {"", "expected days"},
                {"Mon", "expected days"},
                {"mon 08:00-09:00", "expected days"},
                {"Mon- 08:00-09:00", "expected days"},
                {"Mon, 08:00-09:00", "expected days"},
                {"Mon  08:00-09:00", "expected [DAYS ]"},
                {"Monday 08:00-09:00", "expected days"},
                {"Mon 8:00-09:00", "expected [DAYS ]"},
                {"Mon 08:00", "expected [DAYS ]"},
                {"Mon 08:00-09:00 ", "expected [DAYS ]"},
                {"08:00-09:00Z", "expected [DAYS ]"},
                {"08:60-09:00", "expected times"},
                {"08:00-24:01", "expected times"},
                {"24:00-08:00", "expected times"},
                {"25:00-26:00", "expected times"},
                {"08:00-08:00", "expected an end"},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Hours hours = {.from = 4711};
                const char *why = "";

                cr_expect_eq(hours_parse(cases[i].text, &hours, &why), -EINVAL, "%s", cases[i].text);
                cr_expect(why && strncmp(why, cases[i].why, strlen(cases[i].why)) == 0, "%s: %s",
                          cases[i].text, why);
                cr_expect_eq(hours.from, 4711, "the result is touched by %s", cases[i].text);
        }
}

Test(policy_hours, tell_in_how_many_minutes_they_begin_or_end) {
        static const struct {
                const char *text;
                int weekday, hour, minute, expected;
        } cases[] = {
                {"Mon-Fri 08:30-17:15", MON, 8, 0, 30},
                {"Mon-Fri 08:30-17:15", MON, 8, 30, 8 * 60 + 45},
                {"Mon-Fri 08:30-17:15", FRI, 17, 14, 1},
                {"Mon-Fri 08:30-17:15", FRI, 17, 15, 2 * 24 * 60 + 15 * 60 + 15}, /* Monday, 08:30 */
                {"Fri 22:00-06:00", SAT, 5, 59, 1},
                {"Sun 00:00-24:00", SAT, 23, 59, 1},
                {"00:00-24:00", WED, 12, 0, 0}, /* always */
        };
        Hours unset = {0};

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Hours hours = hours_of(cases[i].text);

                cr_expect_eq(
                        hours_next_change(&hours, cases[i].weekday, cases[i].hour * 60 + cases[i].minute),
                        cases[i].expected, "%s on day %d at %02d:%02d", cases[i].text, cases[i].weekday,
                        cases[i].hour, cases[i].minute);
        }
        cr_expect_eq(hours_next_change(&unset, MON, 0), 0);
}
