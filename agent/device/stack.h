/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stack.h: what a block device number stands on, by sysfs paths alone: partitions on disks, device-mapper
 * and md on their slaves, loop devices on the disk that holds their file. Opens no device node.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
        STACK_MAX = 32
};

/* The sysfs directory of the whole disk of DEVNUM, and its number. 0, -ENODEV if there is none. */
int stack_disk(dev_t devnum, char path[static PATH_MAX], dev_t *ret_disk);

/* The disks at the bottom of DEVNUM, each once. Returns how many, -ENODEV, -E2BIG beyond MAX, -ELOOP. */
int stack_bottom(dev_t devnum, dev_t *ret, size_t max);

/* Whether the root file system lies on DISK or on something that stands on it. False where that cannot be
 * told: a disk is not let off for want of knowledge. */
bool stack_carries_root(dev_t disk);
