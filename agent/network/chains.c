/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/chains.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "agent/network/table.h"
#include "policy/scope.h"

/* The bit of a connection's label that says that somebody was let through on it. */
#define CONNECTION_LABEL "101"

#define ANSWERS "\t\tct direction reply accept\n"

typedef struct Chain {
        char *text;
        uint64_t hash;
} Chain;

struct NetworkChains {
        Chain *chains;
        size_t n, allocated;
        int *slots; /* by hash: the number of a chain, or -1 */
        size_t n_slots;
        size_t total; /* bytes of all texts */
        const char *otherwise, *refusal;
};

NetworkChains *network_chains_new(const NetworkPlan *plan) {
        NetworkChains *chains = calloc(1, sizeof(*chains));

        if (!chains)
                return NULL;
        chains->otherwise = plan->monitor || plan->default_allow ? "passed" : "refuse";
        chains->refusal = plan->monitor ? "passed" : "refuse";
        return chains;
}

NetworkChains *network_chains_free(NetworkChains *chains) {
        if (!chains)
                return NULL;
        for (size_t i = 0; i < chains->n; i++)
                free(chains->chains[i].text);
        free(chains->chains);
        free(chains->slots);
        free(chains);
        return NULL;
}

/* A name that means itself between quotes: no star, which would stand for more. */
static bool is_interface_name(const char *name) {
        size_t length = strlen(name);

        for (size_t i = 0; i < length; i++)
                if (!isalnum((unsigned char)name[i]) && !strchr("._-:@", name[i]))
                        return false;
        return length > 0 && length < IFNAMSIZ;
}

static void print_ports(const NetworkDestination *destination, FILE *to) {
        fputs(" dport {", to);
        for (size_t i = 0; i < destination->n_ports; i++) {
                const PortRange *range = &destination->ports[i];

                fprintf(to, "%s %u", i > 0 ? "," : "", range->from);
                if (range->to != range->from)
                        fprintf(to, "-%u", range->to);
        }
        fputs(" }", to);
}

/* What a packet has to be for DESTINATION to be about it, but for its address. Returns whether that is
 * anything at all. */
static bool print_match(const NetworkDestination *destination, FILE *to) {
        const char *protocol = protocol_to_string(destination->protocol);
        bool ports = destination->n_ports > 0;

        if (destination->interface)
                fprintf(to, " oifname \"%s\"", destination->interface);
        if (destination->program)
                fprintf(to, " meta mark 0x%08" PRIx32, destination->mark);
        switch (destination->protocol) {
        case PROTOCOL_ANY:
                fputs(ports ? " meta l4proto { tcp, udp } th" : "", to);
                break;
        case PROTOCOL_TCP:
        case PROTOCOL_UDP:
                fprintf(to, ports ? " %s" : " meta l4proto %s", protocol);
                break;
        case PROTOCOL_ICMP:
                fputs(" meta l4proto { icmp, ipv6-icmp }", to);
                return true;
        }
        if (ports)
                print_ports(destination, to);
        return ports || destination->protocol != PROTOCOL_ANY || destination->interface ||
               destination->program;
}

static int compare_ids(const void *a, const void *b) {
        const uint32_t *x = a, *y = b;

        return *x < *y ? -1 : *x > *y;
}

/* As a set, in order and each once. */
static int print_ids(const uint32_t *ids, size_t n, FILE *to) {
        CLEANUP_FREE uint32_t *sorted = calloc(n, sizeof(*sorted));

        if (!sorted)
                return -ENOMEM;
        memcpy(sorted, ids, n * sizeof(*sorted));
        qsort(sorted, n, sizeof(*sorted), compare_ids);
        fputs(" {", to);
        for (size_t i = 0; i < n; i++)
                if (i == 0 || sorted[i] != sorted[i - 1])
                        fprintf(to, "%s %" PRIu32, i > 0 ? "," : "", sorted[i]);
        fputs(" }", to);
        return 0;
}

/* A socket that its program has closed has no owner any more: what of it is still to be sent is let out
 * where somebody may send, of connections on which somebody was let through. */
static int print_people(const NetworkDestination *destination, const char *match, const char *refusal,
                        FILE *to) {
        bool tcp = destination->protocol == PROTOCOL_TCP || destination->protocol == PROTOCOL_ANY;
        const char *accept = tcp ? " ct label set " CONNECTION_LABEL " accept\n" : " accept\n";
        int r = 0;

        if (destination->n_uids > 0) {
                fprintf(to, "\t\t%s meta skuid", match);
                r = print_ids(destination->uids, destination->n_uids, to);
                fputs(accept, to);
        }
        if (r == 0 && destination->n_gids > 0) {
                fprintf(to, "\t\t%s meta skgid", match);
                r = print_ids(destination->gids, destination->n_gids, to);
                fputs(accept, to);
        }
        if (tcp && destination->n_uids + destination->n_gids > 0) {
                fprintf(to, "\t\t%s meta skuid 0-4294967294 goto %s\n", match, refusal);
                fprintf(to, "\t\t%s%s ct state established ct label " CONNECTION_LABEL " accept\n", match,
                        destination->protocol == PROTOCOL_TCP ? "" : " meta l4proto tcp");
        }
        return r;
}

