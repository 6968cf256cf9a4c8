/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attacks_names.c: names, which hold data as contents do. None of these opens a file. */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "tests/attacks/attacks.h"

static int attack_mkdir(Attempt *a) {
        return sys(mkdir(new_name(a).s, 0700));
}

static int attack_mkdirat(Attempt *a) {
        CLEANUP_CLOSE int directory = open_read(a, ".");

        return directory < 0 ? directory : sys(mkdirat(directory, a->marker, 0));
}

static int attack_symlink(Attempt *a) {
        return sys(symlink("file", new_name(a).s));
}

/* A target may be nearly four kilobytes, and need not exist. */
static int attack_symlink_target(Attempt *a) {
        char target[1000]; /* XFS takes no more than 1024, and it has to fit in a block of 1 KiB */

        fill_with_marker(a, target, sizeof target - 1);
        target[sizeof target - 1] = 0;
        return sys(symlink(target, at(a, "target").s));
}

static int attack_symlink_target_longest(Attempt *a) {
        char target[PATH_MAX];
        int r;

        fill_with_marker(a, target, sizeof target - 1);
        target[sizeof target - 1] = 0;
        r = sys(symlink(target, at(a, "target").s));
        return r == -ENAMETOOLONG ? impossible(a, "the file system has room for shorter targets only") : r;
}

static int attack_link(Attempt *a) {
        return sys(link(at(a, "file").s, new_name(a).s));
}

static int attack_link_through_proc(Attempt *a) {
        CLEANUP_CLOSE int fd = open_read(a, "file");

        return fd < 0 ? fd
                      : sys(linkat(AT_FDCWD, proc_fd(fd).s, AT_FDCWD, new_name(a).s, AT_SYMLINK_FOLLOW));
}

static int attack_link_descriptor(Attempt *a) {
        CLEANUP_CLOSE int fd = sys(open(at(a, "file").s, O_PATH | O_CLOEXEC));

        return fd < 0 ? fd : sys(linkat(fd, "", AT_FDCWD, new_name(a).s, AT_EMPTY_PATH));
}

static int attack_rename(Attempt *a) {
        return sys(rename(at(a, "file").s, new_name(a).s));
}

static int attack_rename_over(Attempt *a) {
        return sys(rename(at(a, "file").s, at(a, "other").s));
}

static int attack_rename_directory(Attempt *a) {
        return sys(rename(at(a, "empty").s, new_name(a).s));
}

static int attack_rename_into(Attempt *a) {
        return sys(rename(at(a, "file").s, at(a, "empty/file").s));
}

static int attack_rename_from_outside(Attempt *a) {
        CLEANUP_CLOSE int fd = marker_file(a, 100);
        int r = fd < 0 ? fd : sys(rename(beside(a, "marker").s, new_name(a).s));

        /* A tool would copy then. */
        return r == -EXDEV
                       ? smuggle(a, sys(open(new_name(a).s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)))
                       : r;
}

static int rename2(Attempt *a, const char *from, Path to, unsigned flags) {
        int r = sys(renameat2(AT_FDCWD, at(a, from).s, AT_FDCWD, to.s, flags));

        return r == -EINVAL ? impossible(a, "the file system has no such rename") : r;
}

static int attack_rename_exchange(Attempt *a) {
        return rename2(a, "file", at(a, "other"), RENAME_EXCHANGE);
}

static int attack_rename_no_replace(Attempt *a) {
        return rename2(a, "file", new_name(a), RENAME_NOREPLACE);
}

static int attack_rename_whiteout(Attempt *a) {
        return rename2(a, "file", new_name(a), RENAME_WHITEOUT);
}

static int attack_unlink(Attempt *a) {
        return sys(unlink(at(a, "file").s));
}

static int attack_unlink_link(Attempt *a) {
        return sys(unlinkat(AT_FDCWD, at(a, "link").s, 0));
}

static int attack_rmdir(Attempt *a) {
        return sys(rmdir(at(a, "empty").s));
}

