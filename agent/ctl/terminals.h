/* SPDX-License-Identifier: GPL-2.0-or-later */
/* terminals.h: the terminals that records came from, and what they are called. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct Terminal {
        uint64_t machine; /* any number of it */
        char *name;
} Terminal;

/* By their number. Zeroed to begin with. */
typedef struct Terminals {
        Terminal *items;
        size_t n;
} Terminals;

/* Remember MACHINE; of several names the first counts. 0 or -ENOMEM. */
int terminals_note(Terminals *terminals, uint64_t machine, const char *name);

/* Borrowed; "?" if it has none. */
const char *terminals_name(const Terminals *terminals, uint64_t machine);

void terminals_clear(Terminals *terminals);