/* 1 if nothing behind it is ever asked. */
static int print_destination(const NetworkChains *chains, const NetworkDestination *destination, FILE *to) {
        CLEANUP_FREE char *match = NULL;
        const char *refusal = destination->tried ? "passed" : chains->refusal;
        size_t length = 0;
        FILE *f = open_memstream(&match, &length);
        bool some;
        int r = 0;

        if (!f)
                return -ENOMEM;
        some = print_match(destination, f);
        if (fclose(f) != 0)
                return -ENOMEM;
        if (destination->open && destination->everybody)
                fprintf(to, "\t\t%s accept\n", match);
        else {
                if (destination->open)
                        r = print_people(destination, match, refusal, to);
                fprintf(to, "\t\t%s goto %s\n", match, refusal);
        }
        return r < 0 ? r : some ? 0 : 1;
}

static bool is_everything(const NetworkDestination *destination) {
        return destination->open && destination->everybody && destination->protocol == PROTOCOL_ANY &&
               destination->n_ports == 0 && !destination->interface && !destination->program;
}

static bool may_match(const NetworkDestination *destination) {
        return !destination->interface || is_interface_name(destination->interface);
}

static bool is_for_everybody(const NetworkDestination *destination) {
        return destination->open && destination->everybody;
}

/* Answers to connections that came in are let out to where something is approved, and nowhere else: before
 * anything is refused, and after the first that are approved for everybody, which most packets are of. */
static int print_rules(const NetworkChains *chains, const NetworkPlan *plan, const size_t *covering,
                       size_t n, FILE *to) {
        bool some = false, answered = false;
        int r = 0;

        for (size_t i = 0; i < n; i++)
                some = some || plan->destinations[covering[i]].open;
        for (size_t i = 0; i < n && r == 0; i++) {
                const NetworkDestination *destination = &plan->destinations[covering[i]];

                if (some && !answered && !is_for_everybody(destination)) {
                        fputs(ANSWERS, to);
                        answered = true;
                }
                if (may_match(destination))
                        r = print_destination(chains, destination, to);
        }
        if (some && !answered && r == 0)
                fputs(ANSWERS, to);
        if (r == 0)
                fprintf(to, "\t\tgoto %s\n", chains->otherwise);
        return r < 0 ? r : 0;
}

static uint64_t hash_of(const char *text) {
        uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

        for (; *text; text++)
                hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
        return hash;
}

/* The slot that TEXT is in, or would be. There is always one that is free. */
static size_t find_slot(const NetworkChains *chains, const char *text, uint64_t hash) {
        size_t slot = hash & (chains->n_slots - 1);

        while (chains->slots[slot] >= 0) {
                const Chain *chain = &chains->chains[chains->slots[slot]];

                if (chain->hash == hash && strcmp(chain->text, text) == 0)
                        break;
                slot = (slot + 1) & (chains->n_slots - 1);
        }
        return slot;
}

/* Room for one more. */
static int grow(NetworkChains *chains) {
        size_t n = chains->allocated ? chains->allocated * 2 : 64;
        Chain *larger;
        int *slots;

        if (chains->n < chains->allocated)
                return 0;
        larger = reallocarray(chains->chains, n, sizeof(*larger));
        if (!larger)
                return -ENOMEM;
        chains->chains = larger;
        slots = reallocarray(chains->slots, n * 2, sizeof(*slots));
        if (!slots)
                return -ENOMEM;
        chains->allocated = n;
        chains->slots = slots;
        chains->n_slots = n * 2;
        memset(slots, -1, chains->n_slots * sizeof(*slots));
        for (size_t i = 0; i < chains->n; i++)
                slots[find_slot(chains, chains->chains[i].text, chains->chains[i].hash)] = (int)i;
        return 0;
}

int network_chains_of(NetworkChains *chains, const NetworkPlan *plan, const size_t *covering, size_t n) {
        CLEANUP_FREE char *text = NULL;
        size_t length = 0, slot;
        uint64_t hash;
        FILE *f;
        int r;

        if (n > 0 && is_everything(&plan->destinations[covering[0]]))
                return CHAIN_ACCEPT;
        f = open_memstream(&text, &length);
        if (!f)
                return -ENOMEM;
        r = print_rules(chains, plan, covering, n, f);
        if (fclose(f) != 0 && r == 0)
                r = -ENOMEM;
        if (r == 0)
                r = grow(chains);
        if (r < 0)
                return r;
        hash = hash_of(text);
        slot = find_slot(chains, text, hash);
        if (chains->slots[slot] >= 0)
                return chains->slots[slot];
        chains->total += length;
        if (chains->total > NETWORK_TABLE_MAX)
                return -E2BIG;
        chains->chains[chains->n] = (Chain){.text = STEAL_PTR(text), .hash = hash};
        chains->slots[slot] = (int)chains->n;
        return (int)chains->n++;
}

void network_chains_print(const NetworkChains *chains, FILE *to) {
        for (size_t i = 0; i < chains->n; i++)
                fprintf(to, "\tchain to_%zu {\n%s\t}\n", i, chains->chains[i].text);
}
