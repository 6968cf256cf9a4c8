/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/selftest/attempts.h"
#include "agent/selftest/evidence.h"
#include "agent/selftest/image.h"
#include "policy/scope.h"

#define NONE ATTEMPT_NONE

static Probed raw(int open, int write) {
        Attempts made = {.raw_open = open, .raw_write = write};
        const char *what;
        int why;

        return attempts_raw(&made, &what, &why);
}

Test(selftest, a_raw_write_has_to_be_refused_and_not_merely_to_fail) {
        cr_expect_eq(raw(EPERM, NONE), PROBED_PASSED);
        cr_expect_eq(raw(EACCES, NONE), PROBED_PASSED);
        cr_expect_eq(raw(0, EPERM), PROBED_PASSED);
        cr_expect_eq(raw(0, 0), PROBED_FAILED);
        cr_expect_eq(raw(0, EIO), PROBED_NOT);
        cr_expect_eq(raw(ENOENT, NONE), PROBED_NOT);
        cr_expect_eq(raw(NONE, NONE), PROBED_NOT);
}

Test(selftest, a_file_system_has_to_refuse_files_and_directories) {
        static const struct {
                Attempts made;
                Probed expected;
        } cases[] = {
                {{.space = EPERM}, PROBED_NOT},
                {{.mount_write = EACCES, .mount_read = ENODEV}, PROBED_NOT},
                {{.mount_write = EACCES, .mount_read = EPERM}, PROBED_NOT},
                {{.mount_write = EACCES, .make_write = EROFS, .create = EROFS, .make_directory = EROFS},
                 PROBED_PASSED},
                {{.mount_write = 0, .mount_read = NONE, .create = EPERM, .make_directory = EPERM},
                 PROBED_PASSED},
                {{.mount_write = 0, .mount_read = NONE, .create = 0, .make_directory = EPERM},
                 PROBED_FAILED},
                {{.mount_write = 0, .mount_read = NONE, .create = EPERM, .make_directory = 0},
                 PROBED_FAILED},
                {{.mount_write = EACCES, .create = NONE, .make_directory = NONE}, PROBED_NOT},
                {{.mount_write = EACCES, .create = ENOSPC, .make_directory = EROFS}, PROBED_NOT},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                const char *what = NULL;
                int why;

                cr_expect_eq(attempts_files(&cases[i].made, &what, &why), cases[i].expected, "case %zu", i);
                cr_expect_not_null(what);
        }
}

static Probed try_on(const char *path) {
        Attempts made = {.raw_open = NONE};
        const char *what;
        int why;

        attempts_make(path, "/nowhere", &made);
        return attempts_raw(&made, &what, &why);
}

/* In a child: the tries leave the mount namespace. */
static int try_in_child(const char *path) {
        pid_t child = fork();
        int status = 0;

        if (child == 0)
                _exit(try_on(path));
        cr_assert_eq(waitpid(child, &status, 0), child);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(selftest, what_can_be_written_to_has_failed) {
        char path[] = "/tmp/sekisho-selftest-XXXXXX";
        CLEANUP_CLOSE int fd = mkstemp(path);

        cr_assert_geq(fd, 0);
        cr_assert_eq(ftruncate(fd, SELFTEST_IMAGE_SIZE), 0);
        cr_expect_eq(try_in_child(path), PROBED_FAILED);
        cr_expect_eq(unlink(path), 0);
        cr_expect_eq(try_in_child(path), PROBED_NOT, "what is not there proves nothing");
}

Test(selftest, the_image_is_an_ext2_without_faults) {
        char path[] = "/tmp/sekisho-selftest-XXXXXX", command[128];
        CLEANUP_CLOSE int fd = mkstemp(path);
        CLEANUP_FREE uint8_t *image = malloc(SELFTEST_IMAGE_SIZE);
        int status;

        cr_assert(fd >= 0 && image);
        selftest_image(image);
        cr_assert_eq(write(fd, image, SELFTEST_IMAGE_SIZE), SELFTEST_IMAGE_SIZE);
        (void)snprintf(command, sizeof(command), "/sbin/e2fsck -fn %s >%s.log 2>&1", path, path);
        status = system(command); /* NOLINT(cert-env33-c) */
        (void)snprintf(command, sizeof(command), "cat %s.log >&2; rm -f %s %s.log", path, path, path);
        (void)!system(command); /* NOLINT(cert-env33-c) */
        cr_expect_eq(WEXITSTATUS(status), 0);
}

Test(selftest, a_mark_is_found_by_its_superblock) {
        static const char text[] = "pos:\t0\nflags:\t02\nfanotify flags:9 event-flags:8000\n"
                                   "fanotify sdev:71b58 mflags:0 mask:10000 ignored_mask:0\n"
                                   "fanotify sdev:700003 mflags:0 mask:10000 ignored_mask:0\n";

        cr_expect_eq(evidence_in_fdinfo(text, makedev(7, 3)), 1);
        cr_expect_eq(evidence_in_fdinfo(text, makedev(0, 0x71b58)), 1);
        cr_expect_eq(evidence_in_fdinfo(text, makedev(7, 4)), 0);
        cr_expect_eq(evidence_in_fdinfo("", makedev(7, 3)), 0);
        cr_expect_eq(evidence_in_fdinfo("fanotify ino:2 sdev:700004 mask:1\n", makedev(7, 4)), 0,
                     "an inode's mark is not the file system's");
        cr_expect_lt(evidence_of_mark(-1, makedev(7, 3)), 0);
}

Test(selftest, a_datagram_that_gets_out_has_failed) {
        int why = 0;

        cr_expect_eq(attempt_connection("127.0.0.1", 0, &why), PROBED_FAILED);
        cr_expect_eq(attempt_connection("not an address", 0, &why), PROBED_NOT);
        cr_expect_eq(why, EINVAL);
}
