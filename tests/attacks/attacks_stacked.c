/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attacks_stacked.c: other devices on top of this one, and swap. */
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <linux/raid/md_p.h>
#include <linux/raid/md_u.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/attacks/attacks.h"

static const char SIGNATURE[10] = {'S', 'W', 'A', 'P', 'S', 'P', 'A', 'C', 'E', '2'};

enum {
        LOOP_FIRST = 7100,
        LOOP_TRIES = 16,
        LOOP_REMOVE_TRIES = 300,
        SOME_ARRAY = 117,
        PAGED_OUT = 64 * 4096
};

/* A loop device of a new number, which is to go with its number: the kernel keeps a number's read-only flag.
 */
typedef struct Loop {
        int control, number, fd;
} Loop;

static void loop_remove(Loop *loop) {
        struct timespec moment = {.tv_nsec = 10000000};

        if (loop->fd >= 0)
                close(loop->fd);
        for (unsigned i = 0; loop->number >= 0 && i < LOOP_REMOVE_TRIES; i++) {
                if (ioctl(loop->control, LOOP_CTL_REMOVE, loop->number) >= 0 || errno != EBUSY)
                        break;
                nanosleep(&moment, NULL); /* udev may look at it still; nothing announces that it is done */
        }
        if (loop->control >= 0)
                close(loop->control);
}

static int loop_over(int backing, unsigned flags, Loop *loop) {
        struct loop_config config = {.fd = (uint32_t)backing,
                                     .info = {.lo_flags = LO_FLAGS_AUTOCLEAR | flags}};
        char path[32];

        loop->control = sys(open("/dev/loop-control", O_RDWR | O_CLOEXEC));
        if (loop->control < 0)
                return loop->control;
        for (int number = LOOP_FIRST; loop->number < 0 && number < LOOP_FIRST + LOOP_TRIES; number++)
                if (ioctl(loop->control, LOOP_CTL_ADD, number) >= 0)
                        loop->number = number;
                else if (errno != EEXIST)
                        return -errno;
        snprintf(path, sizeof path, "/dev/loop%d", loop->number);
        loop->fd = sys(open(path, O_RDWR | O_CLOEXEC));
        if (loop->fd < 0)
                return loop->fd;
        return sys(ioctl(loop->fd, LOOP_CONFIGURE, &config));
}

static int write_loop(Attempt *a, int backing_or_error, int64_t offset, unsigned flags) {
        CLEANUP_CLOSE int backing = backing_or_error;
        CLEANUP(loop_remove) Loop loop = {-1, -1, -1};
        int r = backing < 0 ? backing : loop_over(backing, flags, &loop);

        return r < 0 ? r : smuggle_sector(a, STEAL_FD(loop.fd), offset);
}

static int attack_loop_over_node(Attempt *a) {
        return write_loop(a, sys(open(a->volume->node, O_RDWR | O_CLOEXEC)), a->block, 0);
}

static int attack_loop_over_node_direct(Attempt *a) {
        return write_loop(a, sys(open(a->volume->node, O_RDWR | O_CLOEXEC)), a->block, LO_FLAGS_DIRECT_IO);
}

/* The loop device opens nothing: it writes with what it was handed. Does it ask what for? */
static int attack_loop_over_reader(Attempt *a) {
        CLEANUP_CLOSE int reader = sys(open(a->volume->node, O_RDONLY | O_CLOEXEC));
        CLEANUP_CLOSE int backing = reader < 0 ? reader : sys(open(proc_fd(reader).s, O_RDWR | O_CLOEXEC));

        return write_loop(a, STEAL_FD(backing), a->block, 0);
}

static int attack_loop_over_file(Attempt *a) {
        return write_loop(a, sys(open(at(a, "file").s, O_RDWR | O_CLOEXEC)), 0, 0);
}

typedef struct Mapper {
        struct dm_ioctl io;
        struct dm_target_spec target;
        char parameters[PATH_MAX];
} Mapper;

