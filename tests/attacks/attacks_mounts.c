/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attacks_mounts.c: the volume mounted anew, or otherwise, by root. */
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/attacks/attacks.h"

static int remount(const Attempt *a, unsigned long flags) {
        return sys(mount(NULL, a->volume->mount, NULL, MS_REMOUNT | flags, NULL));
}

/* Where no guard has made the volume read-only, this does, so that there is something to undo. */
static int begin_read_only(const Attempt *a) {
        return a->volume->unguarded ? remount(a, MS_RDONLY) : 0;
}

static int attack_remount(Attempt *a) {
        int r = begin_read_only(a);

        if (r >= 0)
                r = remount(a, 0);
        return r < 0 ? r : write_file(a, "file");
}

static int attack_remount_in_namespace(Attempt *a) {
        int r = begin_read_only(a);

        if (r >= 0)
                r = sys(unshare(CLONE_NEWNS));
        if (r >= 0)
                r = sys(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        if (r >= 0)
                r = remount(a, 0);
        return r < 0 ? r : write_file(a, "file");
}

static int attack_reconfigure(Attempt *a) {
        CLEANUP_CLOSE int fd = -1;
        int r = begin_read_only(a);

        if (r < 0)
                return r;
        fd = sys(fspick(AT_FDCWD, a->volume->mount, FSPICK_CLOEXEC));
        if (fd < 0)
                return fd;
        if (fsconfig(fd, FSCONFIG_SET_FLAG, "rw", NULL, 0) < 0 ||
            fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
                return -errno;
        /* The superblock is one thing, the mount on it another. */
        r = remount(a, MS_BIND);
        return r < 0 ? r : write_file(a, "file");
}

/* The flags of the mount alone. */
static int attack_mount_attributes(Attempt *a) {
        struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY},
                          writable = {.attr_clr = MOUNT_ATTR_RDONLY};
        CLEANUP_CLOSE int tree = -1;

        tree = sys(open_tree(AT_FDCWD, a->volume->mount, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
        if (tree < 0)
                return tree;
        if ((a->volume->unguarded &&
             mount_setattr(tree, "", AT_EMPTY_PATH, &read_only, sizeof read_only) < 0) ||
            mount_setattr(tree, "", AT_EMPTY_PATH, &writable, sizeof writable) < 0)
                return -errno;
        Path path = {0};

        snprintf(path.s, sizeof path.s, PLANTED "/%s/file", a->attack->name);
        return smuggle(a, sys(openat(tree, path.s, O_WRONLY | O_CLOEXEC)));
}

/* What is mounted at "mnt" beside the volume is written to, and taken away. */
static int write_mounted(const Attempt *a) {
        char path[PATH_MAX];
        int r;

        snprintf(path, sizeof path, "%.200s/mnt/" PLANTED "/%s/file", a->scratch, a->attack->name);
        r = smuggle(a, sys(open(path, O_WRONLY | O_CLOEXEC)));
        if (umount2(beside(a, "mnt").s, 0) < 0 && umount2(beside(a, "mnt").s, MNT_DETACH) < 0)
                return -EBUSY;
        return r;
}

static int mount_beside(const Attempt *a, const char *source, const char *fstype, unsigned long flags) {
        if (mkdir(beside(a, "mnt").s, 0700) < 0 && errno != EEXIST)
                return -errno;
        return sys(mount(source, beside(a, "mnt").s, fstype, flags, NULL));
}

static int attack_second_mount(Attempt *a) {
        int r = mount_beside(a, a->volume->node, a->volume->fstype, 0);

        return r < 0 ? r : write_mounted(a);
}

static int attack_second_mount_in_namespace(Attempt *a) {
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno;
        return attack_second_mount(a);
}

/* The mount that the guard may know, hidden by another thing of its own name. */
static int attack_covered_mount(Attempt *a) {
        int r;

        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return -errno;
        r = mount_beside(a, a->volume->mount, NULL, MS_BIND);
        if (r >= 0)
                r = sys(mount("none", a->volume->mount, "tmpfs", 0, NULL));
        return r < 0 ? r : write_mounted(a);
}

static int attack_new_mount_api(Attempt *a) {
        CLEANUP_CLOSE int context = sys(fsopen(a->volume->fstype, FSOPEN_CLOEXEC)), tree = -1;
        char path[PATH_MAX];

        if (context < 0)
                return context;
        if (fsconfig(context, FSCONFIG_SET_STRING, "source", a->volume->node, 0) < 0 ||
            fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        tree = sys(fsmount(context, FSMOUNT_CLOEXEC, 0));
        if (tree < 0)
                return tree;
        /* It is mounted nowhere: no table has it. */
        snprintf(path, sizeof path, PLANTED "/%s/file", a->attack->name);
        return smuggle(a, sys(openat(tree, path, O_WRONLY | O_CLOEXEC)));
}

static int attack_bind(Attempt *a) {
        int r = mount_beside(a, a->volume->mount, NULL, MS_BIND);

        return r < 0 ? r : write_mounted(a);
}

static int attack_bind_remount(Attempt *a) {
        int r = mount_beside(a, a->volume->mount, NULL, MS_BIND);

        if (r >= 0)
                r = sys(mount(NULL, beside(a, "mnt").s, NULL, MS_REMOUNT | MS_BIND, NULL));
        return r < 0 ? r : write_mounted(a);
}

static int attack_bind_file(Attempt *a) {
        CLEANUP_CLOSE int fd = marker_file(a, 1);
        int r = fd < 0 ? fd : sys(mount(at(a, "file").s, beside(a, "marker").s, NULL, MS_BIND, NULL));

        if (r < 0)
                return r;
        r = smuggle(a, sys(open(beside(a, "marker").s, O_WRONLY | O_CLOEXEC)));
        return umount2(beside(a, "marker").s, MNT_DETACH) < 0 ? -errno : r;
}

static int attack_overlay(Attempt *a) {
        char options[3 * PATH_MAX];
        int r;

        snprintf(options, sizeof options, "lowerdir=%.200s,upperdir=%s,workdir=%s", a->scratch,
                 at(a, "empty").s, at(a, "work").s);
        if (mkdir(beside(a, "mnt").s, 0700) < 0)
                return -errno;
        r = sys(mount("none", beside(a, "mnt").s, "overlay", 0, options));
        if (r < 0)
                return r == -ENODEV ? impossible(a, "this kernel has no overlayfs") : r;
        snprintf(options, sizeof options, "%.200s/mnt/%s", a->scratch, a->marker);
        r = smuggle(a, sys(open(options, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
        return umount2(beside(a, "mnt").s, MNT_DETACH) < 0 ? -errno : r;
}

static int set_read_only(const char *node, int flag) {
        CLEANUP_CLOSE int fd = sys(open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC));

        return fd < 0 ? fd : sys(ioctl(fd, BLKROSET, &flag));
}

static int set_all_read_only(const Attempt *a, int flag) {
        int r = set_read_only(a->volume->disk, flag);

        return r < 0 ? r : set_read_only(a->volume->node, flag);
}

/* Root undoes what holds at the block layer, and then the mount. */
static int attack_release_and_remount(Attempt *a) {
        int r = begin_read_only(a);

        if (r >= 0 && a->volume->unguarded)
                r = set_all_read_only(a, 1);
        if (r >= 0)
                r = set_all_read_only(a, 0);
        if (r >= 0)
                r = remount(a, 0);
        return r < 0 ? r : write_file(a, "file");
}

static int attack_release_and_mkdir(Attempt *a) {
        int r = begin_read_only(a);

        if (r >= 0 && a->volume->unguarded)
                r = set_all_read_only(a, 1);
        if (r >= 0)
                r = set_all_read_only(a, 0);
        if (r >= 0)
                r = remount(a, 0);
        return r < 0 ? r : sys(mkdir(new_name(a).s, 0700));
}

/* Mounted by nobody now: a mount of one's own, straight for writing. */
static int attack_mount_anew(Attempt *a) {
        int r = mount_beside(a, a->volume->node, a->volume->fstype, 0);

        return r < 0 ? r : write_mounted(a);
}

static int attack_release_and_mount_anew(Attempt *a) {
        int r = a->volume->unguarded ? set_all_read_only(a, 1) : 0;

        if (r >= 0)
                r = set_all_read_only(a, 0);
        return r < 0 ? r : attack_mount_anew(a);
}

static const Attack list[] = {
        {"mount-attributes", NEEDS_ROOT, NULL, attack_mount_attributes},
        {"bind", NEEDS_ROOT, NULL, attack_bind},
        {"bind-remount", NEEDS_ROOT, NULL, attack_bind_remount},
        {"bind-file", NEEDS_ROOT, NULL, attack_bind_file},
        {"overlay", NEEDS_ROOT, NULL, attack_overlay},
        {"covered-mount", NEEDS_ROOT, NULL, attack_covered_mount},
        {"second-mount", NEEDS_ROOT, NULL, attack_second_mount},
        {"second-mount-in-namespace", NEEDS_ROOT, NULL, attack_second_mount_in_namespace},
        {"new-mount-api", NEEDS_ROOT, NULL, attack_new_mount_api},
        {"remount", NEEDS_ROOT, NULL, attack_remount},
        {"remount-in-namespace", NEEDS_ROOT, NULL, attack_remount_in_namespace},
        {"reconfigure", NEEDS_ROOT, NULL, attack_reconfigure},
        {"release-and-remount", NEEDS_ROOT | NEEDS_NODE, NULL, attack_release_and_remount},
        {"release-and-mkdir", NEEDS_ROOT | NEEDS_NODE, NULL, attack_release_and_mkdir},
        {"mount-anew", NEEDS_ROOT | NEEDS_NODE | NEEDS_UNMOUNTED, NULL, attack_mount_anew},
        {"release-and-mount-anew", NEEDS_ROOT | NEEDS_NODE | NEEDS_UNMOUNTED, NULL,
         attack_release_and_mount_anew},
};
ATTACK_TABLE(attacks_mounts, list);
