/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rebind.h: a device taken off its driver and given back to it, so that what it had made (a network
 * interface that went to another network namespace) goes and appears anew where it belongs. Only writes
 * sysfs. Source: Documentation/ABI/testing/sysfs-bus-usb (unbind), sysfs-bus-pci.
 */
#pragma once

/* DEVICE is its directory in sysfs. 0; -ENODEV if it is gone or has no driver; -errno. */
int rebind_device(const char *device);
