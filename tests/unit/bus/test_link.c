/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for a bus that is not there. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "agent/bus/link.h"

Test(link, waits_longer_each_time_up_to_a_bound) {
        uint64_t waited = bus_link_next_wait(0);

        cr_expect_eq(waited, 100000);
        for (int i = 0; i < 40; i++) {
                uint64_t next = bus_link_next_wait(waited);

                cr_expect(next == waited * 2 || next == 300000000);
                waited = next;
        }
        cr_expect_eq(waited, 300000000);
}

Test(link, goes_by_the_environment) {
        cr_assert_eq(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere", 1), 0);
        cr_expect_str_eq(bus_link_system_address(), "unix:path=/nowhere");
        cr_assert_eq(setenv("DBUS_SYSTEM_BUS_ADDRESS", "", 1), 0);
        cr_expect_str_eq(bus_link_system_address(), "unix:path=/run/dbus/system_bus_socket");
}

static int never_up(void *userdata, sd_bus *bus) {
        (void)bus;
        *(int *)userdata = 1;
        return 0;
}

static void never_down(void *userdata) {
        *(int *)userdata = 1;
}

Test(link, to_an_address_that_is_none_hurts_nobody) {
        static const char *const addresses[] = {"unix:path=/nonexistent/bus", "nonsense", "", "unix:path="};

        for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
                int called = 0;
                const BusLinkCallbacks callbacks = {.up = never_up, .down = never_down, .userdata = &called};
                BusLink *link = NULL;
                sd_event *event = NULL;

                cr_assert_eq(sd_event_new(&event), 0);
                cr_assert_eq(bus_link_new(event, addresses[i], 0, &callbacks, &link), 0);
                for (int turn = 0; turn < 3; turn++)
                        cr_expect_geq(sd_event_run(event, 200000), 0);
                cr_expect_null(bus_link_get(link));
                bus_link_free(link);
                sd_event_unref(event);
                cr_expect_eq(called, 0);
        }
}
