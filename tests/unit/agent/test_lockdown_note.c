/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The note of a lockdown: what is written is read again, what is doubtful is a lockdown. */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/lockdown.h"
#include "policy/scope.h"

static char directory[PATH_MAX], note[PATH_MAX];

static void set_up(void) {
        snprintf(directory, sizeof(directory), "/tmp/sekisho-lockdown-XXXXXX");
        cr_assert_not_null(mkdtemp(directory));
        snprintf(note, sizeof(note), "%.64s/lockdown", directory);
}

static void tear_down(void) {
        (void)unlink(note);
        (void)rmdir(directory);
}

TestSuite(lockdown_note, .init = set_up, .fini = tear_down);

static const Lockdown incident = {.since = 1800000000,
                                  .by = {.uid = 0, .loginuid = 1000, .tty = "tty2"},
                                  .reason = "情報持ち出しの疑い (incident 3)"};

Test(lockdown_note, is_read_as_it_was_written) {
        Lockdown found = {0};

        cr_assert_eq(lockdown_read(directory, &found), 0, "there is none");
        cr_assert_eq(lockdown_write(directory, &incident), 0);
        cr_assert_eq(lockdown_read(directory, &found), 1);
        cr_expect_eq(found.since, incident.since);
        cr_expect_eq(found.by.uid, 0);
        cr_expect_eq(found.by.loginuid, 1000);
        cr_expect_str_eq(found.by.tty, "tty2");
        cr_expect_str_eq(found.reason, incident.reason);
        cr_assert_eq(lockdown_drop(directory), 0);
        cr_expect_eq(lockdown_read(directory, &found), 0);
        cr_expect_eq(lockdown_drop(directory), 0, "also if there is none");
}

Test(lockdown_note, that_makes_no_sense_is_told_as_an_error) {
        static const char *const texts[] = {"",
                                            "\n",
                                            "1800000000",
                                            "1800000000 0 0 tty2\n",
                                            "x 0 0 tty2 why\n",
                                            "1800000000 0 0 tty2  \n",
                                            "1800000000 0 0 tty2 a\033[2Jb\n"};
        Lockdown found = {.since = 7};

        for (size_t i = 0; i < ELEMENTS(texts); i++) {
                cr_assert_eq(file_replace(note, texts[i], strlen(texts[i]), 0600), 0);
                cr_expect_lt(lockdown_read(directory, &found), 0, "%zu", i);
                cr_expect_eq(found.since, 7, "untouched");
        }
}

Test(lockdown_note, of_doubtful_mode_or_kind_is_told_as_an_error) {
        Lockdown found;

        cr_assert_eq(lockdown_write(directory, &incident), 0);
        cr_assert_eq(chmod(note, 0622), 0);
        cr_expect_eq(lockdown_read(directory, &found), -EPERM);
        cr_assert_eq(unlink(note), 0);
        cr_assert_eq(symlink("/nowhere", note), 0);
        cr_expect_eq(lockdown_read(directory, &found), -EPERM, "a link to nowhere is no absence");
        cr_assert_eq(unlink(note), 0);
        cr_assert_eq(mkdir(note, 0700), 0);
        cr_expect_eq(lockdown_read(directory, &found), -EPERM);
        cr_assert_eq(rmdir(note), 0);
}
