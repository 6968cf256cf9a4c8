/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/network/marks.h"
#include "policy/hours.h"
#include "policy/monitor.h"
#include "policy/scope.h"

static const PortRange port_dns = {53, 53};
static const PortRange port_ntp = {123, 123};

/* The plan in the making. */
typedef struct Maker {
        NetworkPlan *plan;
        const NetworkKnown *known;
        const PolicyTime *now;
        size_t allocated;
} Maker;

NetworkPlan *network_plan_free(NetworkPlan *plan) {
        if (!plan)
                return NULL;
        for (size_t i = 0; i < plan->n_members; i++)
                free(plan->members[i]);
        free(plan->members);
        free(plan->destinations);
        policy_unref(plan->policy);
        free(plan);
        return NULL;
}
DEFINE_CLEANUP(NetworkPlan, network_plan_free);

static void clear_host_bits(Address *address, int prefix) {
        for (int bit = prefix; bit < address->bits; bit++)
                address->bytes[bit / 8] &= (unsigned char)~(0x80U >> (bit % 8));
}

/* Address and prefix of PLACE. False where it is a name. */
static bool parse_place(const char *place, Address *address, int *prefix) {
        const char *slash = strchr(place, '/');
        Address parsed = address_parse(place, slash ? (size_t)(slash - place) : strlen(place));
        long bits = slash ? strtol(slash + 1, NULL, 10) : parsed.bits;

        if (parsed.bits == 0 || bits < 0 || bits > parsed.bits)
                return false;
        clear_host_bits(&parsed, (int)bits);
        *address = parsed;
        *prefix = (int)bits;
        return true;
}

static int append(Maker *maker, const NetworkDestination *destination) {
        NetworkPlan *plan = maker->plan;

        if (plan->n_destinations == maker->allocated) {
                size_t n = maker->allocated ? maker->allocated * 2 : 64;
                NetworkDestination *larger = reallocarray(plan->destinations, n, sizeof(*larger));

                if (!larger)
                        return -ENOMEM;
                plan->destinations = larger;
                maker->allocated = n;
        }
        plan->destinations[plan->n_destinations++] = *destination;
        return 0;
}

static const NetworkName *find_name(const NetworkKnown *known, const char *name) {
        for (size_t i = 0; i < known->n_names; i++)
                if (strcasecmp(known->names[i].name, name) == 0)
                        return &known->names[i];
        return NULL;
}

/* DESTINATION for each address of TO. */
static int append_places(Maker *maker, NetworkDestination *destination, const char *to) {
        const NetworkName *name;
        int r = 0;

        if (parse_place(to, &destination->address, &destination->prefix))
                return append(maker, destination);
        name = find_name(maker->known, to);
        if (!name || name->n_addresses == 0)
                maker->plan->n_unresolved++;
        for (size_t i = 0; name && i < name->n_addresses && r == 0; i++) {
                destination->address = name->addresses[i];
                destination->prefix = destination->address.bits;
                r = append(maker, destination);
        }
        return r;
}

static const NetworkGroup *find_group(const NetworkKnown *known, gid_t gid) {
        for (size_t i = 0; i < known->n_groups; i++)
                if (known->groups[i].gid == gid)
                        return &known->groups[i];
        return NULL;
}

static size_t count_members(const NetworkKnown *known, const RuleScope *scope) {
        size_t n = 0;

        for (size_t i = 0; i < scope->n_gids; i++) {
                const NetworkGroup *group = find_group(known, scope->gids[i]);

                n += group ? group->n_uids : 0;
        }
        return n;
}

/* Who SCOPE names, with the members of its groups. */
static int set_people(Maker *maker, NetworkDestination *destination, const RuleScope *scope) {
        size_t more = count_members(maker->known, scope), n = scope->n_uids;
        NetworkPlan *plan = maker->plan;
        uid_t *uids, **list;

        destination->everybody = scope->n_users == 0 && scope->n_groups == 0;
        destination->uids = scope->uids;
        destination->n_uids = scope->n_uids;
        destination->gids = scope->gids;
        destination->n_gids = scope->n_gids;
        if (more == 0)
                return 0;
        list = reallocarray(plan->members, plan->n_members + 1, sizeof(*list));
        if (!list)
                return -ENOMEM;
        plan->members = list;
        uids = calloc(n + more, sizeof(*uids));
        if (!uids)
                return -ENOMEM;
        plan->members[plan->n_members++] = uids;
        if (n > 0)
                memcpy(uids, scope->uids, n * sizeof(*uids));
        for (size_t i = 0; i < scope->n_gids; i++) {
                const NetworkGroup *group = find_group(maker->known, scope->gids[i]);

                if (group && group->n_uids > 0)
                        memcpy(uids + n, group->uids, group->n_uids * sizeof(*uids));
                n += group ? group->n_uids : 0;
        }
        destination->uids = uids;
        destination->n_uids = n;
        return 0;
}

