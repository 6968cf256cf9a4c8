/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/device/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "agent/device/stack.h"
#include "agent/file.h"
#include "policy/scope.h"

DEFINE_CLEANUP(struct udev_device, udev_device_unref);

static int set_node(struct udev_device *dev, bool read_only) {
        const char *node = udev_device_get_devnode(dev);
        int flag = read_only;
        struct stat st;

        if (!node)
                return -ENODEV;
        CLEANUP_CLOSE int fd = open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
        if (fd <
            0) /* ENOMEDIUM cannot come of a non-blocking open; ENXIO is a loop device without its file */
                return errno == ENOENT || errno == ENXIO ? -ENODEV : -errno;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISBLK(st.st_mode) || st.st_rdev != udev_device_get_devnum(dev))
                return -ENODEV; /* somebody put another node in its place */
        return ioctl(fd, BLKROSET, &flag) < 0 ? -errno : 0;
}

static uint64_t read_queue(const char *disk_path, const char *attribute) {
        char name[PATH_MAX], text[32];

        if ((size_t)snprintf(name, sizeof(name), "%s/queue/%s", disk_path, attribute) >= sizeof(name) ||
            file_read_small(AT_FDCWD, name, text, sizeof(text)) < 0)
                return 0;
        return strtoull(text, NULL, 10);
}

/* FITRIM passes a read-only mount of a read-only disk (the kernel warns and lets it through), and which free
 * blocks read as zeroes is for the caller to choose. A queue whose greatest discard is 0 takes none. Many
 * disks know no discard and have nothing to set. Whole granules alone may be set. Source: the kernel's
 * Documentation/ABI/stable/sysfs-block. Newer kernels (seen: 6.18) forget the granule of a disk that takes
 * no discards, and then let nobody allow them again: what is let go does without them.
 */
static int set_discard(struct udev_device *disk, bool allowed) {
        const char *path = udev_device_get_syspath(disk);
        uint64_t greatest = read_queue(path, "discard_max_hw_bytes");
        uint64_t granule = read_queue(path, "discard_granularity");
        char name[PATH_MAX];

        if (greatest == 0)
                return 0;
        if (!allowed)
                greatest = 0;
        else if (granule > 0)
                greatest -= greatest % granule;
        if ((size_t)snprintf(name, sizeof(name), "%s/queue/discard_max_bytes", path) >= sizeof(name))
                return -ENAMETOOLONG;
        CLEANUP_CLOSE int fd = open(name, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? -ENODEV : -errno;
        if (dprintf(fd, "%" PRIu64, greatest) < 0 && !(allowed && errno == EINVAL))
                return -errno;
        return 0;
}

static bool is_among(dev_t devnum, const dev_t *list, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (list[i] == devnum)
                        return true;
        return false;
}

/* Every partition below the disk's sysfs directory; those among CLOSED the other way. */
static int set_partitions(struct udev *udev, const char *disk_path, bool read_only, const dev_t *closed,
                          size_t n) {
        CLEANUP_DIR DIR *dir = opendir(disk_path);
        const struct dirent *entry;
        int first_error = 0;

        while (dir && (entry = readdir(dir))) {
                char path[PATH_MAX];
                CLEANUP(scope_udev_device_unref) struct udev_device *partition = NULL;
                int r;

                if ((size_t)snprintf(path, sizeof(path), "%s/%s/partition", disk_path, entry->d_name) >=
                            sizeof(path) ||
                    access(path, F_OK) < 0)
                        continue;
                *strrchr(path, '/') = '\0';
                partition = udev_device_new_from_syspath(udev, path);
                r = partition ? set_node(partition,
                                         read_only != is_among(udev_device_get_devnum(partition), closed, n))
                              : 0;
                if (r < 0 && r != -ENODEV && first_error == 0)
                        first_error = r;
        }
        return first_error;
}

int hold_set_read_only(struct udev *udev, dev_t disk, bool read_only) {
        CLEANUP(scope_udev_device_unref)
        struct udev_device *dev = udev_device_new_from_devnum(udev, 'b', disk);
        int r, partitions, discard;

        if (!dev)
                return -ENODEV;
        r = set_node(dev, read_only);
        partitions = set_partitions(udev, udev_device_get_syspath(dev), read_only, NULL, 0);
        discard = set_discard(dev, !read_only);
        return r < 0 ? r : partitions < 0 ? partitions : discard;
}

int hold_all_but(struct udev *udev, dev_t disk, const dev_t *closed, size_t n) {
        CLEANUP(scope_udev_device_unref)
        struct udev_device *dev = udev_device_new_from_devnum(udev, 'b', disk);
        int r, partitions, discard;

        if (!dev)
                return -ENODEV;
        /* the partitions first, while the disk holds them all */
        partitions = set_partitions(udev, udev_device_get_syspath(dev), true, closed, n);
        r = set_node(dev, n == 0);
        discard = set_discard(dev, n > 0);
        return r < 0 ? r : partitions < 0 ? partitions : discard;
}

int hold_is_read_only(struct udev *udev, dev_t disk) {
        char path[PATH_MAX], text[8];
        size_t length;
        dev_t found;
        int r = stack_disk(disk, path, &found);

        (void)udev;
        if (r < 0)
                return r;
        length = strlen(path);
        if ((size_t)snprintf(path + length, sizeof(path) - length, "/ro") >= sizeof(path) - length)
                return -ENAMETOOLONG;
        if (file_read_small(AT_FDCWD, path, text, sizeof(text)) < 0)
                return -ENODEV;
        return strcmp(text, "0") != 0;
}
