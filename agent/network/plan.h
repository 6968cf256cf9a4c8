/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan.h: which destinations are approved now: a policy, the addresses that its names have and a moment,
 * made into a list that the packet filter and the programs of the control group both go by. Pure: nothing is
 * read, looked up or written here.
 */
#pragma once

#include "policy/address.h"
#include "policy/model.h"

enum {
        /* Of a rule's program: the socket mark by which the packet filter knows that the programs of the
         * control group have let its owner through; a number of the program is added (marks.h). */
        NETWORK_MARK = 0x5e000000,
        /* Of the agent's own attempts, whose refusal is no news: whatever carries it is dropped. */
        NETWORK_MARK_SELF_TEST = 0x5effffff
};

/* One rule for one prefix. A rule whose name has several addresses becomes several. */
typedef struct NetworkDestination {
        Address address;        /* without the bits behind the prefix */
        int prefix;             /* 0 to address.bits */
        Protocol protocol;      /* PROTOCOL_ANY: also those that have no word of their own */
        const PortRange *ports; /* of tcp and udp; none: all */
        size_t n_ports;
        bool everybody;    /* else who is in one of the following */
        const uid_t *uids; /* named, or members of a named group */
        size_t n_uids;
        const gid_t *gids;
        size_t n_gids;
        const char *program;       /* absolute path; NULL: any */
        const char *interface;     /* NULL: any */
        uint32_t mark;             /* NETWORK_MARK and a number of the program; 0 where it is any */
        bool open;                 /* by its hours; else it covers, and refuses */
        bool tried;                /* whom it would refuse is let through, and recorded */
        const char *rule, *origin; /* of the policy */
} NetworkDestination;

/* Destinations are tried in order: the first that covers the address, protocol, port, program and interface
 * decides: it lets through if it is open and for this person, and refuses otherwise. What none covers goes
 * by default_allow. */
typedef struct NetworkPlan {
        Policy *policy; /* a reference: strings above are its own */
        bool off;       /* the policy has no network section: nothing is filtered */
        bool default_allow;
        bool monitor;    /* everything is let through, and recorded */
        bool locked;     /* nothing but loopback, whatever else is said here: no destinations */
        bool dhcp;       /* DHCP and DHCPv6, as a client */
        bool neighbours; /* neighbour and router discovery, multicast listeners */
        NetworkDestination *destinations;
        size_t n_destinations;
        size_t n_unresolved; /* rules whose name has no address yet: they cover nothing */
        time_t next_change;  /* in how many seconds hours or an expiry make it another plan; 0: never */
        uid_t **members;     /* what uids point to, where groups were named */
        size_t n_members;
} NetworkPlan;

/* The addresses that a name was resolved to. */
typedef struct NetworkName {
        const char *name;
        const Address *addresses;
        size_t n_addresses;
} NetworkName;

/* Who is in a group, by the user database. The packet filter knows the user of a socket and nothing of
 * supplementary groups. */
typedef struct NetworkGroup {
        gid_t gid;
        const uid_t *uids;
        size_t n_uids;
} NetworkGroup;

/* What a plan needs to know besides the policy. Borrowed. */
typedef struct NetworkKnown {
        const NetworkName *names;
        size_t n_names;
        const NetworkGroup *groups;
        size_t n_groups;
        bool monitor; /* the agent was told to refuse nothing */
} NetworkKnown;

/* Make the plan of POLICY, which is resolved (policy_resolve), at NOW. 0 or -ENOMEM. */
int network_plan_make(Policy *policy, const NetworkKnown *known, const PolicyTime *now, NetworkPlan **ret);

NetworkPlan *network_plan_free(NetworkPlan *plan); /* returns NULL */

/* Whether DESTINATION covers TO, whoever asks and by whatever way. */
bool network_destination_covers(const NetworkDestination *destination, const Address *to, Protocol protocol,
                                uint16_t port);