static void take_sooner(time_t *soonest, time_t seconds) {
        if (seconds > 0 && (*soonest == 0 || seconds < *soonest))
                *soonest = seconds;
}

static int append_rule(Maker *maker, const NetworkRule *rule, uint32_t mark) {
        const PolicyTime *now = maker->now;
        const Hours *hours = &rule->scope.hours;
        NetworkPlan *plan = maker->plan;
        NetworkDestination destination = {.protocol = rule->protocol,
                                          .ports = rule->ports,
                                          .n_ports = rule->n_ports,
                                          .program = rule->program,
                                          .interface = rule->interface,
                                          .mark = mark,
                                          .open = hours_cover(hours, now->weekday, now->minute),
                                          .tried = !plan->locked &&
                                                   monitor_is_on(&rule->monitor, now->expiry_now),
                                          .rule = rule->name,
                                          .origin = rule->origin};
        int minutes, r;

        if (rule->scope.expires != 0 && now->expiry_now >= rule->scope.expires)
                return 0;
        if (rule->scope.expires != 0)
                take_sooner(&plan->next_change, rule->scope.expires - now->expiry_now);
        minutes = hours_next_change(hours, now->weekday, now->minute);
        if (minutes > 0)
                take_sooner(&plan->next_change, (time_t)minutes * 60 - now->expiry_now % 60 + 1);
        if (destination.tried && rule->monitor.until != 0)
                take_sooner(&plan->next_change, rule->monitor.until - now->expiry_now);
        r = set_people(maker, &destination, &rule->scope);
        return r < 0 ? r : append_places(maker, &destination, rule->to);
}

/* What the section's services name: an address each, for everybody. */
static int append_services(Maker *maker, char *const *places, size_t n, Protocol protocol,
                           const PortRange *port, const char *rule) {
        const Policy *policy = maker->plan->policy;
        NetworkDestination destination = {.protocol = protocol,
                                          .ports = port,
                                          .n_ports = 1,
                                          .everybody = true,
                                          .open = true,
                                          .rule = rule,
                                          .origin = policy->network_origin ? policy->network_origin
                                                                           : "built-in"};
        int r = 0;

        for (size_t i = 0; i < n && r == 0; i++)
                r = append_places(maker, &destination, places[i]);
        return r;
}

static int fill(Maker *maker) {
        const Policy *policy = maker->plan->policy;
        CLEANUP_FREE uint32_t *marks = NULL;
        int r = network_marks_make(policy, &marks);

        if (r == 0)
                r = append_services(maker, policy->resolvers, policy->n_resolvers, PROTOCOL_UDP, &port_dns,
                                    "network.resolvers");
        if (r == 0)
                r = append_services(maker, policy->resolvers, policy->n_resolvers, PROTOCOL_TCP, &port_dns,
                                    "network.resolvers");
        if (r == 0)
                r = append_services(maker, policy->ntp, policy->n_ntp, PROTOCOL_UDP, &port_ntp,
                                    "network.ntp");
        for (size_t i = 0; i < policy->n_network && r == 0; i++)
                r = append_rule(maker, &policy->network[i], marks[i]);
        return r;
}

int network_plan_make(Policy *policy, const NetworkKnown *known, const PolicyTime *now, NetworkPlan **ret) {
        CLEANUP(scope_network_plan_free) NetworkPlan *plan = calloc(1, sizeof(*plan));
        Maker maker = {.plan = plan, .known = known, .now = now};
        int r;

        if (!plan)
                return -ENOMEM;
        plan->policy = policy_ref(policy);
        plan->off = !policy->network_given;
        plan->default_allow = policy->network_default_allow;
        plan->locked = policy_is_locked_down(policy);
        plan->monitor = known->monitor || (!plan->locked && policy_is_monitor(policy, now->expiry_now));
        if (plan->monitor && policy->monitor_until > now->expiry_now)
                take_sooner(&plan->next_change, policy->monitor_until - now->expiry_now);
        plan->dhcp = policy->network_dhcp;
        plan->neighbours = policy->network_neighbours;
        r = plan->locked ? 0 : fill(&maker);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(plan);
        return 0;
}

static bool covers_port(const NetworkDestination *destination, Protocol protocol, uint16_t port) {
        if (destination->n_ports == 0)
                return true;
        if (protocol != PROTOCOL_TCP && protocol != PROTOCOL_UDP)
                return false;
        for (size_t i = 0; i < destination->n_ports; i++)
                if (port >= destination->ports[i].from && port <= destination->ports[i].to)
                        return true;
        return false;
}

bool network_destination_covers(const NetworkDestination *destination, const Address *to, Protocol protocol,
                                uint16_t port) {
        if (destination->protocol != PROTOCOL_ANY && destination->protocol != protocol)
                return false;
        return covers_port(destination, protocol, port) && destination->address.bits == to->bits &&
               address_same_bits(&destination->address, to, destination->prefix);
}
