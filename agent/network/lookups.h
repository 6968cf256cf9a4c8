/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lookups.h: the maps in which the packet filter finds what is behind an address, and the rules that ask
 * them. One is of ranges and sorted. Where very many of these are prefixes of one length, which lists of
 * destinations often are, they have a map of that length instead: a hash takes no longer for ten thousand.
 * Pure.
 */
#pragma once

#include <stdio.h>

#include "agent/network/chains.h"
#include "agent/network/intervals.h"
#include "agent/network/plan.h"
#include "policy/scope.h"

enum {
        LOOKUPS_HASHED = 2,    /* so many lengths at most: every packet asks each of those maps */
        LOOKUPS_HASH_MIN = 256 /* prefixes of one length from which on it is worth that */
};

typedef struct NetworkRange {
        AddressNumber from, last;
        int verdict; /* of chains.h */
} NetworkRange;

typedef struct NetworkLookups {
        const NetworkPlan *plan;
        NetworkChains *chains;
        int bits; /* 32 or 128 */
        NetworkRange *ranges;
        size_t n, allocated;
        int hashed[LOOKUPS_HASHED]; /* lengths of prefixes */
        size_t n_hashed;
} NetworkLookups;

/* Find what is behind the addresses of BITS; the chains for it are added to CHAINS. 0, -ENOMEM, -E2BIG. */
int network_lookups_make(const NetworkPlan *plan, NetworkChains *chains, int bits, NetworkLookups *ret);

/* The maps. */
void network_lookups_print(const NetworkLookups *lookups, FILE *to);

/* The rules that ask them; what is in none of them goes on behind. */
void network_lookups_print_rules(const NetworkLookups *lookups, FILE *to);

void network_lookups_clear(NetworkLookups *lookups);
