/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/terminals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first that is not before MACHINE. */
static size_t place_of(const Terminals *terminals, uint64_t machine) {
        size_t low = 0, high = terminals->n;

        while (low < high) {
                size_t middle = (low + high) / 2;

                if (terminals->items[middle].machine < machine)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

int terminals_note(Terminals *terminals, uint64_t machine, const char *name) {
        size_t at = place_of(terminals, machine);
        Terminal *grown;
        char *copy;

        if (at < terminals->n && terminals->items[at].machine == machine)
                return 0;
        grown = reallocarray(terminals->items, terminals->n + 1, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        terminals->items = grown;
        copy = strdup(name ? name : "?");
        if (!copy)
                return -ENOMEM;
        memmove(grown + at + 1, grown + at, (terminals->n - at) * sizeof(*grown));
        grown[at] = (Terminal){.machine = machine, .name = copy};
        terminals->n++;
        return 0;
}

const char *terminals_name(const Terminals *terminals, uint64_t machine) {
        size_t at = place_of(terminals, machine);

        return at < terminals->n && terminals->items[at].machine == machine ? terminals->items[at].name
                                                                            : "?";
}

void terminals_clear(Terminals *terminals) {
        for (size_t i = 0; i < terminals->n; i++)
                free(terminals->items[i].name);
        free(terminals->items);
        *terminals = (Terminals){0};
}
