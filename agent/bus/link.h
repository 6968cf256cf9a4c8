/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link.h: a connection to a message bus that may not be there yet, may hang, and may go and come back.
 * Everything is asynchronous: nothing here waits for the bus. A bus that is not there is waited for by its
 * socket, and asked again at growing intervals, so that no event can be missed for good.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

typedef struct BusLink BusLink;

typedef struct BusLinkCallbacks {
        /* The bus has let us in. Only asynchronous calls may be made on it. A negative result gives it up
         * until the next attempt. */
        int (*up)(void *userdata, sd_bus *bus);
        /* It is gone, or about to be closed: let go of every slot and message of it. Follows every up(). */
        void (*down)(void *userdata);
        void *userdata;
} BusLinkCallbacks;

/* Where the system bus listens: DBUS_SYSTEM_BUS_ADDRESS, or where it always does. Static or environment. */
const char *bus_link_system_address(void);

/* Keeps a link to the bus at ADDRESS from now on, at PRIORITY on EVENT. Returns 0 or -ENOMEM; that there is
 * no bus is no failure. */
int bus_link_new(sd_event *event, const char *address, int priority, const BusLinkCallbacks *callbacks,
                 BusLink **ret);

/* Lets go of it, without sending what is still queued. Calls down() if it was up. Returns NULL. */
BusLink *bus_link_free(BusLink *link);

/* The bus while it is up, NULL while it is not. Borrowed. */
sd_bus *bus_link_get(const BusLink *link);

/* How long to wait for the next attempt after one that was waited WAITED microseconds for (0: the first). */
uint64_t bus_link_next_wait(uint64_t waited);
