/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The note of a maintenance: what is written is read again, what is doubtful lifts nothing. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/maintenance.h"
#include "policy/scope.h"

#define NOW    UINT64_C(5000000000)
#define MINUTE UINT64_C(60000000)

static char directory[PATH_MAX], note[PATH_MAX];

static void set_up(void) {
        snprintf(directory, sizeof(directory), "/tmp/sekisho-maintenance-XXXXXX");
        cr_assert_not_null(mkdtemp(directory));
        snprintf(note, sizeof(note), "%.64s/maintenance", directory);
}

static void tear_down(void) {
        (void)unlink(note);
        (void)rmdir(directory);
}

TestSuite(maintenance, .init = set_up, .fini = tear_down);

static const Maintenance half_an_hour = {.until = NOW + 30 * MINUTE,
                                         .by = {.uid = 0, .loginuid = 1000, .tty = "tty2"},
                                         .reason = "媒体ドライバの更新 (ticket 12)"};

Test(maintenance, is_read_as_it_was_written) {
        Maintenance found = {0};

        cr_assert_eq(maintenance_read(directory, NOW, &found), 0, "there is none");
        cr_assert_eq(maintenance_write(directory, &half_an_hour), 0);
        cr_assert_eq(maintenance_read(directory, NOW, &found), 1);
        cr_expect_eq(found.until, half_an_hour.until);
        cr_expect_eq(found.by.uid, 0);
        cr_expect_eq(found.by.loginuid, 1000);
        cr_expect_str_eq(found.by.tty, "tty2");
        cr_expect_str_eq(found.reason, half_an_hour.reason);
        cr_assert_eq(maintenance_drop(directory), 0);
        cr_expect_eq(maintenance_read(directory, NOW, &found), 0);
        cr_expect_eq(maintenance_drop(directory), 0, "also if there is none");
}

Test(maintenance, that_is_over_is_told_so_that_its_end_can_be_recorded) {
        Maintenance found = {0};

        cr_assert_eq(maintenance_write(directory, &half_an_hour), 0);
        cr_assert_eq(maintenance_read(directory, NOW + 31 * MINUTE, &found), 1);
        cr_expect_lt(found.until, NOW + 31 * MINUTE);
}

static void put(const char *text) {
        cr_assert_eq(file_replace(note, text, strlen(text), 0600), 0);
}

Test(maintenance, of_another_boot_is_none) {
        Maintenance found = {0};

        put("00000000-0000-4000-8000-000000000000 6800000000 0 0 tty2 x\n");
        cr_expect_eq(maintenance_read(directory, NOW, &found), 0);
        cr_expect_eq(found.until, 0);
}

Test(maintenance, longer_than_any_may_be_is_none) {
        Maintenance found = {0}, longest = half_an_hour, longer = half_an_hour;

        longest.until = NOW + MAINTENANCE_MINUTES_MAX * MINUTE;
        longer.until = longest.until + 1;
        cr_assert_eq(maintenance_write(directory, &longest), 0);
        cr_expect_eq(maintenance_read(directory, NOW, &found), 1);
        cr_assert_eq(maintenance_write(directory, &longer), 0);
        cr_expect_eq(maintenance_read(directory, NOW, &found), -EBADMSG);
}

Test(maintenance, that_somebody_else_could_have_written_is_none) {
        Maintenance found = {0};
        char elsewhere[PATH_MAX + 2];

        cr_assert_eq(maintenance_write(directory, &half_an_hour), 0);
        cr_assert_eq(chmod(note, 0622), 0);
        cr_expect_eq(maintenance_read(directory, NOW, &found), -EPERM);
        cr_assert_eq(chmod(note, 0600), 0);
        snprintf(elsewhere, sizeof(elsewhere), "%s2", note);
        cr_assert_eq(rename(note, elsewhere), 0);
        cr_assert_eq(symlink(elsewhere, note), 0);
        cr_expect_eq(maintenance_read(directory, NOW, &found), -EPERM);
        cr_assert_eq(unlink(elsewhere), 0);
}

Test(maintenance, that_makes_no_sense_is_none) {
        static const char *const texts[] = {"",
                                            "\n",
                                            "x\n",
                                            "b 5060000000 0 0 tty2\n",
                                            "b 5060000000 0 0 tty2 \n",
                                            "b soon 0 0 tty2 x\n",
                                            "b 5060000000 0 0 tty2 a\tb\n"};
        Maintenance found = {0};

        for (size_t i = 0; i < ELEMENTS(texts); i++) {
                put(texts[i]);
                cr_expect_eq(maintenance_read(directory, NOW, &found), -EBADMSG, "%s", texts[i]);
        }
        cr_expect_eq(found.until, 0);
}

Test(maintenance, reasons_are_one_line_of_visible_text) {
        char longest[MAINTENANCE_REASON_MAX + 2];

        memset(longest, 'x', sizeof(longest));
        longest[MAINTENANCE_REASON_MAX] = '\0';
        cr_expect(maintenance_reason_is_good(longest));
        longest[MAINTENANCE_REASON_MAX] = 'x';
        longest[MAINTENANCE_REASON_MAX + 1] = '\0';
        cr_expect_not(maintenance_reason_is_good(longest));
        cr_expect(maintenance_reason_is_good("更新"));
        cr_expect_not(maintenance_reason_is_good(""));
        cr_expect_not(maintenance_reason_is_good(" \u3000"));
        cr_expect_not(maintenance_reason_is_good("a\nb"));
        cr_expect_not(maintenance_reason_is_good("a\x1b[2J"));
        cr_expect_not(maintenance_reason_is_good("\xff"));
}
