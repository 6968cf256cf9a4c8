/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decide_network.h: which destinations may be reached. Pure, as decide.h: no name is looked up. A rule that
 * names a host covers that name, and not the addresses it has.
 */
#pragma once

#include "policy/model.h"

typedef struct NetworkQuestion {
        const char *to;    /* an address or a host name */
        Protocol protocol; /* PROTOCOL_ANY: one that has no word of its own */
        uint16_t port;     /* of tcp and udp */
        const Subject *subject;
        PolicyTime now;
} NetworkQuestion;

/* Whether RULE is about that destination, whoever asks, and whether it has expired or not. */
bool network_rule_covers(const NetworkRule *rule, const NetworkQuestion *question);

/* Rules are tried in order, the first that covers the destination and has not expired decides. RET is always
 * filled; where the question makes no sense it is a denial. POLICY is resolved (policy_resolve). */
void decide_network(const Policy *policy, const NetworkQuestion *question, OpenDecision *ret);
