/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decide_network.h: which destinations may be reached. Pure, as decide.h: no name is looked up. A rule that
 * names a host covers that name, and the addresses that who asks knows it by.
 */
#pragma once

#include "policy/address.h"
#include "policy/model.h"

enum {
        NETWORK_PORT_DNS = 53,
        NETWORK_PORT_NTP = 123
};

typedef struct NetworkQuestion {
        const char *to;    /* an address or a host name */
        Protocol protocol; /* PROTOCOL_ANY: one that has no word of its own */
        uint16_t port;     /* of tcp and udp */
        const Subject *subject;
        PolicyTime now;
        const char *program;   /* absolute path; NULL: not known, then rules that name one do not cover it */
        const char *interface; /* by which the way leads out; NULL as above */
        /* Whether ADDRESS is one of NAME's, as it was resolved; NULL: no name's addresses are known. */
        bool (*resolves)(const void *userdata, const char *name, const Address *address);
        const void *userdata;
} NetworkQuestion;

/* Whether RULE is about that destination, whoever asks, and whether it has expired or not. */
bool network_rule_covers(const NetworkRule *rule, const NetworkQuestion *question);

/* Whether it is an address of the terminal itself by its form. */
bool network_is_loopback(const Address *address);

/* What holds whoever asks, before any rule: loopback, a lockdown, resolvers and the like. False: the rules
 * decide, and RET is untouched. */
bool network_decide_for_everybody(const Policy *policy, const NetworkQuestion *question, OpenDecision *ret);

/* What is the terminal's own is approved, and nothing else while it is locked down; everything where the
 * policy does not speak of the network. Then resolvers and time servers are approved for everybody, and
 * rules are tried in order: the first that covers the destination and has not expired decides. What a link
 * needs to come up (network.services) is no destination, and not asked about here. RET is always filled;
 * where the question makes no sense it is a denial. POLICY is resolved (policy_resolve). */
void decide_network(const Policy *policy, const NetworkQuestion *question, OpenDecision *ret);
