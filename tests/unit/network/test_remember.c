/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of names over a restart of the agent. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/network/remember.h"
#include "policy/scope.h"

static Address address(const char *text) {
        return address_parse(text, strlen(text));
}

Test(remember, what_is_written_is_found_and_nobody_elses_is_read) {
        char directory[] = "/tmp/sekisho-test-remember-XXXXXX", path[64];
        const Address known[] = {address("10.1.2.3"), address("fd00::1")};
        const NetworkName names[] = {{.name = "gw.example.jp", .addresses = known, .n_addresses = 2},
                                     {.name = "gone.example.jp"}};
        CLEANUP_FREE char *none = NULL, *text = NULL, *doubtful = NULL;
        Address found[2];

        cr_assert_not_null(mkdtemp(directory));
        (void)snprintf(path, sizeof(path), "%s/names", directory);
        cr_expect_eq(remember_read(path, &none), 0);
        cr_expect_str_eq(none, "");
        cr_assert_eq(remember_write(path, names, 2), 0);
        cr_assert_eq(remember_read(path, &text), 0);
        memset(found, 0xff, sizeof(found));
        cr_expect_eq(remember_find(text, "GW.example.jp", found, 2), 2);
        cr_expect_arr_eq(found, known, sizeof(found));
        cr_expect_eq(remember_find(text, "gone.example.jp", found, 2), 0);
        cr_expect_eq(remember_find(text, "gw.example", found, 2), 0);
        cr_expect_eq(remember_find(text, "gw.example.jp", found, 1), -EBADMSG, "too many");
        cr_assert_eq(chmod(path, 0622), 0);
        cr_expect_eq(remember_read(path, &doubtful), -EPERM);
        (void)unlink(path);
        cr_expect_eq(rmdir(directory), 0);
}

Test(remember, what_is_broken_is_said) {
        static const char *const broken[] = {"a\n",
                                             "a \n",
                                             "a 10.0.0.1",
                                             "a nonsense\n",
                                             "a 10.0.0.1 \n",
                                             "a  10.0.0.1\n",
                                             "b 10.0.0.1\na 10.0.0.1/8x\n"};
        Address found[4];

        for (size_t i = 0; i < ELEMENTS(broken); i++)
                cr_expect_eq(remember_find(broken[i], "a", found, 4), -EBADMSG, "%s", broken[i]);
}
