/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/hooks/tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/scope.h"

enum {
        FAMILY_BITS = 8,
        IPV4_BITS = 32,
        DEPTH_MAX = FAMILY_BITS + 128
};

_Static_assert((int)HOOKS_PROTOCOL_ANY == (int)PROTOCOL_ANY &&
                       (int)HOOKS_PROTOCOL_TCP == (int)PROTOCOL_TCP &&
                       (int)HOOKS_PROTOCOL_UDP == (int)PROTOCOL_UDP &&
                       (int)HOOKS_PROTOCOL_ICMP == (int)PROTOCOL_ICMP,
               "the kernel's programs are told a Protocol as it is");

/* A row and the prefix that it is for. */
typedef struct Entry {
        struct hooks_place place;
        uint32_t row;
} Entry;

struct hooks_place hooks_place_of(const Address *address, int prefix) {
        struct hooks_place place = {.prefix = (uint32_t)(FAMILY_BITS + prefix),
                                    .family = address->bits == IPV4_BITS ? 4 : 6};

        for (int bit = 0; bit < prefix; bit++)
                place.address[bit / 8] |= address->bytes[bit / 8] & (0x80U >> (bit % 8));
        return place;
}

/* rows */

static const NetworkRule *rule_of(const NetworkPlan *plan, const NetworkDestination *destination) {
        for (size_t i = 0; plan->policy && i < plan->policy->n_network; i++)
                if (plan->policy->network[i].name == destination->rule)
                        return &plan->policy->network[i];
        return NULL;
}

static struct hooks_row row_of(const NetworkPlan *plan, size_t i, const LsmMoment *now) {
        const NetworkDestination *destination = &plan->destinations[i];
        const NetworkRule *rule = rule_of(plan, destination);
        struct hooks_row row = {.mark = destination->mark,
                                .number = (uint32_t)i + 1,
                                .protocol = (uint8_t)destination->protocol,
                                .by_interface = destination->interface != NULL,
                                .until = destination->open ? UINT64_MAX : 0};

        if (rule) {
                uint64_t from, until;

                lsm_window(&rule->scope.hours, now, &from, &until);
                row.from = from;
                row.until = until;
                row.expires = lsm_expiry(rule->scope.expires, now);
                if (destination->tried)
                        row.tried = rule->monitor.until ? lsm_expiry(rule->monitor.until, now) : UINT64_MAX;
        }
        return row;
}

static size_t count_rows(const NetworkPlan *plan) {
        size_t n = 0;

        for (size_t i = 0; i < plan->n_destinations; i++)
                n += plan->destinations[i].n_ports > 0 ? plan->destinations[i].n_ports : 1;
        return n;
}

