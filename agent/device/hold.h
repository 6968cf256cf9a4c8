/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold.h: holding a block device read-only (BLKROSET) and letting it go, with a note in the runtime
 * directory that the udev helper reads: a disk stays held unless RUNTIME/released/MAJOR:MINOR names its
 * present diskseq. The note is removed before a disk is held and written before it is let go, so that a
 * death in between leaves a held disk. Shared by the agent and the udev helper.
 */
#pragma once

#include <libudev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Set or clear the read-only flag of a whole disk and of all its partitions that have nodes. The kernel
 * makes partitions of a read-only disk read-only as well (since 5.11), the loop is for the way back. Device
 * nodes are opened below /dev read-only, non-blocking and checked against DEVNUM. Returns 0, -ENODEV if the
 * disk is gone, -errno of the first failure (the others are still done). */
int hold_set_read_only(struct udev *udev, dev_t disk, bool read_only);

/* Likewise read-only, but for the N block devices CLOSED of it (itself or partitions). The kernel takes a
 * partition of a read-only disk for read-only, so the disk's own node is let go with them. */
int hold_all_but(struct udev *udev, dev_t disk, const dev_t *closed, size_t n);

/* 1 if the whole disk's read-only flag is set, 0 if not, -errno. Reads sysfs only. */
int hold_is_read_only(struct udev *udev, dev_t disk);
