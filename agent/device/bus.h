/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bus.h: how a disk is attached, by its kernel name and by what stands above it in sysfs. Only reads.
 */
#pragma once

#include <libudev.h>

#include "policy/object.h"

/* The bus of DISK, a whole disk. DEVICE_BUS_UNKNOWN where nothing here knows it, which counts as external.
 */
DeviceBus bus_of_disk(struct udev_device *disk);

/* The nvme-subsystem above a disk with several paths, NULL if it has none. Borrowed from DISK. */
struct udev_device *bus_nvme_subsystem(struct udev_device *disk);
