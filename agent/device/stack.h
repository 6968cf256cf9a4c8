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
        STACK_MAX = 64
};

/* The sysfs directory of the whole disk of DEVNUM, and its number. 0, -ENODEV if there is none. */
int stack_disk(dev_t devnum, char path[static PATH_MAX], dev_t *ret_disk);

/* The disks at the bottom of DEVNUM, each once, and of each whether nothing of DEVNUM reaches it but through
 * a LUKS2 mapping. Both arrays hold MAX. Returns how many, -ENODEV, -E2BIG beyond MAX, -ELOOP. */
int stack_bottom(dev_t devnum, dev_t *ret, bool *ret_luks2, size_t max);

/* The disks beneath DEVNUM's at every level, each once; none for a plain disk. Returns as stack_bottom. */
int stack_below(dev_t devnum, dev_t *ret, bool *ret_luks2, size_t max);

/* Every disk that the root file system stands on, from the one it is made on down to the bottom. Returns how
 * many, -ENODEV where that cannot be told (a root file system of the network or of ZFS), -errno. */
int stack_root(dev_t *ret, size_t max);

/* 1 if DISK is one of those, 0 if not, -errno as stack_root: which callers take as no where a disk is known
 * to be external, so that no disk is let off for want of knowledge, and as yes where nothing else is known
 * of it. */
int stack_carries_root(dev_t disk);

/* Whether one of those is below the device with this sysfs directory. False where it cannot be told. */
bool stack_root_is_below(const char *syspath);
