/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_MIN_USEC    UINT64_C(100000)
#define WAIT_MAX_USEC    UINT64_C(300000000)
#define TIMER_SLACK_USEC UINT64_C(50000)

#define LOCAL_SENDER    "org.freedesktop.DBus.Local"
#define LOCAL_PATH      "/org/freedesktop/DBus/Local"
#define LOCAL_INTERFACE "org.freedesktop.DBus.Local"

struct BusLink {
        sd_event *event;
        int priority;
        char *address;
        BusLinkCallbacks callbacks;
        sd_bus *bus; /* NULL between two attempts */
        bool up;
        sd_event_source *retry; /* the next attempt; armed whenever the link is not up */
        uint64_t waited;
};

const char *bus_link_system_address(void) {
        const char *address = secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");

        return address && *address ? address : "unix:path=/run/dbus/system_bus_socket";
}

uint64_t bus_link_next_wait(uint64_t waited) {
        if (waited == 0)
                return WAIT_MIN_USEC;
        return waited >= WAIT_MAX_USEC / 2 ? WAIT_MAX_USEC : waited * 2;
}

sd_bus *bus_link_get(const BusLink *link) {
        return link->up ? link->bus : NULL;
}

static void let_go(BusLink *link) {
        if (link->up) {
                link->up = false;
                link->callbacks.down(link->callbacks.userdata);
        }
        if (!link->bus)
                return;
        (void)sd_bus_detach_event(link->bus);
        sd_bus_close(link->bus); /* without flushing, which would wait for a bus that hangs */
        link->bus = sd_bus_unref(link->bus);
}

static int schedule(BusLink *link) {
        int r;

        link->waited = bus_link_next_wait(link->waited);
        r = sd_event_source_set_time_relative(link->retry, link->waited);
        return r < 0 ? r : sd_event_source_set_enabled(link->retry, SD_EVENT_ONESHOT);
}

/* The connection is inside its own dispatch here, so it is closed by the timer. */
static int on_disconnected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        BusLink *link = userdata;

        (void)m;
        (void)error;
        if (link->up) {
                link->up = false;
                link->waited = 0;
                link->callbacks.down(link->callbacks.userdata);
        }
        (void)schedule(link);
        return 0;
}

static int on_connected(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        BusLink *link = userdata;

        (void)m;
        (void)error;
        link->up = true;
        (void)sd_event_source_set_enabled(link->retry, SD_EVENT_OFF);
        if (link->callbacks.up(link->callbacks.userdata, link->bus) < 0) {
                link->up = false;
                link->callbacks.down(link->callbacks.userdata);
                return schedule(link);
        }
        link->waited = 0;
        return 0;
}

static int attempt(BusLink *link) {
        int r = sd_bus_new(&link->bus);

        if (r >= 0)
                r = sd_bus_set_address(link->bus, link->address);
        if (r >= 0)
                r = sd_bus_set_bus_client(link->bus, true);
        if (r >= 0)
                r = sd_bus_set_watch_bind(link->bus, true);
        if (r >= 0) /* else the end of the loop flushes, and waits for a bus that hangs */
                r = sd_bus_set_close_on_exit(link->bus, false);
        if (r >= 0)
                r = sd_bus_set_connected_signal(link->bus, true);
        if (r >= 0) /* both are made up by the library itself: no match is asked of the bus */
                r = sd_bus_match_signal_async(link->bus, NULL, LOCAL_SENDER, LOCAL_PATH, LOCAL_INTERFACE,
                                              "Connected", on_connected, NULL, link);
        if (r >= 0)
                r = sd_bus_match_signal_async(link->bus, NULL, LOCAL_SENDER, LOCAL_PATH, LOCAL_INTERFACE,
                                              "Disconnected", on_disconnected, NULL, link);
        if (r >= 0)
                r = sd_bus_start(link->bus);
        if (r >= 0)
                r = sd_bus_attach_event(link->bus, link->event, link->priority);
        return r;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata) {
        BusLink *link = userdata;

        (void)source;
        (void)usec;
        let_go(link);
        if (attempt(link) < 0)
                let_go(link);
        /* also after an attempt that is under way: it may come to nothing */
        return schedule(link);
}

int bus_link_new(sd_event *event, const char *address, int priority, const BusLinkCallbacks *callbacks,
                 BusLink **ret) {
        BusLink *link = calloc(1, sizeof(*link));
        int r;

        if (!link)
                return -ENOMEM;
        link->event = sd_event_ref(event);
        link->priority = priority;
        link->callbacks = *callbacks;
        link->address = strdup(address);
        r = link->address ? sd_event_add_time_relative(event, &link->retry, CLOCK_BOOTTIME, 0,
                                                       TIMER_SLACK_USEC, on_retry, link)
                          : -ENOMEM;
        if (r >= 0)
                r = sd_event_source_set_priority(link->retry, priority);
        if (r < 0) {
                bus_link_free(link);
                return r;
        }
        *ret = link;
        return 0;
}

BusLink *bus_link_free(BusLink *link) {
        if (!link)
                return NULL;
        let_go(link);
        sd_event_source_disable_unref(link->retry);
        sd_event_unref(link->event);
        free(link->address);
        free(link);
        return NULL;
}
