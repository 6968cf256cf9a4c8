/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ether.h: network interfaces that no frame goes out of or comes in by, whatever its protocol: ARP,
 * neighbour discovery, LLDP, what packet sockets send. A table of the kernel's packet filter, of family
 * netdev, with two chains that drop all per interface. It stays when its maker goes. Source: nft(8), NETDEV
 * ADDRESS FAMILY; egress since Linux 5.16.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "agent/network/netlink.h"

#define ETHER_TABLE "sekisho_interfaces"

/* Make the table hold exactly these interfaces (none: there is no table), at once: none is let go in between
 * that stays held. One that is gone by now is passed over. FD is netlink_open(NETLINK_NETFILTER, 0). 0 or
 * -errno: then it holds what it held. */
int ether_replace(int fd, const char *const *names, size_t n);

/* Hold NAME as well. 0, also if it is held; -errno. */
int ether_add(int fd, const char *name);

typedef enum EtherTouch {
        ETHER_UNTOUCHED,
        ETHER_HOLDS_MORE, /* as ether_add() leaves it: nothing is let go */
        ETHER_LOST
} EtherTouch;

/* What a message of the group NFNLGRP_NFTABLES tells of a change to the table by another than PORT. */
EtherTouch ether_touched(const struct nlmsghdr *message, uint32_t port);
