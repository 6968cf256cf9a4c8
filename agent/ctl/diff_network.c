/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Destinations. The prefixes of both policies cut the addresses into stretches in which every address has
 * the same rules: one of each is asked about, and by it each stretch of ports, with each program and by each
 * interface that a rule about it names, and with and by none of them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/ctl/diff.h"
#include "policy/address.h"
#include "policy/decide_network.h"

enum {
        BITS_V4 = 32,
        BITS_V6 = 128
};

/* What is open to everybody by its port, and the terminal's own. */
static const char *const own_places[] = {"127.0.0.0/8", "::1"};

typedef struct Network {
        Diff *diff;
        Address *addresses; /* the first of each stretch, sorted */
        size_t n_addresses;
        struct json_object *considered; /* destinations, as keys */
} Network;

static void network_clear(Network *network) {
        free(network->addresses);
        json_object_put(network->considered);
}

static int add_address(Network *network, Address address) {
        Address *grown = reallocarray(network->addresses, network->n_addresses + 1, sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        network->addresses = grown;
        grown[network->n_addresses++] = address;
        return 0;
}

/* The address behind the last one of the prefix; false if there is none. */
static bool behind(const char *place, Address *ret) {
        const char *slash = strchr(place, '/');
        Address address = address_parse(place, slash ? (size_t)(slash - place) : strlen(place));
        long bit = (slash ? strtol(slash + 1, NULL, 10) : address.bits) - 1;

        for (; bit >= 0; bit--) {
                unsigned char mask = (unsigned char)(0x80U >> (bit % 8));

                address.bytes[bit / 8] ^= mask;
                if (address.bytes[bit / 8] & mask) { /* no carry */
                        *ret = address;
                        return true;
                }
        }
        return false;
}

static int compare_addresses(const void *a, const void *b) {
        const Address *x = a, *y = b;

        return x->bits != y->bits ? x->bits - y->bits : memcmp(x->bytes, y->bytes, sizeof(x->bytes));
}

/* Where the addresses of a place begin, and what comes behind them. */
static int add_place(Network *network, const char *place) {
        Address address = address_parse(place, strcspn(place, "/"));
        int r;

        if (address.bits == 0)
                return 0;
        r = add_address(network, address);
        return r == 0 && behind(place, &address) ? add_address(network, address) : r;
}

static int add_places(Network *network, char *const *places, size_t n) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++)
                r = add_place(network, places[i]);
        return r;
}

static int find_stretches(Network *network) {
        int r = add_address(network, (Address){.bits = BITS_V4});
        size_t n = 0;

        if (r == 0)
                r = add_address(network, (Address){.bits = BITS_V6});
        for (size_t i = 0; r == 0 && i < ELEMENTS(own_places); i++)
                r = add_place(network, own_places[i]);
        for (int side = 0; side < DIFF_SIDES; side++) {
                const Policy *policy = network->diff->policies[side];

                for (size_t i = 0; r == 0 && i < policy->n_network; i++)
                        r = add_place(network, policy->network[i].to);
                if (r == 0)
                        r = add_places(network, policy->resolvers, policy->n_resolvers);
                if (r == 0)
                        r = add_places(network, policy->ntp, policy->n_ntp);
        }
        if (r < 0)
                return r;
        qsort(network->addresses, network->n_addresses, sizeof(*network->addresses), compare_addresses);
        for (size_t i = 0; i < network->n_addresses; i++)
                if (n == 0 || compare_addresses(&network->addresses[n - 1], &network->addresses[i]) != 0)
                        network->addresses[n++] = network->addresses[i];
        network->n_addresses = n;
        return 0;
}

/* asking */

static uint32_t ask_destination(const void *userdata, const Policy *policy, const Subject *subject,
                                const PolicyTime *now, const char **ret_rule) {
        NetworkQuestion question = *(const NetworkQuestion *)userdata;
        OpenDecision decision;

        question.subject = subject;
        question.now = *now;
        decide_network(policy, &question, &decision);
        *ret_rule = decision.rule;
        return decision.verdict | (decision.monitor ? DIFF_MONITOR : 0);
}

static bool same_rule(const NetworkRule *a, const NetworkRule *b) {
        return diff_same_scope(&a->scope, &b->scope) && diff_same_monitor(&a->monitor, &b->monitor);
}

static size_t next_rule(const Policy *policy, const NetworkQuestion *question, size_t from) {
        while (from < policy->n_network && !network_rule_covers(&policy->network[from], question))
                from++;
        return from;
}

static bool same_rules(const Diff *diff, const NetworkQuestion *question) {
        const Policy *a = diff->policies[DIFF_BEFORE], *b = diff->policies[DIFF_AFTER];
        OpenDecision first, second;
        bool by_none = network_decide_for_everybody(a, question, &first),
             by_none_after = network_decide_for_everybody(b, question, &second);
        size_t i = 0, j = 0;

        if (by_none || by_none_after)
                return by_none && by_none_after && first.verdict == second.verdict;
        for (;; i++, j++) {
                i = next_rule(a, question, i);
                j = next_rule(b, question, j);
                if (i == a->n_network || j == b->n_network)
                        break;
                if (!same_rule(&a->network[i], &b->network[j]))
                        return false;
        }
        return i == a->n_network && j == b->n_network &&
               a->network_default_allow == b->network_default_allow;
}

