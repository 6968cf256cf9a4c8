/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * identity.h: what a network interface is: its driver, its bus, how it comes into the terminal, the USB
 * device beneath. Out of what the kernel told (link.h) and of sysfs. Decides nothing, changes nothing.
 */
#pragma once

#include <limits.h>

#include "agent/network/link.h"
#include "policy/model.h"

enum {
        INTERFACE_TEXT_MAX = 256
};

/* Texts are "" where nothing is known. */
typedef struct InterfaceFacts {
        char name[IFNAMSIZ];
        char driver[LINK_WORD_MAX]; /* of a virtual one its kind: bridge, tun */
        char bus[LINK_WORD_MAX];
        char mac[3 * LINK_ADDRESS_MAX]; /* the one it was made with, where the kernel knows it */
        InterfaceKind kind;
        bool loopback;
        bool tunnel;
        char device[PATH_MAX];           /* its directory in sysfs; "" for a virtual one */
        char vendor[INTERFACE_TEXT_MAX]; /* of the USB device, else of the PCI one: hexadecimal */
        char product[INTERFACE_TEXT_MAX];
        char serial[INTERFACE_TEXT_MAX];
} InterfaceFacts;

/* The facts of LINK. SYSFS is where sysfs is mounted; of what it shows of another network namespace nothing
 * is believed. What plugs in without opening the terminal (USB, Thunderbolt, FireWire) is of the kind usb;
 * radio is told by its own kind on whatever bus. An interface whose device is there and of which nothing
 * else is known is of an unknown kind. Source: Documentation/ABI/testing/sysfs-class-net, sysfs-bus-usb,
 * sysfs-devices-removable. */
void interface_identify(const char *sysfs, const Link *link, InterfaceFacts *ret);

/* Whether interfaces of this kind are held while nobody has judged them: those that can be plugged in and
 * those that need no cable. */
bool interface_kind_is_external(InterfaceKind kind);
