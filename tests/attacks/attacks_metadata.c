/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attacks_metadata.c: times, modes and owners: a nanosecond field alone holds 30 bits. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <utime.h>

#include "tests/attacks/attacks.h"

enum {
        SOME_OWNER = 123456,
        SOME_TIME = 987654321,
        SOME_NANOSECONDS = 123456789
};

static const struct timespec some_times[2] = {{SOME_TIME, SOME_NANOSECONDS}, {SOME_TIME, SOME_NANOSECONDS}};

static int attack_times(Attempt *a) {
        return sys(utimensat(AT_FDCWD, at(a, "file").s, some_times, 0));
}

static int attack_times_now(Attempt *a) {
        return sys(utimensat(AT_FDCWD, at(a, "file").s, NULL, 0));
}

static int attack_times_of_link(Attempt *a) {
        return sys(utimensat(AT_FDCWD, at(a, "link").s, some_times, AT_SYMLINK_NOFOLLOW));
}

static int attack_times_of_directory(Attempt *a) {
        return sys(utimensat(AT_FDCWD, at(a, "empty").s, some_times, 0));
}

static int attack_times_of_reader(Attempt *a) {
        CLEANUP_CLOSE int fd = open_read(a, "file");

        return fd < 0 ? fd : sys(futimens(fd, some_times));
}

static int attack_times_of_path(Attempt *a) {
        CLEANUP_CLOSE int fd = sys(open(at(a, "file").s, O_PATH | O_CLOEXEC));

        return fd < 0 ? fd : sys(utimensat(AT_FDCWD, proc_fd(fd).s, some_times, 0));
}

static int attack_utime(Attempt *a) {
        struct utimbuf times = {SOME_TIME, SOME_TIME};

        return sys(utime(at(a, "file").s, &times));
}

static int attack_utimes(Attempt *a) {
        struct timeval times[2] = {{SOME_TIME, 1}, {SOME_TIME, 1}};

        return sys(utimes(at(a, "file").s, times));
}

/* Setting the atime alone is no reading: it sets the ctime as well. */
static int attack_access_time(Attempt *a) {
        struct timespec times[2] = {{SOME_TIME, SOME_NANOSECONDS}, {0, UTIME_OMIT}};

        return sys(utimensat(AT_FDCWD, at(a, "file").s, times, 0));
}

static int attack_mode(Attempt *a) {
        return sys(chmod(at(a, "file").s, 0640));
}

static int attack_mode_of_directory(Attempt *a) {
        return sys(chmod(at(a, "empty").s, 01750));
}

static int attack_mode_of_reader(Attempt *a) {
        CLEANUP_CLOSE int fd = open_read(a, "file");

        return fd < 0 ? fd : sys(fchmod(fd, 0640));
}

static int attack_mode_of_path(Attempt *a) {
        CLEANUP_CLOSE int fd = sys(open(at(a, "file").s, O_PATH | O_CLOEXEC));

        return fd < 0 ? fd : sys(chmod(proc_fd(fd).s, 0640));
}

static int attack_mode_of_descriptor(Attempt *a) {
        enum {
                CALL_FCHMODAT2 = 452 /* Linux 6.6; the same number everywhere */
        };
        CLEANUP_CLOSE int fd = sys(open(at(a, "file").s, O_PATH | O_CLOEXEC));

        if (fd < 0)
                return fd;
        return unless_unknown(a, sys(syscall(CALL_FCHMODAT2, fd, "", 0640, AT_EMPTY_PATH)),
                              "this kernel has no fchmodat2");
}

static int attack_owner(Attempt *a) {
        return sys(chown(at(a, "file").s, SOME_OWNER, SOME_OWNER));
}

static int attack_owner_of_link(Attempt *a) {
        return sys(lchown(at(a, "link").s, SOME_OWNER, SOME_OWNER));
}

static int attack_owner_of_reader(Attempt *a) {
        CLEANUP_CLOSE int fd = open_read(a, "file");

        return fd < 0 ? fd : sys(fchown(fd, SOME_OWNER, SOME_OWNER));
}

static int attack_owner_of_path(Attempt *a) {
        CLEANUP_CLOSE int fd = sys(open(at(a, "file").s, O_PATH | O_CLOEXEC));

        return fd < 0 ? fd : sys(fchownat(fd, "", SOME_OWNER, SOME_OWNER, AT_EMPTY_PATH));
}

/* What an owner may do: give it to a group of his. The ctime tells that it was done. */
static int attack_group(Attempt *a) {
        return sys(chown(at(a, "file").s, (uid_t)-1, getegid()));
}

static const Attack list[] = {
        {"times", 0, NULL, attack_times},
        {"times-now", 0, NULL, attack_times_now},
        {"times-of-link", 0, NULL, attack_times_of_link},
        {"times-of-directory", 0, NULL, attack_times_of_directory},
        {"times-of-reader", 0, NULL, attack_times_of_reader},
        {"times-of-path", 0, NULL, attack_times_of_path},
        {"utime", 0, NULL, attack_utime},
        {"utimes", 0, NULL, attack_utimes},
        {"access-time", 0, NULL, attack_access_time},
        {"mode", 0, NULL, attack_mode},
        {"mode-of-directory", 0, NULL, attack_mode_of_directory},
        {"mode-of-reader", 0, NULL, attack_mode_of_reader},
        {"mode-of-path", 0, NULL, attack_mode_of_path},
        {"mode-of-descriptor", 0, NULL, attack_mode_of_descriptor},
        {"owner", NEEDS_ROOT, NULL, attack_owner},
        {"owner-of-link", NEEDS_ROOT, NULL, attack_owner_of_link},
        {"owner-of-reader", NEEDS_ROOT, NULL, attack_owner_of_reader},
        {"owner-of-path", NEEDS_ROOT, NULL, attack_owner_of_path},
        {"group", 0, NULL, attack_group},
};
ATTACK_TABLE(attacks_metadata, list);
