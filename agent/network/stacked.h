/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stacked.h: the verdict on an interface, with what it stands on taken into account. Pure.
 *
 * What stands on one other (vlan, macvlan) is as that one is. What has ports (bridge, bond) is refused if it
 * has some and all are: each refused one is held by itself. Tunnels are judged by themselves, and are
 * refused as well where what they are bound to is.
 */
#pragma once

#include "agent/network/identity.h"
#include "policy/verdict.h"

/* An interface and the verdict on it alone. */
typedef struct StackedLink {
        const Link *link;
        const OpenDecision *decision;
} StackedLink;

/* The verdict on LINKS[WHICH] among all N of the network namespace; one of theirs. */
const OpenDecision *stacked_decision(const StackedLink *links, size_t n, size_t which);