static const char *narrower(const char *present, const char *to) {
        const char *slash = strchr(to, '/'), *other = present ? strchr(present, '/') : NULL;

        return !present || (other && (!slash || atoi(slash + 1) > atoi(other + 1))) ? to : present;
}

static const char *narrowest_of(char *const *places, size_t n, const Address *address, const char *present) {
        for (size_t i = 0; i < n; i++)
                if (address_in(places[i], address))
                        present = narrower(present, places[i]);
        return present;
}

/* The narrowest place, of a rule or what is open to everybody, that covers the destination; NULL: none. */
static const char *narrowest(const Policy *policy, const NetworkQuestion *question, const char *present) {
        Address address = address_parse(question->to, strlen(question->to));

        for (size_t i = 0; (i = next_rule(policy, question, i)) < policy->n_network; i++)
                present = narrower(present, policy->network[i].to);
        if (question->port == NETWORK_PORT_DNS)
                present = narrowest_of(policy->resolvers, policy->n_resolvers, &address, present);
        if (question->port == NETWORK_PORT_NTP)
                present = narrowest_of(policy->ntp, policy->n_ntp, &address, present);
        return present;
}

static int add_rules(DiffGrid *grid, const Policy *policy, const NetworkQuestion *question,
                     struct json_object *names) {
        int r = 0;

        for (size_t i = 0; r == 0 && (i = next_rule(policy, question, i)) < policy->n_network; i++) {
                json_append_text(names, policy->network[i].name);
                r = diff_grid_add_scope(grid, &policy->network[i].scope);
        }
        return r;
}

/* Whether another stretch of the same place, with the same rules, was asked about; remembers it. */
static bool was_considered(Network *network, struct json_object *what) {
        const char *key = json_object_to_json_string_ext(what, JSON_C_TO_STRING_PLAIN);

        if (!key || json_object_object_get_ex(network->considered, key, NULL))
                return key != NULL;
        json_object_object_add(network->considered, key, json_object_new_boolean(true));
        return false;
}

static void put_ports(struct json_object *what, const PortRange *stretch) {
        struct json_object *ports = stretch ? json_object_new_array() : NULL;

        if (ports) {
                json_object_array_add(ports, json_object_new_int(stretch->from));
                json_object_array_add(ports, json_object_new_int(stretch->to));
        }
        json_object_object_add(what, "ports", ports);
}

static int consider_port(Network *network, NetworkQuestion *question, const PortRange *stretch) {
        Diff *diff = network->diff;
        CLEANUP_JSON struct json_object *what = json_object_new_object(), *names = json_object_new_array();
        CLEANUP_DIFF_GRID DiffGrid grid = {0};
        const DiffObject object = {.section = "network",
                                   .what = what,
                                   .ask = ask_destination,
                                   .word = diff_verdict_word,
                                   .userdata = question};
        const char *place = NULL;
        int r;

        if (same_rules(diff, question))
                return 0;
        r = diff_grid_begin(diff, &grid);
        for (int side = 0; r == 0 && side < DIFF_SIDES; side++) {
                r = add_rules(&grid, diff->policies[side], question, names);
                place = narrowest(diff->policies[side], question, place);
        }
        json_put_text(what, "to", place);
        json_put_text(what, "protocol",
                      question->protocol == PROTOCOL_ANY ? "other" : protocol_to_string(question->protocol));
        put_ports(what, stretch);
        json_put_text(what, "program", question->program);
        json_put_text(what, "interface", question->interface);
        json_object_object_add(what, "names", json_object_get(names));
        return r < 0 || was_considered(network, what) ? r : diff_compare(diff, &grid, &object);
}

/* Where the ports of the rules about this destination begin, and what comes behind them. */
static void mark_ports(const Policy *policy, const NetworkQuestion *question, bool starts[static 65537]) {
        for (size_t i = 0; i < policy->n_network; i++) {
                const NetworkRule *rule = &policy->network[i];
                NetworkQuestion asked = *question;

                if (rule->n_ports == 0)
                        continue;
                asked.port = rule->ports[0].from;
                if (!network_rule_covers(rule, &asked))
                        continue;
                for (size_t p = 0; p < rule->n_ports; p++)
                        starts[rule->ports[p].from] = starts[rule->ports[p].to + 1] = true;
        }
}

static void mark(bool starts[static 65537], unsigned port) {
        starts[port] = starts[port + 1] = true;
}

