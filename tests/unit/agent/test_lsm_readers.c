/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the programs in the kernel know a file: its entries from the last to the first. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "agent/lsm/lsm.h"
#include "policy/scope.h"

Test(lsm_readers, a_path_is_its_entries_the_last_first) {
        static const char expected[LSM_PROGRAM_PATH] = "mount\0bin\0usr";
        struct lsm_program key;

        cr_assert_eq(lsm_program_key(makedev(8, 1), "/usr/bin/mount", &key), 0);
        cr_assert_eq(key.dev, 8 << 20 | 1);
        cr_assert_eq(memcmp(key.path, expected, sizeof(key.path)), 0);
}

Test(lsm_readers, nothing_is_left_of_a_longer_one) {
        struct lsm_program key, again;

        cr_assert_eq(lsm_program_key(1, "/a/very/long/way/to/something", &key), 0);
        cr_assert_eq(lsm_program_key(1, "/x", &key), 0);
        cr_assert_eq(lsm_program_key(1, "/x", &again), 0);
        cr_assert_eq(memcmp(&key, &again, sizeof(key)), 0);
}

Test(lsm_readers, what_the_kernel_could_not_tell_is_refused) {
        static const struct {
                const char *path;
                int expected;
        } cases[] = {
                {"", -EINVAL},
                {"/", -EINVAL},
                {"mount", -EINVAL},
                {"/usr//mount", -EINVAL},
                {"/usr/bin/", -EINVAL},
                {"/usr/bin/a-name-of-thirty-one-characters", -ENAMETOOLONG},
                {"/1/2/3/4/5/6/7/8/9/10/11/12", -ENAMETOOLONG},
                {"/1/2/3/4/5/6/7/8/9/10/11", 0},
                {"/of-thirty-one-characters-so-far", -ENAMETOOLONG}, /* so would a longer one look */
                {"/of-thirty-characters-and-no-mo", 0},
        };
        struct lsm_program key;

        for (size_t i = 0; i < ELEMENTS(cases); i++)
                cr_expect_eq(lsm_program_key(1, cases[i].path, &key), cases[i].expected, "%s",
                             cases[i].path);
}
