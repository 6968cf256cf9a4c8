/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/network/required.h"

static char directory[] = "/tmp/sekisho-test-required-XXXXXX";
static char path[64];

static void make(void) {
        cr_assert(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/network", directory);
}

static void drop(void) {
        unlink(path);
        rmdir(directory);
}

static void put(const char *text) {
        FILE *f = fopen(path, "w");

        fputs(text, f);
        fclose(f);
}

TestSuite(network_required, .init = make, .fini = drop);

Test(network_required, is_what_was_written_last_and_not_where_there_is_nothing) {
        cr_expect_eq(network_required_read(directory), 0);
        cr_assert_eq(network_required_write(directory, true), 0);
        cr_expect_eq(network_required_read(directory), 1);
        cr_assert_eq(network_required_write(directory, false), 0);
        cr_expect_eq(network_required_read(directory), 0);
}

Test(network_required, is_assumed_where_the_file_makes_no_sense) {
        static const char *const texts[] = {"", "of", "maybe\n",
                                            "a very long line that nobody has ever written here\n"};

        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
                put(texts[i]);
                cr_expect_eq(network_required_read(directory), 1, "'%s'", texts[i]);
        }
}
