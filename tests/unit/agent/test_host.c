/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/host.h"
#include "policy/scope.h"

static char root[] = "/tmp/sekisho-host.XXXXXX";

static void make_root(void) {
        cr_assert(mkdtemp(root));
        cr_assert_eq(chdir(root), 0);
        cr_assert_eq(mkdir("inside", 0700), 0);
        cr_assert_eq(symlink("inside", "link"), 0);
}

static void remove_root(void) {
        cr_assert_eq(unlink("link") | rmdir("inside"), 0);
        cr_assert_eq(rmdir(root), 0);
}

static bool is_inside(const char *path, int flags) {
        CLEANUP_CLOSE int fd = host_open_below(root, path, flags);
        struct stat found, inside;

        return fd >= 0 && fstat(fd, &found) == 0 && stat("inside", &inside) == 0 &&
               found.st_ino == inside.st_ino && found.st_dev == inside.st_dev;
}

Test(host, finds_an_absolute_path_below_that_root, .init = make_root, .fini = remove_root) {
        CLEANUP_CLOSE int fd = host_open_below(root, "/", O_PATH);
        struct stat found, expected;

        cr_expect(is_inside("/inside", O_PATH));
        cr_expect(is_inside("//inside", O_PATH));
        cr_expect(is_inside("/link", O_PATH));
        cr_expect_not(is_inside("/link", O_PATH | O_NOFOLLOW));
        cr_assert(fstat(fd, &found) == 0 && stat(root, &expected) == 0);
        cr_expect_eq(found.st_ino, expected.st_ino);
        cr_expect_eq(host_open_below(root, "/nowhere", O_PATH), -ENOENT);
        cr_expect_eq(host_open_below("/nonexistent", "/", O_PATH), -ENOENT);
}

Test(host, hands_out_descriptors_that_no_other_program_inherits) {
        CLEANUP_CLOSE int fd = host_open("/", O_PATH);

        cr_assert_geq(fd, 0);
        cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

Test(host, knows_that_a_directory_and_a_relative_path_are_no_block_device) {
        cr_expect_eq(host_block_device("/"), 0);
        cr_expect_eq(host_block_device("dev/null"), 0);
        cr_expect_eq(host_block_device("/nonexistent"), 0);
}

Test(host, has_its_own_table_for_that_of_the_machine_until_it_leaves_its_namespace) {
        CLEANUP_CLOSE int first = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);

        if (first < 0)
                cr_skip("the first process cannot be looked at");
        if (setns(first, CLONE_NEWNS) < 0 || unshare(CLONE_FS) < 0)
                cr_skip("may not change namespaces");
        cr_expect_not(host_is_elsewhere());
        cr_expect_str_eq(host_mountinfo(), "/proc/self/mountinfo");
        cr_assert_eq(unshare(CLONE_NEWNS), 0);
        cr_expect(host_is_elsewhere());
        cr_expect_str_eq(host_mountinfo(), "/proc/1/mountinfo");
        cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        cr_expect(host_can_be_seen());
        cr_assert_eq(mount("none", "/proc/1", "tmpfs", 0, NULL), 0);
        cr_expect_not(host_can_be_seen());
        cr_expect_not(host_is_elsewhere(), "what cannot be looked at is not elsewhere");
}