static int add_people(HooksTables *tables, uint32_t set, const uint32_t *ids, size_t n, bool groups) {
        struct hooks_person *grown;

        if (n == 0)
                return 0;
        grown = reallocarray(tables->people, tables->n_people + n, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        tables->people = grown;
        for (size_t i = 0; i < n; i++)
                grown[tables->n_people++] =
                        (struct hooks_person){.people = set, .id = ids[i], .is_group = groups};
        return 0;
}

static bool same_people(const NetworkDestination *a, const NetworkDestination *b) {
        return !b->everybody && a->uids == b->uids && a->n_uids == b->n_uids && a->gids == b->gids &&
               a->n_gids == b->n_gids;
}

/* The number of the set of people destination I is for. Those of one rule have the same: one set. */
static int people_of(HooksTables *tables, const NetworkPlan *plan, size_t i, uint32_t *last) {
        const NetworkDestination *destination = &plan->destinations[i];
        int r;

        if (destination->everybody) {
                *last = 0;
                return 0;
        }
        if (i > 0 && same_people(destination, &plan->destinations[i - 1]))
                return 0;
        *last = (uint32_t)i + 1;
        r = add_people(tables, *last, destination->uids, destination->n_uids, false);
        return r < 0 ? r : add_people(tables, *last, destination->gids, destination->n_gids, true);
}

static int add_program(HooksTables *tables, const NetworkDestination *destination) {
        HooksProgram *grown;

        if (destination->mark == 0 || !destination->program)
                return 0;
        for (size_t i = 0; i < tables->n_programs; i++)
                if (tables->programs[i].mark == destination->mark)
                        return 0;
        grown = reallocarray(tables->programs, tables->n_programs + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        tables->programs = grown;
        grown[tables->n_programs++] =
                (HooksProgram){.path = destination->program, .mark = destination->mark};
        return 0;
}

static int make_rows(HooksTables *tables, const NetworkPlan *plan, const LsmMoment *now, Entry *entries) {
        uint32_t people = 0;

        for (size_t i = 0; i < plan->n_destinations; i++) {
                const NetworkDestination *destination = &plan->destinations[i];
                struct hooks_row row = row_of(plan, i, now);
                int r = people_of(tables, plan, i, &people);

                if (r == 0)
                        r = add_program(tables, destination);
                if (r < 0)
                        return r;
                row.people = people;
                for (size_t j = 0; j == 0 || j < destination->n_ports; j++) {
                        if (destination->n_ports > 0) {
                                row.by_port = 1;
                                row.port_from = destination->ports[j].from;
                                row.port_to = destination->ports[j].to;
                        }
                        entries[tables->n_rows] =
                                (Entry){.place = hooks_place_of(&destination->address, destination->prefix),
                                        .row = (uint32_t)tables->n_rows};
                        tables->rows[tables->n_rows++] = row;
                }
        }
        return 0;
}

/* lists */

/* A prefix comes before those in it, and rows of one prefix in their order. */
static int compare_entries(const void *a, const void *b) {
        const Entry *x = a, *y = b;
        int r = x->place.family - y->place.family;

        if (r == 0)
                r = memcmp(x->place.address, y->place.address, sizeof(x->place.address));
        if (r == 0)
                r = x->place.prefix < y->place.prefix ? -1 : x->place.prefix > y->place.prefix;
        return r != 0 ? r : x->row < y->row ? -1 : x->row > y->row;
}

static bool same_place(const struct hooks_place *a, const struct hooks_place *b) {
        return a->prefix == b->prefix && a->family == b->family &&
               memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static bool lies_in(const struct hooks_place *inner, const struct hooks_place *outer) {
        if (inner->family != outer->family || inner->prefix < outer->prefix)
                return false;
        for (uint32_t bit = 0; bit < outer->prefix - FAMILY_BITS; bit++)
                if ((inner->address[bit / 8] ^ outer->address[bit / 8]) & (0x80U >> (bit % 8)))
                        return false;
        return true;
}

static int grow_lists(HooksTables *tables, size_t more, size_t *room) {
        uint32_t *grown;

        if (tables->n_lists + more > HOOKS_ROWS_MAX)
                return -E2BIG;
        if (tables->n_lists + more <= *room)
                return 0;
        *room = 2 * (tables->n_lists + more);
        grown = reallocarray(tables->lists, *room, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        tables->lists = grown;
        return 0;
}

/* The list of OUTER (none: empty) and N rows of ENTRIES in one, by their order. */
static int make_list(HooksTables *tables, const HooksPlace *outer, const Entry *entries, size_t n,
                     size_t *room, struct hooks_list *ret) {
        size_t from_outer = outer ? outer->list.n : 0, i = 0, j = 0;
        int r = grow_lists(tables, from_outer + n, room);

        if (r < 0)
                return r;
        if (from_outer + n > HOOKS_LIST_MAX)
                return -E2BIG;
        *ret = (struct hooks_list){.at = (uint32_t)tables->n_lists, .n = (uint32_t)(from_outer + n)};
        while (i < from_outer || j < n) {
                const uint32_t *other = outer ? &tables->lists[outer->list.at + i] : NULL;

                if (j == n || (i < from_outer && *other < entries[j].row)) {
                        tables->lists[tables->n_lists++] = *other;
                        i++;
                } else
                        tables->lists[tables->n_lists++] = entries[j++].row;
        }
        return 0;
}

static int make_places(HooksTables *tables, Entry *entries) {
        size_t outers[DEPTH_MAX + 1], n_outers = 0, room = 0;

        qsort(entries, tables->n_rows, sizeof(*entries), compare_entries);
        for (size_t i = 0, n; i < tables->n_rows; i += n) {
                HooksPlace *place = &tables->places[tables->n_places];
                int r;

                for (n = 1; i + n < tables->n_rows && same_place(&entries[i].place, &entries[i + n].place);)
                        n++;
                while (n_outers > 0 &&
                       !lies_in(&entries[i].place, &tables->places[outers[n_outers - 1]].place))
                        n_outers--;
                place->place = entries[i].place;
                r = make_list(tables, n_outers > 0 ? &tables->places[outers[n_outers - 1]] : NULL,
                              &entries[i], n, &room, &place->list);
                if (r < 0)
                        return r;
                outers[n_outers++] = tables->n_places++;
        }
        return 0;
}

static bool has_any_protocol(const NetworkPlan *plan) {
        for (size_t i = 0; i < plan->n_destinations; i++)
                if (plan->destinations[i].protocol == PROTOCOL_ANY)
                        return true;
        return false;
}

static int fill(HooksTables *tables, const NetworkPlan *plan, const LsmMoment *now) {
        size_t n = count_rows(plan);
        CLEANUP_FREE Entry *entries = calloc(n + 1, sizeof(*entries));
        int r;

        if (n > HOOKS_ROWS_MAX)
                return -E2BIG;
        tables->rows = calloc(n + 1, sizeof(*tables->rows));
        tables->places = calloc(n + 1, sizeof(*tables->places));
        if (!entries || !tables->rows || !tables->places)
                return -ENOMEM;
        tables->head = (struct hooks_head){.written = 1,
                                           .default_allow = plan->default_allow,
                                           .monitor = plan->monitor,
                                           .locked = plan->locked,
                                           .dhcp = plan->dhcp,
                                           .others = has_any_protocol(plan)};
        r = make_rows(tables, plan, now, entries);
        tables->head.programs = tables->n_programs > 0;
        return r < 0 ? r : make_places(tables, entries);
}

int hooks_tables_make(const NetworkPlan *plan, const LsmMoment *now, HooksTables **ret) {
        HooksTables *tables = calloc(1, sizeof(*tables));
        int r;

        if (!tables)
                return -ENOMEM;
        r = fill(tables, plan, now);
        if (r < 0) {
                hooks_tables_free(tables);
                return r;
        }
        *ret = tables;
        return 0;
}

HooksTables *hooks_tables_free(HooksTables *tables) {
        if (!tables)
                return NULL;
        free(tables->places);
        free(tables->lists);
        free(tables->rows);
        free(tables->people);
        free(tables->programs);
        free(tables);
        return NULL;
}
