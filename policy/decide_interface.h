/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decide_interface.h: which network interfaces come up. Pure, as decide.h.
 */
#pragma once

#include "policy/model.h"

/* What the kernel tells of a network interface. Strings are borrowed, NULL where there is nothing to tell.
 */
typedef struct InterfaceIdentity {
        const char *name;   /* enp3s0 */
        const char *driver; /* e1000e */
        const char *bus;    /* pci, usb, virtio, …: the subsystem of the device beneath */
        const char *mac;    /* the permanent address, not one that was set later */
        InterfaceKind kind;
        bool loopback; /* the terminal's own, to itself */
        bool tunnel;   /* virtual, and carries packets away within others or to a program: tun, wireguard */
        const char *vendor, *product, *serial; /* of the USB device beneath, for records */
} InterfaceIdentity;

typedef OpenDecision InterfaceDecision;

/* Whether the interface has what MATCH asks for. */
bool interface_match_covers(const InterfaceMatch *match, const InterfaceIdentity *interface);

/* Loopback is approved always, and everything where the policy does not speak of the network. Then the first
 * rule that matches approves; what none matches goes by network.interfaces.default or, without one, by its
 * kind and the zone; where that goes by the zone, mynumber has no tunnels. A lockdown changes nothing here:
 * nothing passes then, by whatever interface. RET is always filled. */
void decide_interface(const Policy *policy, const InterfaceIdentity *interface, InterfaceDecision *ret);
