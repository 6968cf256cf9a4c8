/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * intervals.h: prefixes that lie within one another, cut into ranges of addresses that the same of them
 * cover, so that one look at a sorted map tells them all. Pure.
 */
#pragma once

#include <stddef.h>

#include "agent/network/plan.h"

/* A number that any address fits in. */
__extension__ typedef unsigned __int128 AddressNumber;

/* The addresses from FROM to TO are covered by the N destinations whose numbers stand at COVERING, in
 * ascending order, and by no others. 0 goes on; anything else ends it. */
typedef int (*IntervalVisit)(void *userdata, AddressNumber from, AddressNumber to, const size_t *covering,
                             size_t n);

/* Call VISIT for each range of the addresses of BITS (32 or 128) that PLAN covers, from the lowest on. 0,
 * -ENOMEM, or what VISIT said. */
int network_intervals(const NetworkPlan *plan, int bits, IntervalVisit visit, void *userdata);

/* NUMBER as an address of BITS. */
Address address_of_number(AddressNumber number, int bits);
