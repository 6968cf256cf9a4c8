/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attacks_raw.c: past the file system, through the device's nodes. Each writes where its own planted file
 * lies. */
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tests/attacks/attacks.h"

enum {
        SOME_PARTITION = 13,
        GAP_START = 32768, /* before the first partition there is a gap of a megabyte */
        GAP_LENGTH = 65536,
        FIRST_PARTITION = 1 << 20
};

static int open_node(const Attempt *a, int flags) {
        return sys(open(a->volume->node, flags | O_CLOEXEC));
}

/* A page of the node that lies inside the planted file. */
static int64_t page_of_file(const Attempt *a) {
        return a->block < 0 ? -1 : (a->block + 4095) / 4096 * 4096;
}

static int attack_write(Attempt *a) {
        return smuggle_sector(a, open_node(a, O_WRONLY), a->block);
}

static int attack_write_direct(Attempt *a) {
        CLEANUP_CLOSE int fd = open_node(a, O_WRONLY | O_DIRECT | O_DSYNC);
        CLEANUP_FREE void *page = aligned_alloc(4096, 4096);

        if (fd < 0 || !page)
                return fd < 0 ? fd : -ENOMEM;
        fill_with_marker(a, page, 4096);
        return pwrite(fd, page, 4096, page_of_file(a)) < 0 ? -errno : 0;
}

static int attack_write_disk(Attempt *a) {
        int64_t offset = a->block < 0 ? -1 : a->block + (int64_t)a->volume->start;

        return smuggle_sector(a, sys(open(a->volume->disk, O_WRONLY | O_CLOEXEC)), offset);
}

static int attack_mapping(Attempt *a) {
        CLEANUP_CLOSE int fd = open_node(a, O_RDWR);
        char *map;
        int r;

        if (fd < 0)
                return fd;
        map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, page_of_file(a));
        if (map == MAP_FAILED)
                return -errno;
        memcpy(map, a->marker, MARKER_LENGTH);
        r = sys(msync(map, 4096, MS_SYNC));
        munmap(map, 4096);
        return r;
}

static int attack_splice(Attempt *a) {
        CLEANUP_CLOSE int fd = open_node(a, O_WRONLY), from = marker_file(a, 4096);
        loff_t offset = page_of_file(a);
        int ends[2];
        ssize_t n;

        if (fd < 0 || from < 0)
                return fd < 0 ? fd : from;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        n = splice(from, NULL, ends[1], NULL, 4096, 0);
        if (n > 0)
                n = splice(ends[0], NULL, fd, &offset, 4096, 0);
        close(ends[0]);
        close(ends[1]);
        return n < 0 ? -errno : opened(STEAL_FD(fd));
}

static int attack_reopened_reader(Attempt *a) {
        CLEANUP_CLOSE int fd = open_node(a, O_RDONLY);

        return fd < 0 ? fd : smuggle_sector(a, sys(open(proc_fd(fd).s, O_WRONLY | O_CLOEXEC)), a->block);
}

/* A node of one's own for the same device, at PATH. */
static int write_made_node(Attempt *a, const char *path, dev_t number, int64_t offset) {
        if (mknod(path, S_IFBLK | 0600, number) < 0)
                return -errno;
        return smuggle_sector(a, sys(open(path, O_WRONLY | O_CLOEXEC)), offset);
}

static int attack_made_node(Attempt *a) {
        return write_made_node(a, beside(a, "node").s, a->volume->node_number, a->block);
}

static int attack_made_node_of_disk(Attempt *a) {
        return write_made_node(a, beside(a, "node").s, a->volume->disk_number,
                               a->block < 0 ? -1 : a->block + (int64_t)a->volume->start);
}

static int on_own(Attempt *a, const char *fstype, const char *name) {
        int r;

        if (mkdir(beside(a, "mnt").s, 0700) < 0 || mount("none", beside(a, "mnt").s, fstype, 0, NULL) < 0)
                return errno == ENODEV ? impossible(a, "this kernel has no such file system") : -errno;
        if (strcmp(fstype, "tmpfs") == 0) {
                r = write_made_node(a, beside(a, "mnt/node").s, a->volume->node_number, a->block);
        } else {
                Path path = {0};

                snprintf(path.s, sizeof path.s, "%.200s/mnt/%.64s", a->scratch, name);
                r = smuggle_sector(a, sys(open(path.s, O_WRONLY | O_CLOEXEC)), a->block);
        }
        return umount2(beside(a, "mnt").s, MNT_DETACH) < 0 ? -errno : r;
}

static int attack_made_node_on_tmpfs(Attempt *a) {
        return on_own(a, "tmpfs", NULL);
}

static int attack_other_devtmpfs(Attempt *a) {
        return on_own(a, "devtmpfs", strrchr(a->volume->node, '/') + 1);
}

static int range_call(Attempt *a, unsigned long call) {
        CLEANUP_CLOSE int fd = open_node(a, O_RDWR);
        uint64_t range[2] = {(uint64_t)page_of_file(a), 4096};

        if (fd < 0)
                return fd;
        return unless_unknown(a, sys(ioctl(fd, call, range)), "the device knows no such command");
}

static int attack_discard(Attempt *a) {
        return range_call(a, BLKDISCARD);
}

static int attack_secure_discard(Attempt *a) {
        return range_call(a, BLKSECDISCARD);
}

static int attack_zero_out(Attempt *a) {
        return range_call(a, BLKZEROOUT);
}

