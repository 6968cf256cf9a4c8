/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * seal.h: making a mounted superblock read-only, whoever has it open. The read-only flag of the block device
 * alone does not stop a file system that is mounted writable already: the kernel only warns (bio_check_ro in
 * block/blk-core.c).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

typedef enum SealResult {
        SEAL_FAILED,    /* still writable */
        SEAL_DONE,      /* read-only: nothing that is open can write */
        SEAL_SHUT_DOWN, /* cut off: every access fails until it is unmounted; what was not yet written is
                           lost */
} SealResult;

/* Make the superblock of the mount MOUNT_FD (O_PATH) read-only. Returns 0, -EBUSY if a file is open for
 * writing on it, -errno. Source: mount API, fspick and fsconfig, Linux 5.2. */
int seal_read_only(int mount_fd);

/* Undo that. 0, -EROFS or another -errno where what lies beneath is read-only. */
int seal_lift(int mount_fd);

/* Cut the superblock off without writing out what is pending: by the file system's shutdown call (ext4, xfs,
 * f2fs …), or a FUSE connection's abort. Who has it open keeps running and gets EIO. DEVNUM is the
 * superblock's, FSTYPE its type. 0 or -errno. */
int seal_shut_down(int mount_fd, dev_t devnum, const char *fstype);

/* Read-only if it can be, else cut off. */
SealResult seal(int mount_fd, dev_t devnum, const char *fstype);