static void mapper_begin(const Attempt *a, Mapper *m) {
        *m = (Mapper){.io = {.version = {DM_VERSION_MAJOR, 0, 0},
                             .data_size = sizeof *m,
                             .data_start = offsetof(Mapper, target)}};
        snprintf(m->io.name, sizeof m->io.name, "%s", a->marker);
}

static int mapper_call(const Attempt *a, int control, unsigned long call, Mapper *m) {
        mapper_begin(a, m);
        return sys(ioctl(control, call, m));
}

static int mapper_load(const Attempt *a, int control, Mapper *m) {
        mapper_begin(a, m);
        m->io.target_count = 1;
        m->target.length = a->volume->size / SECTOR;
        memcpy(m->target.target_type, "linear", sizeof "linear");
        snprintf(m->parameters, sizeof m->parameters, "%u:%u 0", major(a->volume->node_number),
                 minor(a->volume->node_number));
        return sys(ioctl(control, DM_TABLE_LOAD, m));
}

static int attack_mapped_device(Attempt *a) {
        CLEANUP_CLOSE int control = sys(open("/dev/mapper/control", O_RDWR | O_CLOEXEC));
        Mapper m;
        int r;

        if (control == -ENODEV || control == -ENOENT || control == -ENXIO)
                return impossible(a, "this kernel has no device mapper");
        if (control < 0)
                return control;
        r = mapper_call(a, control, DM_DEV_CREATE, &m);
        if (r < 0)
                return r;
        dev_t number = m.io.dev;

        r = mapper_load(a, control, &m);
        if (r >= 0)
                r = mapper_call(a, control, DM_DEV_SUSPEND, &m); /* without the flag it resumes */
        if (r >= 0)
                r = sys(mknod(beside(a, "mapped").s, S_IFBLK | 0600, number));
        if (r >= 0)
                r = smuggle_sector(a, sys(open(beside(a, "mapped").s, O_WRONLY | O_CLOEXEC)), a->block);
        if (mapper_call(a, control, DM_DEV_REMOVE, &m) < 0)
                return -EBUSY;
        return r;
}

/* A mirror of one, without superblocks. */
static int build_array(const Attempt *a, int array) {
        mdu_array_info_t info = {.level = 1,
                                 .raid_disks = 1,
                                 .nr_disks = 1,
                                 .not_persistent = 1,
                                 .size = (int)(a->volume->size / 1024)};
        mdu_disk_info_t disk = {.major = (int)major(a->volume->node_number),
                                .minor = (int)minor(a->volume->node_number),
                                .state = 1 << MD_DISK_ACTIVE | 1 << MD_DISK_SYNC};

        if (ioctl(array, SET_ARRAY_INFO, &info) < 0 || ioctl(array, ADD_NEW_DISK, &disk) < 0 ||
            ioctl(array, RUN_ARRAY, NULL) < 0)
                return -errno;
        return 0;
}

static int attack_array(Attempt *a) {
        CLEANUP_CLOSE int array = -1;
        int r = sys(mknod(beside(a, "array").s, S_IFBLK | 0600, makedev(MD_MAJOR, SOME_ARRAY)));

        if (r < 0)
                return r;
        array = sys(open(beside(a, "array").s, O_RDWR | O_CLOEXEC));
        if (array == -ENXIO || array == -ENODEV)
                return impossible(a, "this kernel has no md");
        if (array < 0)
                return array;
        r = build_array(a, array);
        if (r >= 0)
                r = smuggle_sector(a, sys(open(beside(a, "array").s, O_WRONLY | O_CLOEXEC)), a->block);
        if (ioctl(array, STOP_ARRAY, NULL) < 0 && r >= 0)
                return -errno;
        return r;
}