static int attack_punch_hole(Attempt *a) {
        CLEANUP_CLOSE int fd = open_node(a, O_RDWR);

        if (fd < 0)
                return fd;
        if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, page_of_file(a), 4096) < 0)
                return unless_unknown(a, -errno, "the device cannot do that");
        return opened(STEAL_FD(fd));
}

static int release(const char *node) {
        CLEANUP_CLOSE int fd = sys(open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        int flag = 0;

        return fd < 0 ? fd : sys(ioctl(fd, BLKROSET, &flag));
}

/* Root undoes what holds at the block layer. */
static int attack_release_and_write(Attempt *a) {
        int r = release(a->volume->disk);

        if (r >= 0)
                r = release(a->volume->node);
        return r < 0 ? r : attack_write(a);
}

static int partition_call(int disk, int operation, int number, uint64_t start, uint64_t length) {
        struct blkpg_partition partition = {
                .start = (long long)start, .length = (long long)length, .pno = number};
        struct blkpg_ioctl_arg arg = {.op = operation, .datalen = sizeof partition, .data = &partition};

        return sys(ioctl(disk, BLKPG, &arg));
}

static int partition_number(const Attempt *a, unsigned number, dev_t *ret) {
        char path[PATH_MAX], name[64];
        const char *disk = strrchr(a->volume->disk, '/') + 1;
        CLEANUP_FILE FILE *f = NULL;
        unsigned major_number, minor_number;
        bool digit = *disk && strchr("0123456789", disk[strlen(disk) - 1]);

        snprintf(name, sizeof name, "%.40s%s%u", disk, digit ? "p" : "", number);
        snprintf(path, sizeof path, "/sys/class/block/%s/dev", name);
        f = fopen(path, "re");
        if (!f || fscanf(f, "%u:%u", &major_number, &minor_number) != 2)
                return -ENODEV;
        *ret = makedev(major_number, minor_number);
        return 0;
}

/* The kernel is told of one more partition, over the volume or before it; it may not know that it is held.
 */
static int attack_partition_added(Attempt *a) {
        CLEANUP_CLOSE int disk = sys(open(a->volume->disk, O_RDONLY | O_CLOEXEC));
        bool before = a->volume->partition > 0;
        dev_t number;
        int r;

        if (disk < 0)
                return disk;
        if (before && a->volume->start < FIRST_PARTITION)
                return impossible(a, "there is no room before the partition");
        r = partition_call(disk, BLKPG_ADD_PARTITION, SOME_PARTITION,
                           before ? GAP_START : (uint64_t)page_of_file(a), before ? GAP_LENGTH : 4096);
        if (r < 0)
                return r == -EINVAL ? impossible(a, "the disk takes no partitions") : r;
        r = partition_number(a, SOME_PARTITION, &number);
        if (r >= 0)
                r = write_made_node(a, beside(a, "node").s, number, 0);
        if (partition_call(disk, BLKPG_DEL_PARTITION, SOME_PARTITION, 0, 0) < 0)
                return -EBUSY;
        return r;
}

/* The partition that carries the volume goes and comes again: does it come held? */
static int attack_partition_replaced(Attempt *a) {
        CLEANUP_CLOSE int disk = sys(open(a->volume->disk, O_RDONLY | O_CLOEXEC));
        dev_t number;
        int r;

        if (disk < 0)
                return disk;
        if (a->volume->partition == 0)
                return impossible(a, "the volume lies on no partition");
        r = partition_call(disk, BLKPG_DEL_PARTITION, (int)a->volume->partition, 0, 0);
        if (r < 0)
                return r;
        r = partition_call(disk, BLKPG_ADD_PARTITION, (int)a->volume->partition, a->volume->start,
                           a->volume->size);
        if (r >= 0)
                r = partition_number(a, a->volume->partition, &number);
        return r < 0 ? r : write_made_node(a, beside(a, "node").s, number, a->block);
}

static const Attack list[] = {
        {"raw-write", NEEDS_NODE, NULL, attack_write},
        {"raw-write-direct", NEEDS_NODE, NULL, attack_write_direct},
        {"raw-write-disk", NEEDS_NODE, NULL, attack_write_disk},
        {"raw-mapping", NEEDS_NODE, NULL, attack_mapping},
        {"raw-splice", NEEDS_NODE, NULL, attack_splice},
        {"raw-reopened-reader", NEEDS_NODE, NULL, attack_reopened_reader},
        {"raw-made-node", NEEDS_ROOT | NEEDS_NODE, NULL, attack_made_node},
        {"raw-made-node-of-disk", NEEDS_ROOT | NEEDS_NODE, NULL, attack_made_node_of_disk},
        {"raw-made-node-on-tmpfs", NEEDS_ROOT | NEEDS_NODE, NULL, attack_made_node_on_tmpfs},
        {"raw-other-devtmpfs", NEEDS_ROOT | NEEDS_NODE, NULL, attack_other_devtmpfs},
        {"raw-discard", NEEDS_NODE, NULL, attack_discard},
        {"raw-secure-discard", NEEDS_NODE, NULL, attack_secure_discard},
        {"raw-zero-out", NEEDS_NODE, NULL, attack_zero_out},
        {"raw-punch-hole", NEEDS_NODE, NULL, attack_punch_hole},
        {"raw-partition-added", NEEDS_ROOT | NEEDS_NODE, NULL, attack_partition_added},
        {"raw-partition-replaced", NEEDS_ROOT | NEEDS_NODE | NEEDS_UNMOUNTED, NULL,
         attack_partition_replaced},
        {"raw-release-and-write", NEEDS_ROOT | NEEDS_NODE, NULL, attack_release_and_write},
};
ATTACK_TABLE(attacks_raw, list);
