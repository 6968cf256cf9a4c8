/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a person is shown what. */
#include <criterion/criterion.h>

#include "agent/notify/flood.h"

#define SECOND UINT64_C(1000000)

Test(flood, shows_the_first_at_once) {
        Flood flood = {0};

        cr_expect_eq(flood_due(&flood, SECOND), UINT64_MAX);
        flood_add(&flood, 1, 100 * SECOND);
        cr_expect_eq(flood_due(&flood, SECOND), 0);
        cr_expect(flood.fresh);
        flood_shown(&flood, 100 * SECOND);
        cr_expect_eq(flood_due(&flood, SECOND), UINT64_MAX);
}

Test(flood, counts_what_follows_and_shows_it_at_intervals) {
        Flood flood = {0};

        flood_add(&flood, 1, 100 * SECOND);
        flood_shown(&flood, 100 * SECOND);
        flood_add(&flood, 4, 100 * SECOND + 1);
        flood_add(&flood, 5, 100 * SECOND + 2);
        cr_expect_eq(flood.total, 10);
        cr_expect_not(flood.fresh);
        cr_expect_eq(flood_due(&flood, SECOND), 101 * SECOND);
        cr_expect_eq(flood_due(&flood, 10 * SECOND), 110 * SECOND);
}

Test(flood, is_over_after_a_while_without_any) {
        Flood flood = {0};

        flood_add(&flood, 3, 100 * SECOND);
        flood_shown(&flood, 100 * SECOND);
        flood_add(&flood, 1, 100 * SECOND + FLOOD_QUIET_USEC);
        cr_expect_eq(flood.total, 4);
        flood_shown(&flood, 100 * SECOND + FLOOD_QUIET_USEC);
        flood_add(&flood, 1, 101 * SECOND + 2 * FLOOD_QUIET_USEC);
        cr_expect_eq(flood.total, 1);
        cr_expect_eq(flood_due(&flood, SECOND), 0);
        cr_expect(flood.fresh);
}
