/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * essentials.h: the keyboards and card readers that are plugged in, as sysfs and udev tell them. Decides
 * nothing, changes nothing.
 */
#pragma once

#include <libudev.h>

#include "policy/lockout.h"

enum {
        ESSENTIALS_MAX = 64
};

/* Keyboards: USB interfaces that say they are one for the boot protocol, authorised or not, and input
 * devices that udev knows as keyboards, on whatever bus; not those that a program makes up (uinput;
 * Bluetooth by way of uhid, of which nobody can tell whether it is at hand). Card readers: USB interfaces of
 * the class smart-card. At most MAX are filled, RET_N says how many; what is beyond is left out. Returns 0
 * or -errno. The caller clears them with essentials_clear. Source: HID 1.11, 4.2 and 4.3; systemd's
 * 60-input-id.rules. */
int essentials_find(struct udev *udev, Essential *ret, size_t max, size_t *ret_n);
void essentials_clear(Essential *items, size_t n);
