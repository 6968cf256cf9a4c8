/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int rule_names_add(RuleNames *names, const char *name, const char *file, size_t line, size_t column) {
        char *copy;

        if (names->n == names->allocated) {
                size_t larger = names->allocated ? names->allocated * 2 : 64;
                RuleName *items = reallocarray(names->items, larger, sizeof(*items));

                if (!items)
                        return -ENOMEM;
                names->items = items;
                names->allocated = larger;
        }
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        names->items[names->n++] = (RuleName){.name = copy, .file = file, .line = line, .column = column};
        return 0;
}

/* By name, then by place; files are given in byte order of their names. */
static int compare(const void *x, const void *y) {
        const RuleName *a = x, *b = y;
        int r = strcmp(a->name, b->name);

        if (r == 0)
                r = strcmp(a->file, b->file);
        if (r != 0)
                return r;
        if (a->line != b->line)
                return a->line < b->line ? -1 : 1;
        return a->column < b->column ? -1 : a->column > b->column;
}

void rule_names_find_doubles(RuleNames *names, Faults *faults) {
        const RuleName *first = names->items;
        char text[QUOTE_MAX];

        if (names->n < 2)
                return;
        qsort(names->items, names->n, sizeof(names->items[0]), compare);
        for (size_t i = 1; i < names->n; i++) {
                const RuleName *name = &names->items[i];

                if (strcmp(name->name, first->name) != 0)
                        first = name;
                else
                        faults_add(faults, name->file, name->line, name->column,
                                   "rule name %s is taken by the rule at %s:%zu; expected a name of its own",
                                   quote(name->name, strlen(name->name), text), first->file, first->line);
        }
}

void rule_names_clear(RuleNames *names) {
        for (size_t i = 0; i < names->n; i++)
                free(names->items[i].name);
        free(names->items);
        *names = (RuleNames){0};
}
