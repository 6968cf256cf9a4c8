/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb.h: USB authorisation: the `authorized` attribute of devices and of interfaces. Only writes sysfs.
 * Source: Documentation/usb/authorization.rst.
 */
#pragma once

#include <libudev.h>
#include <stdbool.h>

/* Authorise or deauthorise a usb_device or a usb_interface; nothing is written where it already is so.
 * Returns 1 if it was changed, 0 if it was so, -ENODEV if it is gone, -errno. */
int usb_authorize(struct udev_device *dev, bool authorized);

/* After an interface was authorised its drivers are probed anew: ask the kernel to. 0 or -errno. */
int usb_probe(struct udev_device *interface);
