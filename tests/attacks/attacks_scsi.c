/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attacks_scsi.c: SCSI commands of one's own, which the block layer's read-only flag never sees. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/bsg.h>
#include <linux/fs.h>
#include <scsi/sg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "tests/attacks/attacks.h"

enum {
        WRITE_10 = 0x2a,
        COMMAND_LENGTH = 10,
        COMMAND_MILLISECONDS = 10000
};

static const char NOT_SCSI[] = "the device speaks no SCSI";

/* WRITE(10) of one block where the planted file lies. */
static int make_command(const Attempt *a, unsigned block_size, uint8_t command[COMMAND_LENGTH]) {
        uint64_t address = ((uint64_t)a->block + a->volume->start + block_size - 1) / block_size;

        if (a->block < 0 || address > UINT32_MAX)
                return -ENXIO;
        memset(command, 0, COMMAND_LENGTH);
        command[0] = WRITE_10;
        for (unsigned i = 0; i < 4; i++)
                command[2 + i] = (uint8_t)(address >> (24 - 8 * i));
        command[8] = 1;
        return 0;
}

static int block_size_of(const Attempt *a) {
        CLEANUP_CLOSE int fd = sys(open(a->volume->disk, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        int size;

        return fd < 0 ? fd : ioctl(fd, BLKSSZGET, &size) < 0 ? -errno : size;
}

static int write_by_command(Attempt *a, int fd_or_error) {
        CLEANUP_CLOSE int fd = fd_or_error;
        CLEANUP_FREE void *data = aligned_alloc(4096, 4096);
        uint8_t command[COMMAND_LENGTH], sense[64] = {0};
        int size = block_size_of(a), r;
        struct sg_io_hdr io = {.interface_id = 'S',
                               .dxfer_direction = SG_DXFER_TO_DEV,
                               .cmd_len = COMMAND_LENGTH,
                               .mx_sb_len = sizeof sense,
                               .dxferp = data,
                               .cmdp = command,
                               .sbp = sense,
                               .timeout = COMMAND_MILLISECONDS};

        if (fd < 0 || size < 0 || size > 4096 || !data)
                return fd < 0 ? fd : size < 0 ? size : -ENOMEM;
        if ((r = make_command(a, (unsigned)size, command)) < 0)
                return r;
        fill_with_marker(a, data, (size_t)size);
        io.dxfer_len = (unsigned)size;
        if (ioctl(fd, SG_IO, &io) < 0)
                return errno == EINVAL ? impossible(a, NOT_SCSI) : unless_unknown(a, -errno, NOT_SCSI);
        return io.status || io.host_status || io.driver_status ? -EIO : 0;
}

static int attack_command(Attempt *a) {
        return write_by_command(a, sys(open(a->volume->node, O_WRONLY | O_NONBLOCK | O_CLOEXEC)));
}

/* Root need not have it open for writing. */
static int attack_command_by_reader(Attempt *a) {
        return write_by_command(a, sys(open(a->volume->disk, O_RDONLY | O_NONBLOCK | O_CLOEXEC)));
}

/* The node of the disk's generic twin: the only entry of sysfs's directory WHAT. */
static int twin_of_disk(const Attempt *a, const char *what, Path *ret) {
        CLEANUP_DIR DIR *directory = NULL;
        struct dirent *entry;
        Path path = {0};

        snprintf(path.s, sizeof path.s, "/sys/class/block/%.64s/device/%.32s",
                 strrchr(a->volume->disk, '/') + 1, what);
        directory = opendir(path.s);
        while (directory && (entry = readdir(directory)))
                if (*entry->d_name != '.') {
                        snprintf(ret->s, sizeof ret->s, "/dev/%s%s", strcmp(what, "bsg") == 0 ? "bsg/" : "",
                                 entry->d_name);
                        return 0;
                }
        return -ENODEV;
}

static int attack_generic(Attempt *a) {
        Path path;

        if (twin_of_disk(a, "scsi_generic", &path) < 0)
                return impossible(a, "the device has no generic twin");
        return write_by_command(a, sys(open(path.s, O_RDWR | O_NONBLOCK | O_CLOEXEC)));
}

static int attack_generic_by_reader(Attempt *a) {
        Path path;

        if (twin_of_disk(a, "scsi_generic", &path) < 0)
                return impossible(a, "the device has no generic twin");
        return write_by_command(a, sys(open(path.s, O_RDONLY | O_NONBLOCK | O_CLOEXEC)));
}

static int attack_block_generic(Attempt *a) {
        CLEANUP_CLOSE int fd = -1;
        CLEANUP_FREE void *data = aligned_alloc(4096, 4096);
        uint8_t command[COMMAND_LENGTH], sense[64] = {0};
        int size = block_size_of(a), r;
        struct sg_io_v4 io = {.guard = 'Q',
                              .protocol = BSG_PROTOCOL_SCSI,
                              .subprotocol = BSG_SUB_PROTOCOL_SCSI_CMD,
                              .request_len = COMMAND_LENGTH,
                              .request = (uintptr_t)command,
                              .max_response_len = sizeof sense,
                              .response = (uintptr_t)sense,
                              .dout_xferp = (uintptr_t)data,
                              .timeout = COMMAND_MILLISECONDS};
        Path path;

        if (twin_of_disk(a, "bsg", &path) < 0)
                return impossible(a, "the device has no generic twin");
        fd = sys(open(path.s, O_RDWR | O_CLOEXEC));
        if (fd < 0 || size < 0 || size > 4096 || !data)
                return fd < 0 ? fd : size < 0 ? size : -ENOMEM;
        if ((r = make_command(a, (unsigned)size, command)) < 0)
                return r;
        fill_with_marker(a, data, (size_t)size);
        io.dout_xfer_len = (unsigned)size;
        if (ioctl(fd, SG_IO, &io) < 0)
                return unless_unknown(a, -errno, NOT_SCSI);
        return io.device_status || io.transport_status || io.driver_status ? -EIO : 0;
}

static const Attack list[] = {
        {"scsi-command", NEEDS_NODE, NULL, attack_command},
        {"scsi-command-by-reader", NEEDS_ROOT | NEEDS_NODE, NULL, attack_command_by_reader},
        {"scsi-generic", NEEDS_ROOT | NEEDS_NODE, NULL, attack_generic},
        {"scsi-generic-by-reader", NEEDS_ROOT | NEEDS_NODE, NULL, attack_generic_by_reader},
        {"scsi-block-generic", NEEDS_ROOT | NEEDS_NODE, NULL, attack_block_generic},
};
ATTACK_TABLE(attacks_scsi, list);
