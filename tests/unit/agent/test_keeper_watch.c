/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "agent/keeper/watch.h"
#include "policy/scope.h"

typedef struct StatCase {
        const char *text;
        bool stopped;
} StatCase;

static const StatCase cases[] = {
        {"4711 (sekishod) T 1 4711 4711 0 -1 4194560", true},
        {"4711 (sekishod) S 1 4711 4711 0 -1 4194560", false},
        {"4711 (sekishod) R 1 4711 4711 0 -1 4194560", false},
        {"4711 (sekishod) D 1 4711 4711 0 -1 4194560", false},
        {"4711 (sekishod) Z 1 4711 4711 0 -1 4194560", false},
        {"4711 (sekishod) t 1 4711 4711 0 -1 4194560", false}, /* traced */
        {"4711 (a) T b) S 1 4711 4711 0 -1 4194560", false},   /* a name that looks like it */
        {"4711 (a) S b) T 1 4711 4711 0 -1 4194560", true},
        {"4711 (sekishod", false},
        {"", false},
};

Test(keeper_watch, tells_a_stopped_process_by_its_state) {
        for (size_t i = 0; i < ELEMENTS(cases); i++)
                cr_expect_eq(stat_tells_stopped(cases[i].text), cases[i].stopped, "%s", cases[i].text);
}
