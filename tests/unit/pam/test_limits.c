/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/limits.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <string.h>

static const MfaLimits limits = {.tries = 3, .wait = 30, .wait_max = 200};

static Failures failed(unsigned n) {
        return (Failures){.n = n, .wall = 1000000, .boottime = 500, .boot_id = "this-boot"};
}

static Moment moment(time_t wall, uint64_t boottime, const char *boot_id) {
        Moment now = {.wall = wall, .boottime = boottime};

        memcpy(now.boot_id, boot_id, strlen(boot_id) + 1);
        return now;
}

Test(limits, waits_grow_up_to_the_longest) {
        static const struct {
                unsigned failures, wait;
        } cases[] = {{0, 0}, {1, 0}, {2, 0}, {3, 30}, {4, 60}, {5, 120}, {6, 200}, {7, 200}, {INT_MAX, 200}};
        Moment now = moment(1000000, 500, "this-boot");

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Failures failures = failed(cases[i].failures);

                cr_expect_eq(limits_wait(&limits, &failures, false, &now), cases[i].wait, "%u",
                             cases[i].failures);
        }
}

Test(limits, go_by_the_clock_that_nobody_sets_while_the_machine_is_up) {
        static const struct {
                time_t wall;
                uint64_t boottime;
                const char *boot_id;
                unsigned wait;
        } cases[] = {
                {1000000, 520, "this-boot", 10},
                {1000000, 530, "this-boot", 0},
                {9000000, 510, "this-boot", 20}, /* set ahead: of no use */
                {1, 510, "this-boot", 20},
                {1000020, 5, "next-boot", 10},
                {1000030, 5, "next-boot", 0},
                {999999, 5, "next-boot", 30}, /* set back: no time has passed */
                {1000020, 520, "-", 10},
                {1000000, 499, "this-boot", 30},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Moment now = moment(cases[i].wall, cases[i].boottime, cases[i].boot_id);
                Failures failures = failed(3);

                cr_expect_eq(limits_wait(&limits, &failures, false, &now), cases[i].wait, "case %zu", i);
        }
}

Test(limits, wait_ends_also_where_the_clock_was_set_back) {
        Failures failures = failed(3);
        Moment now = moment(10, 7, "next-boot");

        cr_assert(limits_stamp_is_lost(&failures, &now));
        limits_stamp(&failures, &now);
        cr_expect_not(limits_stamp_is_lost(&failures, &now));
        cr_expect_eq(limits_wait(&limits, &failures, false, &now), 30);
        now.boottime = 37;
        cr_expect_eq(limits_wait(&limits, &failures, false, &now), 0);
}

Test(limits, nobody_keeps_the_account_for_emergencies_waiting) {
        Failures failures = failed(INT_MAX);
        Moment now = moment(1000000, 500, "this-boot");

        cr_expect_eq(limits_wait(&limits, &failures, true, &now), BREAK_GLASS_WAIT_MAX);
        limits_failed(&failures, &now);
        cr_expect_eq(failures.n, INT_MAX);
}

Test(limits, know_the_present_moment) {
        Moment now;

        cr_assert_eq(moment_now(&now), 0);
        cr_expect(now.wall > 1700000000 && now.boottime > 0);
        cr_expect(strlen(now.boot_id) == BOOT_ID_SIZE - 1 || strcmp(now.boot_id, "-") == 0);
}