/* The same of what is open to everybody. */
static void mark_open(const Network *network, const NetworkQuestion *question, bool starts[static 65537]) {
        Address address = address_parse(question->to, strlen(question->to));

        for (int side = 0; side < DIFF_SIDES; side++) {
                const Policy *policy = network->diff->policies[side];

                if (narrowest_of(policy->resolvers, policy->n_resolvers, &address, NULL))
                        mark(starts, NETWORK_PORT_DNS);
                if (narrowest_of(policy->ntp, policy->n_ntp, &address, NULL))
                        mark(starts, NETWORK_PORT_NTP);
        }
}

static int consider_ports(Network *network, NetworkQuestion *question) {
        CLEANUP_FREE bool *starts = calloc(65537, sizeof(*starts));
        int r = 0;

        if (!starts)
                return -ENOMEM;
        for (int side = 0; side < DIFF_SIDES; side++)
                mark_ports(network->diff->policies[side], question, starts);
        starts[1] = true;
        mark_open(network, question, starts);
        for (unsigned port = 1, end; r == 0 && port <= UINT16_MAX; port = end) {
                PortRange stretch = {.from = (uint16_t)port};

                for (end = port + 1; end <= UINT16_MAX && !starts[end];)
                        end++;
                stretch.to = (uint16_t)(end - 1);
                question->port = (uint16_t)port;
                r = consider_port(network, question,
                                  stretch.from == 1 && stretch.to == UINT16_MAX ? NULL : &stretch);
        }
        return r;
}

static int consider_way(Network *network, const NetworkQuestion *way) {
        NetworkQuestion question = *way;
        int r;

        question.protocol = PROTOCOL_TCP;
        r = consider_ports(network, &question);
        question.protocol = PROTOCOL_UDP;
        if (r == 0)
                r = consider_ports(network, &question);
        question.port = 0;
        question.protocol = PROTOCOL_ICMP;
        if (r == 0)
                r = consider_port(network, &question, NULL);
        question.protocol = PROTOCOL_ANY;
        return r < 0 ? r : consider_port(network, &question, NULL);
}

typedef struct Ways {
        const char **programs, **interfaces; /* the first of each is none */
        size_t n_programs, n_interfaces;
} Ways;

static void ways_clear(Ways *ways) {
        free(ways->programs);
        free(ways->interfaces);
}

static int add_word(const char ***words, size_t *n, const char *word) {
        const char **grown;

        for (size_t i = 0; i < *n; i++)
                if ((!word && !(*words)[i]) || (word && (*words)[i] && strcmp((*words)[i], word) == 0))
                        return 0;
        grown = reallocarray(*words, *n + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        *words = grown;
        grown[(*n)++] = word;
        return 0;
}

/* The programs and interfaces that rules about TO name, for whatever protocol and port. */
static int find_ways(const Network *network, const char *to, Ways *ways) {
        int r = add_word(&ways->programs, &ways->n_programs, NULL);

        if (r == 0)
                r = add_word(&ways->interfaces, &ways->n_interfaces, NULL);
        for (int side = 0; side < DIFF_SIDES; side++)
                for (size_t i = 0; r == 0 && i < network->diff->policies[side]->n_network; i++) {
                        const NetworkRule *rule = &network->diff->policies[side]->network[i];
                        const NetworkQuestion asked = {.to = to,
                                                       .protocol = rule->protocol,
                                                       .port = rule->n_ports > 0 ? rule->ports[0].from : 0,
                                                       .program = rule->program,
                                                       .interface = rule->interface};

                        if ((!rule->program && !rule->interface) || !network_rule_covers(rule, &asked))
                                continue;
                        r = add_word(&ways->programs, &ways->n_programs, rule->program);
                        if (r == 0)
                                r = add_word(&ways->interfaces, &ways->n_interfaces, rule->interface);
                }
        return r;
}

static int consider(Network *network, const char *to) {
        CLEANUP(ways_clear) Ways ways = {0};
        int r = find_ways(network, to, &ways);

        for (size_t i = 0; i < ways.n_programs; i++)
                for (size_t j = 0; r == 0 && j < ways.n_interfaces; j++)
                        r = consider_way(network, &(NetworkQuestion){.to = to,
                                                                     .program = ways.programs[i],
                                                                     .interface = ways.interfaces[j]});
        return r;
}

int diff_network(Diff *diff) {
        CLEANUP(network_clear) Network network = {.diff = diff, .considered = json_object_new_object()};
        int r = find_stretches(&network);

        if (r == 0)
                r = consider(&network, "a name that no rule has");
        for (int side = 0; side < DIFF_SIDES; side++)
                for (size_t i = 0; r == 0 && !diff->cut && i < diff->policies[side]->n_network; i++) {
                        const char *to = diff->policies[side]->network[i].to;

                        if (address_parse(to, strcspn(to, "/")).bits == 0)
                                r = consider(&network, to);
                }
        for (size_t i = 0; r == 0 && !diff->cut && i < network.n_addresses; i++) {
                const Address *address = &network.addresses[i];
                char text[INET6_ADDRSTRLEN];

                if (inet_ntop(address->bits == BITS_V4 ? AF_INET : AF_INET6, address->bytes, text,
                              sizeof(text)))
                        r = consider(&network, text);
        }
        return r;
}
