/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attacks_ioctl.c: what file systems let one set with ioctls, mostly through descriptors that only read. */
#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/attacks/attacks.h"

static const char NO_SUCH[] = "the file system has no such ioctl";

static bool is(const Attempt *a, const char *fstype) {
        return strcmp(a->volume->fstype, fstype) == 0;
}

static int change_flags(Attempt *a, const char *file) {
        CLEANUP_CLOSE int fd = open_read(a, file);
        unsigned flags;

        if (fd < 0)
                return fd;
        if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
                return unless_unknown(a, -errno, NO_SUCH);
        flags ^= FS_NODUMP_FL | FS_NOATIME_FL;
        return sys(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

static int attack_flags(Attempt *a) {
        return change_flags(a, "file");
}

static int attack_flags_of_directory(Attempt *a) {
        return change_flags(a, "empty");
}

static int attack_extended_flags(Attempt *a) {
        CLEANUP_CLOSE int fd = open_read(a, "file");
        struct fsxattr flags;

        if (fd < 0)
                return fd;
        if (ioctl(fd, FS_IOC_FSGETXATTR, &flags) < 0)
                return unless_unknown(a, -errno, NO_SUCH);
        flags.fsx_xflags ^= FS_XFLAG_NODUMP;
        return sys(ioctl(fd, FS_IOC_FSSETXATTR, &flags));
}

/* By path, without any descriptor. */
static int attack_file_setattr(Attempt *a) {
        enum {
                CALL_FILE_GETATTR = 468, /* Linux 6.17; the same numbers everywhere */
                CALL_FILE_SETATTR = 469
        };
        struct {
                uint64_t xflags;
                uint32_t extsize, nextents, projid, cowextsize;
        } attr = {0};
        Path path = at(a, "file");

        if (syscall(CALL_FILE_GETATTR, AT_FDCWD, path.s, &attr, sizeof attr, 0) < 0)
                return unless_unknown(a, -errno, "this kernel has no file_setattr");
        attr.xflags ^= FS_XFLAG_NODUMP;
        return sys(syscall(CALL_FILE_SETATTR, AT_FDCWD, path.s, &attr, sizeof attr, 0));
}

static int attack_generation(Attempt *a) {
        CLEANUP_CLOSE int fd = open_read(a, "file");
        int version = 47114711;

        if (fd < 0)
                return fd;
        if (!is(a, "ext4"))
                return impossible(a, "only ext4 lets one set generations");
        return unless_unknown(a, sys(ioctl(fd, FS_IOC_SETVERSION, &version)),
                              "ext4 refuses this where it has checksums");
}

static int attack_label(Attempt *a) {
        CLEANUP_CLOSE int fd = open_read(a, ".");
        char label[FSLABEL_MAX] = "";

        if (fd < 0)
                return fd;
        memcpy(label, a->marker, MARKER_KEY);
        return unless_unknown(a, sys(ioctl(fd, FS_IOC_SETFSLABEL, label)), NO_SUCH);
}

static int attack_uuid(Attempt *a) {
        CLEANUP_CLOSE int fd = open_read(a, ".");
        struct {
                uint32_t length, flags;
                uint8_t uuid[16];
        } id = {.length = 16};

        if (fd < 0)
                return fd;
        if (!is(a, "ext4"))
                return impossible(a, "only ext4 lets one set the UUID");
        memcpy(id.uuid, a->marker, sizeof id.uuid);
        return unless_unknown(a, sys(ioctl(fd, _IOW('f', 44, uint32_t[2]), &id)),
                              NO_SUCH); /* EXT4_IOC_SETFSUUID */
}

/* Which free blocks read as zeroes is data as well. */
static int attack_trim(Attempt *a) {
        CLEANUP_CLOSE int fd = open_read(a, ".");
        struct fstrim_range range = {.len = UINT64_MAX};

        if (fd < 0)
                return fd;
        if (ioctl(fd, FITRIM, &range) < 0)
                return unless_unknown(a, -errno, "the device cannot discard");
        return range.len > 0 ? 0 : -EROFS; /* it succeeds with nothing where the device refuses */
}

/* The content changes places with the boot loader's inode, where no path leads. */
static int attack_swap_boot(Attempt *a) {
        CLEANUP_CLOSE int fd = sys(open(at(a, "file").s, O_RDWR | O_CLOEXEC));

        if (!is(a, "ext4"))
                return impossible(a, "only ext4 has a boot loader's inode");
        return fd < 0 ? fd : sys(ioctl(fd, _IO('f', 17))); /* EXT4_IOC_SWAP_BOOT */
}

static int attack_subvolume(Attempt *a) {
        CLEANUP_CLOSE int fd = open_read(a, ".");
        struct btrfs_ioctl_vol_args args = {0};

        if (fd < 0)
                return fd;
        if (!is(a, "btrfs"))
                return impossible(a, "only btrfs has subvolumes");
        memcpy(args.name, a->marker, MARKER_LENGTH);
        return sys(ioctl(fd, BTRFS_IOC_SUBVOL_CREATE, &args));
}

static int attack_snapshot(Attempt *a) {
        CLEANUP_CLOSE int fd = open_read(a, "."), root = sys(open(a->volume->mount, O_RDONLY | O_CLOEXEC));
        struct btrfs_ioctl_vol_args_v2 args = {.fd = root};

        if (fd < 0 || root < 0)
                return fd < 0 ? fd : root;
        if (!is(a, "btrfs"))
                return impossible(a, "only btrfs has snapshots");
        memcpy(args.name, a->marker, MARKER_LENGTH);
        return sys(ioctl(fd, BTRFS_IOC_SNAP_CREATE_V2, &args));
}

static int attack_defragment(Attempt *a) {
        CLEANUP_CLOSE int fd = sys(open(at(a, "file").s, O_RDWR | O_CLOEXEC));
        struct btrfs_ioctl_defrag_range_args args = {.len = UINT64_MAX,
                                                     .flags = BTRFS_DEFRAG_RANGE_COMPRESS |
                                                              BTRFS_DEFRAG_RANGE_START_IO,
                                                     .compress_type = 1};

        if (!is(a, "btrfs"))
                return impossible(a, "only btrfs defragments by ioctl");
        return fd < 0 ? fd : sys(ioctl(fd, BTRFS_IOC_DEFRAG_RANGE, &args));
}

static int attack_received_subvolume(Attempt *a) {
        CLEANUP_CLOSE int root = sys(open(a->volume->mount, O_RDONLY | O_CLOEXEC));
        struct btrfs_ioctl_received_subvol_args args = {0};

        if (root < 0)
                return root;
        if (!is(a, "btrfs"))
                return impossible(a, "only btrfs has subvolumes");
        memcpy(args.uuid, a->marker, sizeof args.uuid);
        return sys(ioctl(root, BTRFS_IOC_SET_RECEIVED_SUBVOL, &args));
}

static const Attack list[] = {
        {"flags", 0, NULL, attack_flags},
        {"flags-of-directory", 0, NULL, attack_flags_of_directory},
        {"extended-flags", 0, NULL, attack_extended_flags},
        {"file-setattr", 0, NULL, attack_file_setattr},
        {"generation", 0, NULL, attack_generation},
        {"label", NEEDS_ROOT, NULL, attack_label},
        {"uuid", NEEDS_ROOT, NULL, attack_uuid},
        {"trim", NEEDS_ROOT | LEAVES_NO_TRACE | ERASES_TRACES, NULL, attack_trim},
        {"swap-boot", NEEDS_ROOT, NULL, attack_swap_boot},
        {"subvolume", 0, NULL, attack_subvolume},
        {"snapshot", NEEDS_ROOT, NULL, attack_snapshot},
        {"received-subvolume", NEEDS_ROOT, NULL, attack_received_subvolume},
        {"defragment", 0, NULL, attack_defragment},
};
ATTACK_TABLE(attacks_ioctl, list);
