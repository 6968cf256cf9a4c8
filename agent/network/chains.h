/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chains.h: the rules behind ranges of addresses. Ranges under the same rules share a chain, whatever the
 * destinations are called. Pure.
 */
#pragma once

#include <stdio.h>

#include "agent/network/plan.h"

enum {
        CHAIN_ACCEPT = -1000000, /* no chain: everything there is let through */
        CHAIN_NONE = -1000001
};

typedef struct NetworkChains NetworkChains;

/* Chains of PLAN: where nothing matches they go on as it says. NULL if memory is short. */
NetworkChains *network_chains_new(const NetworkPlan *plan);
NetworkChains *network_chains_free(NetworkChains *chains); /* returns NULL */

/* The number of the chain for what those N destinations cover, 0 or more; CHAIN_ACCEPT; -ENOMEM; -E2BIG
 * where it all becomes too much. */
int network_chains_of(NetworkChains *chains, const NetworkPlan *plan, const size_t *covering, size_t n);

/* Their text, each as chain to_NUMBER. */
void network_chains_print(const NetworkChains *chains, FILE *to);
