/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "agent/ctl/retention.h"
#include "policy/scope.h"

#define DAY UINT64_C(86400)
#define GIB (UINT64_C(1) << 30)

Test(retention, reads_what_limits_the_journal) {
        static const struct {
                const char *text;
                JournalLimits expected;
        } cases[] = {
                {"", {false, 0, 0}},
                {"[Journal]\n#MaxRetentionSec=1day\n;Storage=none\n", {false, 0, 0}},
                {"[Journal]\nStorage=volatile\n", {true, 0, 0}},
                {"Storage=none\nStorage=persistent\n", {false, 0, 0}},
                {" MaxRetentionSec = 90day \r\nSystemMaxUse=500M\n", {false, 90 * DAY, 500 << 20}},
                {"MaxRetentionSec=1year\n", {false, 31557600, 0}},
                {"MaxRetentionSec=4week 2d\n", {false, 30 * DAY, 0}},
                {"MaxRetentionSec=86400\nMaxRetentionSec=soon\n", {false, DAY, 0}},
                {"SystemMaxUse=4G\nSystemMaxUse=4X\n", {false, 0, 4 * GIB}},
                {"SystemMaxUse=99999999999E\n", {false, 0, 0}},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                JournalLimits limits = {.max_use = 0};

                journal_limits_take(&limits, cases[i].text);
                cr_expect_eq(limits.is_volatile, cases[i].expected.is_volatile, "%s", cases[i].text);
                cr_expect_eq(limits.max_retention, cases[i].expected.max_retention, "%s", cases[i].text);
                cr_expect_eq(limits.max_use, cases[i].expected.max_use, "%s", cases[i].text);
        }
}

Test(retention, says_what_falls_short) {
        static const struct {
                JournalLimits limits;
                uint64_t bytes, age, max_use;
                Retention expected;
                uint64_t days;
        } cases[] = {
                {{false, 0, 0}, GIB, 400 * DAY, 4 * GIB, RETENTION_ENOUGH, 0},
                {{true, 0, 0}, GIB, 400 * DAY, 4 * GIB, RETENTION_VOLATILE, 0},
                {{false, 90 * DAY, 0}, GIB, 400 * DAY, 4 * GIB, RETENTION_BY_TIME, 90},
                {{false, 366 * DAY, 0}, GIB, 100 * DAY, 4 * GIB, RETENTION_ENOUGH, 0},
                {{false, 0, 0}, GIB, 30 * DAY, 4 * GIB, RETENTION_BY_SIZE, 120},
                {{false, 0, 0}, GIB, 100 * DAY, 4 * GIB, RETENTION_ENOUGH, 0},
                {{false, 0, 0}, GIB, DAY / 2, 4 * GIB, RETENTION_ENOUGH, 0}, /* too young to go by */
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                uint64_t days = 0;

                cr_expect_eq(retention_judge(&cases[i].limits, 366, cases[i].bytes, cases[i].age,
                                             cases[i].max_use, &days),
                             cases[i].expected, "case %zu", i);
                if (cases[i].days > 0)
                        cr_expect_eq(days, cases[i].days, "case %zu", i);
        }
}
