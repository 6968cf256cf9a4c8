/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * carrier.h: which block devices a path lies on, by the mount table. A file system that may hang or that a
 * user serves (NFS, FUSE) is never touched, so that asking cannot stall the caller.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* The block devices (disks or partitions) that carry PATH, an absolute path without links: that of its file
 * system, all of them for btrfs, that of the upper layer for overlay; if PATH is a block device node, the
 * device itself. Returns how many, -ENODEV where no block device is known, -E2BIG beyond MAX, -errno. */
int carrier_find(const char *path, dev_t *ret, size_t max);

/* The same with the text of a mount table instead of the machine's. */
int carrier_find_in(const char *table, const char *path, dev_t *ret, size_t max);
