/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The note that a medium is let go: it holds for that medium alone, and in doubt it does not. */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/note.h"
#include "policy/scope.h"

static dev_t disk;
static char directory[PATH_MAX], note[PATH_MAX];

static void set_up(void) {
        disk = makedev(8, 16);
        snprintf(directory, sizeof(directory), "/tmp/sekisho-note-XXXXXX");
        cr_assert_not_null(mkdtemp(directory));
        snprintf(note, sizeof(note), "%.64s/released/8:16", directory);
}

static void tear_down(void) {
        (void)unlink(note);
        *strrchr(note, '/') = '\0';
        (void)rmdir(note);
        (void)rmdir(directory);
}

TestSuite(note, .init = set_up, .fini = tear_down);

Test(note, holds_for_the_medium_it_names_and_no_other) {
        cr_assert_eq(note_holds(directory, NOTE_RELEASED, disk, 7), 0);
        cr_assert_eq(note_write(directory, NOTE_RELEASED, disk, 7), 0);
        cr_expect_eq(note_holds(directory, NOTE_RELEASED, disk, 7), 1);
        cr_expect_eq(note_holds(directory, NOTE_RELEASED, disk, 8), 0, "the next medium");
        cr_expect_eq(note_holds(directory, NOTE_RELEASED, disk, 70), 0, "a number that begins alike");
        cr_expect_eq(note_holds(directory, NOTE_RELEASED, makedev(8, 32), 7), 0, "another disk");
}

Test(note, is_replaced_and_dropped) {
        cr_assert_eq(note_drop(directory, NOTE_RELEASED, disk), 0, "none is there to drop");
        cr_assert_eq(note_write(directory, NOTE_RELEASED, disk, 7), 0);
        cr_assert_eq(note_write(directory, NOTE_RELEASED, disk, 8), 0);
        cr_expect_eq(note_holds(directory, NOTE_RELEASED, disk, 7), 0);
        cr_expect_eq(note_holds(directory, NOTE_RELEASED, disk, 8), 1);
        cr_assert_eq(note_drop(directory, NOTE_RELEASED, disk), 0);
        cr_expect_eq(note_holds(directory, NOTE_RELEASED, disk, 8), 0);
}

Test(note, never_holds_for_a_medium_without_a_number) {
        cr_assert_eq(note_write(directory, NOTE_RELEASED, disk, 0), 0);
        cr_expect_eq(note_holds(directory, NOTE_RELEASED, disk, 0), 0);
}

Test(note, is_doubted_where_somebody_else_could_have_written_it) {
        cr_assert_eq(note_write(directory, NOTE_RELEASED, disk, 7), 0);
        cr_assert_eq(chmod(note, 0622), 0);
        cr_expect_eq(note_holds(directory, NOTE_RELEASED, disk, 7), -EPERM);
        cr_assert_eq(chmod(note, 0600), 0);
        cr_expect_eq(note_holds(directory, NOTE_RELEASED, disk, 7), 1);
        if (geteuid() != 0)
                cr_skip_test("needs root");
        cr_assert_eq(chown(note, 65534, 65534), 0);
        cr_expect_eq(note_holds(directory, NOTE_RELEASED, disk, 7), -EPERM);
}

Test(note, is_doubted_where_it_is_a_link) {
        cr_assert_eq(note_write(directory, NOTE_RELEASED, disk, 7), 0);
        cr_assert_eq(unlink(note), 0);
        cr_assert_eq(symlink("/proc/self/comm", note), 0);
        cr_expect_eq(note_holds(directory, NOTE_RELEASED, disk, 7), -EPERM);
}

Test(note, with_something_else_in_it_does_not_hold) {
        static const char *const contents[] = {"",   "7 ",    " 7",
                                               "+7", "07",    "7\n\n",
                                               "7x", "seven", "7777777777777777777777777777777777777777"};

        for (size_t i = 0; i < ELEMENTS(contents); i++) {
                cr_assert_eq(note_write(directory, NOTE_RELEASED, disk, 7), 0);
                cr_assert_eq(file_replace(note, contents[i], strlen(contents[i]), 0600), 0);
                cr_expect_neq(note_holds(directory, NOTE_RELEASED, disk, 7), 1, "\"%s\"", contents[i]);
        }
}
