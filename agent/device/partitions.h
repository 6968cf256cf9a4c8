/* SPDX-License-Identifier: GPL-2.0-or-later */
/* partitions.h: the device numbers by which a disk can be written to, from sysfs. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

enum {
        PARTITIONS_MAX = 256
};

/* The number of the device whose directory in sysfs is DIRECTORY/ENTRY; 0 if it has none. */
dev_t sysfs_devnum(const char *directory, const char *entry);

/* The numbers of the disk at SYSPATH and of its partitions; RET holds MAX. How many, -ENODEV if it is gone,
 * -E2BIG beyond MAX. */
int disk_numbers(const char *syspath, dev_t *ret, size_t max);
