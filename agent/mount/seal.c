/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mount/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "policy/scope.h"

/* The shutdown call that ext4, xfs, f2fs and others share (fs/xfs/libxfs/xfs_fs.h XFS_IOC_GOINGDOWN,
 * fs/ext4/ext4.h EXT4_IOC_SHUTDOWN); no header for user space has it under a common name. */
#define IOC_SHUTDOWN         _IOR('X', 125, uint32_t)
#define SHUTDOWN_NO_LOGFLUSH 2U

/* glibc before 2.36 has no wrappers, and 2.36's clash with linux/mount.h */
static int sys_fspick(int fd, const char *path, unsigned flags) {
        return (int)syscall(SYS_fspick, fd, path, flags);
}

static int sys_fsconfig(int fd, unsigned command, const char *key, const void *value, int aux) {
        return (int)syscall(SYS_fsconfig, fd, command, key, value, aux);
}

static int reconfigure(int mount_fd, const char *flag) {
        CLEANUP_CLOSE int fs =
                sys_fspick(mount_fd, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH | FSPICK_NO_AUTOMOUNT);

        if (fs < 0)
                return -errno;
        if (sys_fsconfig(fs, FSCONFIG_SET_FLAG, flag, NULL, 0) < 0 ||
            sys_fsconfig(fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) < 0)
                return -errno;
        return 0;
}

int seal_read_only(int mount_fd) {
        return reconfigure(mount_fd, "ro");
}

int seal_lift(int mount_fd) {
        return reconfigure(mount_fd, "rw");
}

static int abort_fuse(dev_t devnum) {
        char path[64];

        /* Documentation/filesystems/fuse.rst: one directory per connection, named by the device's minor */
        snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/abort", minor(devnum));
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return write(fd, "1", 1) < 0 ? -errno : 0;
}

static int shut_down(int mount_fd) {
        uint32_t flags = SHUTDOWN_NO_LOGFLUSH;
        char path[64];

        snprintf(path, sizeof(path), "/proc/self/fd/%d", mount_fd);
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0)
                return -errno;
        return ioctl(fd, IOC_SHUTDOWN, &flags) < 0 ? -errno : 0;
}

int seal_shut_down(int mount_fd, dev_t devnum, const char *fstype) {
        return strncmp(fstype, "fuse", 4) == 0 ? abort_fuse(devnum) : shut_down(mount_fd);
}

SealResult seal(int mount_fd, dev_t devnum, const char *fstype) {
        if (seal_read_only(mount_fd) == 0)
                return SEAL_DONE;
        return seal_shut_down(mount_fd, devnum, fstype) == 0 ? SEAL_SHUT_DOWN : SEAL_FAILED;
}
