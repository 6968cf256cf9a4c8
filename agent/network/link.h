/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link.h: network interfaces as the kernel tells of them by rtnetlink, and the one thing that is done to
 * them. Source: rtnetlink(7), linux/if_link.h.
 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/network/netlink.h"

enum {
        LINK_WORD_MAX = 64,
        LINK_ADDRESS_MAX = 32
};

typedef struct Link {
        int index;
        unsigned flags;      /* IFF_UP and others */
        unsigned short type; /* ARPHRD_ETHER and others */
        char name[IFNAMSIZ];
        char kind[LINK_WORD_MAX];       /* what made a virtual one: bridge, tun; "" for a device */
        char parent[LINK_WORD_MAX];     /* the device beneath, by its name on its bus; "" without */
        char parent_bus[LINK_WORD_MAX]; /* pci, usb, virtio; "" if it has none */
        unsigned char address[LINK_ADDRESS_MAX], permanent[LINK_ADDRESS_MAX];
        size_t address_length, permanent_length; /* 0: none */
        int lower; /* the interface it stands on (vlan, macvlan); for veth its other end; 0: none */
        bool lower_elsewhere; /* that is in another network namespace */
        int master;           /* the bridge or bond whose port it is; 0: none */
        int moved_to;         /* RTM_DELLINK: the namespace it went to, by its number here; -1: nowhere */
} Link;

/* Read an interface out of RTM_NEWLINK or RTM_DELLINK. 0, or -EBADMSG: no such message, or a broken one;
 * also for what bridges and others tell of ports by the same kind of message. RET untouched on failure. */
int link_parse(const struct nlmsghdr *message, Link *ret);

/* Interface INDEX as it is now. FD is netlink_open(NETLINK_ROUTE, 0). 0, -ENODEV, -errno. */
int link_get(int fd, int index, Link *ret);

typedef int (*LinkHandler)(void *userdata, const Link *link);

/* Every interface of this network namespace. 0, the first that HANDLER returned and is not 0, -errno. */
int link_foreach(int fd, LinkHandler handler, void *userdata);

/* 0, -ENODEV, -errno. */
int link_set_up(int fd, int index, bool up);

/* Whether KIND carries packets away within others, or hands them to a program. */
bool link_kind_is_tunnel(const char *kind);

/* Whether interfaces that have this one as their master are its ways out. */
bool link_kind_has_ports(const char *kind);
