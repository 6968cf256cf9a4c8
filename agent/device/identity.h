/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * identity.h: what a device is, as sysfs tells it, read through libudev. Walks from a block device to its
 * whole disk, through what it is stacked on (device-mapper, md, loop), up to its USB parent. Decides
 * nothing, changes nothing, opens no device node.
 */
#pragma once

#include <libudev.h>

#include "policy/object.h"

/* Read the identity of DEV, a block device (disk or partition) or a usb_device. For a partition it is that
 * of its disk. A device-mapper, md or loop device keeps its own name, devnum and bus; what it stands on is
 * asked of device_stack_bottom(). Returns 0, -ENODEV if it is already gone, -EINVAL if it is neither,
 * -ENOMEM. RET untouched on failure. Source: Documentation/ABI/testing/sysfs-bus-usb, sysfs-block;
 * linux/usb/ch9.h. */
int device_identity_read(struct udev_device *dev, DeviceIdentity *ret);

/* The identity of the whole disk that holds block device number DEVNUM (as st_dev or st_rdev has it).
 * Returns as device_identity_read, -ENODEV also where DEVNUM is no block device. */
int device_identity_from_devnum(struct udev *udev, dev_t devnum, DeviceIdentity *ret);

/* All devices at the bottom of the stack that DEVNUM stands on (slaves of device-mapper and md, the disk
 * that holds a loop device's backing file), in no order; a plain disk is its own bottom. At most MAX are
 * filled, RET_N says how many there are; luks2 is set in those that DEVNUM reaches through a LUKS2 mapping
 * alone. Returns 0, -E2BIG if there are more than MAX, -ELOOP at 16 levels,
 * -errno. The caller clears each with device_identity_clear. */
int device_stack_bottom(struct udev *udev, dev_t devnum, DeviceIdentity *ret, size_t max, size_t *ret_n);

/* Everything beneath DEVNUM, at every level: a loop device in a file on a stick that is itself a mapping
 * stands on both. None for a plain disk. Otherwise as device_stack_bottom. */
int device_stack_below(struct udev *udev, dev_t devnum, DeviceIdentity *ret, size_t max, size_t *ret_n);