static int attack_rmdir_unlinkat(Attempt *a) {
        return sys(unlinkat(AT_FDCWD, at(a, "empty").s, AT_REMOVEDIR));
}

static int attack_mknod_file(Attempt *a) {
        return sys(mknod(new_name(a).s, S_IFREG | 0600, 0));
}

static int attack_mknod_pipe(Attempt *a) {
        return sys(mknod(new_name(a).s, S_IFIFO | 0600, 0));
}

static int attack_mknod_socket(Attempt *a) {
        return sys(mknod(new_name(a).s, S_IFSOCK | 0600, 0));
}

/* The number of a node is data too: 32 bits. */
static int attack_mknod_character(Attempt *a) {
        return sys(mknod(new_name(a).s, S_IFCHR | 0600, makedev(1, 3)));
}

static int attack_mknod_block(Attempt *a) {
        return sys(mknod(new_name(a).s, S_IFBLK | 0600, makedev(7, 4711)));
}

/* 0:0 is overlayfs's word for "gone": anybody may make it. */
static int attack_mknod_whiteout(Attempt *a) {
        return sys(mknod(new_name(a).s, S_IFCHR, makedev(0, 0)));
}

static int attack_bind_socket(Attempt *a) {
        CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un address = {.sun_family = AF_UNIX};

        if (fd < 0 || chdir(at(a, ".").s) < 0)
                return -errno;
        memcpy(address.sun_path, a->marker, MARKER_LENGTH);
        return sys(bind(fd, (struct sockaddr *)&address, sizeof address));
}

/* Which of some files are there is data, bit by bit; so is what order they were made in. */
static int attack_bitmap_of_names(Attempt *a) {
        int r = sys(unlink(at(a, "other").s));

        return r < 0 ? r : sys(unlink(at(a, "twin").s));
}

static int attack_long_name(Attempt *a) {
        char name[256];

        fill_with_marker(a, name, sizeof name - 1);
        name[sizeof name - 1] = 0;
        return sys(mkdir(at(a, name).s, 0700));
}

static const Attack list[] = {
        {"mkdir", 0, NULL, attack_mkdir},
        {"mkdirat", 0, NULL, attack_mkdirat},
        {"long-name", 0, NULL, attack_long_name},
        {"symlink", 0, NULL, attack_symlink},
        {"symlink-target", 0, NULL, attack_symlink_target},
        {"symlink-target-longest", 0, NULL, attack_symlink_target_longest},
        {"link", 0, NULL, attack_link},
        {"link-through-proc", 0, NULL, attack_link_through_proc},
        {"link-descriptor", NEEDS_ROOT, NULL, attack_link_descriptor},
        {"rename", 0, NULL, attack_rename},
        {"rename-over", 0, NULL, attack_rename_over},
        {"rename-directory", 0, NULL, attack_rename_directory},
        {"rename-into", 0, NULL, attack_rename_into},
        {"rename-from-outside", 0, NULL, attack_rename_from_outside},
        {"rename-exchange", 0, NULL, attack_rename_exchange},
        {"rename-no-replace", 0, NULL, attack_rename_no_replace},
        {"rename-whiteout", 0, NULL, attack_rename_whiteout},
        {"unlink", 0, NULL, attack_unlink},
        {"unlink-link", 0, NULL, attack_unlink_link},
        {"rmdir", 0, NULL, attack_rmdir},
        {"rmdir-unlinkat", 0, NULL, attack_rmdir_unlinkat},
        {"bitmap-of-names", 0, NULL, attack_bitmap_of_names},
        {"mknod-file", 0, NULL, attack_mknod_file},
        {"mknod-pipe", 0, NULL, attack_mknod_pipe},
        {"mknod-socket", 0, NULL, attack_mknod_socket},
        {"mknod-character", NEEDS_ROOT, NULL, attack_mknod_character},
        {"mknod-block", NEEDS_ROOT, NULL, attack_mknod_block},
        {"mknod-whiteout", 0, NULL, attack_mknod_whiteout},
        {"bind-socket", 0, NULL, attack_bind_socket},
};
ATTACK_TABLE(attacks_names, list);