/* Memory full of markers, pushed out to whatever swap there is. */
static int push_out(Attempt *a, const char *swap) {
        char *memory = mmap(NULL, PAGED_OUT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        int r;

        if (memory == MAP_FAILED)
                return -errno;
        if (swapon(swap, SWAP_FLAG_PREFER | 32767) < 0) {
                r = -errno;
                munmap(memory, PAGED_OUT);
                return r;
        }
        for (size_t i = 0; i < PAGED_OUT; i += 4096)
                fill_with_marker(a, memory + i, 4096);
        r = sys(madvise(memory, PAGED_OUT, MADV_PAGEOUT));
        if (swapoff(swap) < 0)
                r = -EBUSY;
        munmap(memory, PAGED_OUT);
        return r;
}

static int attack_swap_file(Attempt *a) {
        if (strcmp(a->volume->fstype, "btrfs") == 0)
                return impossible(a, "btrfs swaps to files of another kind only");
        return push_out(a, at(a, "swap").s);
}

/* mkswap(8) through the node, with the marker for a label. */
static int attack_swap_node(Attempt *a) {
        CLEANUP_CLOSE int fd = sys(open(a->volume->node, O_RDWR | O_EXCL | O_CLOEXEC));
        CLEANUP_FREE char *header = calloc(1, 4096);
        uint32_t version = 1, last = (uint32_t)(a->volume->size / 4096 - 1);
        int r;

        if (fd < 0 || !header)
                return fd < 0 ? fd : -ENOMEM;
        memcpy(header + 1024, &version, sizeof version);
        memcpy(header + 1028, &last, sizeof last);
        memcpy(header + 1052, a->marker, 16);
        memcpy(header + 4096 - 10, SIGNATURE, sizeof SIGNATURE);
        if (pwrite(fd, header, 4096, 0) < 0)
                return -errno;
        r = opened(STEAL_FD(fd));
        return r < 0 ? r : push_out(a, a->volume->node);
}

static int attack_mkfs(Attempt *a) {
        static const char *const programs[] = {"/sbin/mke2fs", "/usr/sbin/mke2fs"};
        char label[MARKER_KEY + 1] = "";
        pid_t pid;
        int status;

        memcpy(label, a->marker, MARKER_KEY);
        for (size_t i = 0; i < ELEMENTS(programs); i++) {
                if (access(programs[i], X_OK) < 0)
                        continue;
                pid = fork();
                if (pid == 0) {
                        execl(programs[i], "mke2fs", "-q", "-F", "-t", "ext4", "-L", label, a->volume->node,
                              NULL);
                        _exit(127);
                }
                if (pid < 0 || waitpid(pid, &status, 0) < 0)
                        return -errno;
                return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EACCES;
        }
        return impossible(a, "there is no mke2fs on this machine");
}

static const Attack list[] = {
        {"loop-over-node", NEEDS_ROOT | NEEDS_NODE, NULL, attack_loop_over_node},
        {"loop-over-node-direct", NEEDS_ROOT | NEEDS_NODE, NULL, attack_loop_over_node_direct},
        {"loop-over-reader", NEEDS_ROOT | NEEDS_NODE, NULL, attack_loop_over_reader},
        {"loop-over-file", NEEDS_ROOT, NULL, attack_loop_over_file},
        {"swap-file", NEEDS_ROOT | NEEDS_MACHINE, NULL, attack_swap_file},
        {"mapped-device", NEEDS_ROOT | NEEDS_NODE | NEEDS_UNMOUNTED, NULL, attack_mapped_device},
        {"array", NEEDS_ROOT | NEEDS_NODE | NEEDS_UNMOUNTED, NULL, attack_array},
        {"swap-node", NEEDS_ROOT | NEEDS_NODE | NEEDS_UNMOUNTED | NEEDS_MACHINE | ERASES_TRACES, NULL,
         attack_swap_node},
        {"mkfs", NEEDS_ROOT | NEEDS_NODE | NEEDS_UNMOUNTED | ERASES_TRACES, NULL, attack_mkfs},
};
ATTACK_TABLE(attacks_stacked, list);
