/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * luks2.h: LUKS2 volumes on a disk, as udev found them. Reads sysfs and udev's database; opens no node.
 */
#pragma once

#include <libudev.h>
#include <stddef.h>
#include <sys/types.h>

enum {
        LUKS2_MAX = 16
};

/* The block devices of the disk at SYSPATH, itself or its partitions, that carry a LUKS2 volume which nobody
 * has opened (nothing stands on them). cryptsetup opens one for writing only while the device is not
 * read-only; once it is open, the read-only flag keeps everybody else out and lets the mapping write.
 * Returns how many, at most MAX. Source: device_info() in lib/utils_device.c of cryptsetup; bio_check_ro()
 * in block/blk-core.c of Linux. */
int luks2_find_closed(struct udev *udev, const char *syspath, dev_t *ret, size_t max);
