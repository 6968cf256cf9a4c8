/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flood.h: when to show what. The first refusal is shown at once; those that follow are counted and shown
 * with it, at intervals; after a while without any the next one is a first one again. Pure: time is an
 * argument, microseconds of any steady clock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FLOOD_QUIET_USEC    UINT64_C(30000000)
#define FLOOD_DESKTOP_USEC  UINT64_C(1000000)  /* one notification that changes */
#define FLOOD_TERMINAL_USEC UINT64_C(10000000) /* a new line each time */

typedef struct Flood {
        uint64_t total; /* refusals in this flood */
        uint64_t last;  /* when the last one came */
        uint64_t shown; /* when something was shown last */
        bool pending;   /* something came since */
        bool fresh;     /* nothing of this flood has been shown yet */
} Flood;

/* COUNT refusals came. */
void flood_add(Flood *flood, uint64_t count, uint64_t now);

/* When to show, with INTERVAL at least between two; UINT64_MAX if there is nothing to show. */
uint64_t flood_due(const Flood *flood, uint64_t interval);

/* It was shown. */
void flood_shown(Flood *flood, uint64_t now);
