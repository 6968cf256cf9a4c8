/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/notify/desktop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/bus/link.h"
#include "policy/scope.h"

#define SERVER_NAME         "org.freedesktop.Notifications"
#define SERVER_PATH         "/org/freedesktop/Notifications"
#define SERVER_TIMEOUT_USEC UINT64_C(10000000) /* it may have to be started first */
#define URGENCY_NORMAL      1

struct Desktop {
        BusLink *link;
        void (*lost)(void *userdata);
        void *userdata;
        sd_bus_slot *call; /* under way */
        uint32_t id;       /* of the notification; 0: a new one */
        bool markup;
        bool waiting; /* there is something newer than what is under way */
        bool fresh;
        char *summary, *plain, *marked_up; /* what to show next */
};

static void drop(Desktop *desktop) {
        free(desktop->summary);
        free(desktop->plain);
        free(desktop->marked_up);
        desktop->summary = desktop->plain = desktop->marked_up = NULL;
        desktop->waiting = false;
}

static void give_up(Desktop *desktop) {
        desktop->call = sd_bus_slot_unref(desktop->call);
        desktop->id = 0;
        desktop->fresh = true; /* the server may be another one next time */
        drop(desktop);
        desktop->lost(desktop->userdata);
}

static int go_on(Desktop *desktop);

static int on_notified(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Desktop *desktop = userdata;

        (void)error;
        if (sd_bus_message_is_method_error(m, NULL) > 0 || sd_bus_message_read(m, "u", &desktop->id) < 0) {
                give_up(desktop);
                return 1;
        }
        desktop->call = sd_bus_slot_unref(desktop->call);
        if (desktop->waiting && go_on(desktop) < 0)
                give_up(desktop);
        return 1;
}

static int notify(Desktop *desktop) {
        sd_bus *bus = bus_link_get(desktop->link);
        sd_bus_message *m = NULL;
        int r = bus ? sd_bus_message_new_method_call(bus, &m, SERVER_NAME, SERVER_PATH, SERVER_NAME,
                                                     "Notify")
                    : -ENOTCONN;

        if (r >= 0)
                r = sd_bus_message_append(m, "susssasa{sv}i", "Sekisho", desktop->id, "dialog-warning",
                                          desktop->summary,
                                          desktop->markup ? desktop->marked_up : desktop->plain, 0, 1,
                                          "urgency", "y", URGENCY_NORMAL, -1);
        desktop->call = sd_bus_slot_unref(desktop->call);
        if (r >= 0)
                r = sd_bus_call_async(bus, &desktop->call, m, on_notified, desktop, SERVER_TIMEOUT_USEC);
        sd_bus_message_unref(m);
        drop(desktop);
        return r;
}

static int on_capabilities(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Desktop *desktop = userdata;
        const char *capability;

        (void)error;
        desktop->markup = false;
        if (sd_bus_message_is_method_error(m, NULL) > 0 || sd_bus_message_enter_container(m, 'a', "s") < 0) {
                give_up(desktop);
                return 1;
        }
        while (sd_bus_message_read(m, "s", &capability) > 0)
                desktop->markup = desktop->markup || strcmp(capability, "body-markup") == 0;
        desktop->fresh = false;
        desktop->id = 0;
        if (notify(desktop) < 0)
                give_up(desktop);
        return 1;
}

/* A fresh notification asks first how its text is taken: the server may be another one by now. */
static int go_on(Desktop *desktop) {
        sd_bus *bus = bus_link_get(desktop->link);
        sd_bus_message *m = NULL;
        int r;

        if (!desktop->fresh)
                return notify(desktop);
        r = bus ? sd_bus_message_new_method_call(bus, &m, SERVER_NAME, SERVER_PATH, SERVER_NAME,
                                                 "GetCapabilities")
                : -ENOTCONN;
        if (r >= 0)
                r = sd_bus_call_async(bus, &desktop->call, m, on_capabilities, desktop, SERVER_TIMEOUT_USEC);
        sd_bus_message_unref(m);
        return r;
}

int desktop_show(Desktop *desktop, const Notice *notice, uint64_t total, int fresh) {
        if (!bus_link_get(desktop->link))
                return -ENOTCONN;
        drop(desktop);
        desktop->summary = strdup(notice_summary(notice));
        desktop->plain = notice_body(notice, total, false);
        desktop->marked_up = notice_body(notice, total, true);
        if (!desktop->summary || !desktop->plain || !desktop->marked_up) {
                drop(desktop);
                return -ENOMEM;
        }
        desktop->fresh = desktop->fresh || fresh;
        desktop->waiting = true;
        return desktop->call ? 0 : go_on(desktop);
}

/* the link */

static int on_up(void *userdata, sd_bus *bus) {
        (void)userdata;
        (void)bus;
        return 0;
}

static void on_down(void *userdata) {
        Desktop *desktop = userdata;

        if (desktop->call)
                give_up(desktop);
        desktop->fresh = true;
}

int desktop_new(sd_event *event, const char *address, void (*lost)(void *userdata), void *userdata,
                Desktop **ret) {
        Desktop *desktop = calloc(1, sizeof(*desktop));
        const BusLinkCallbacks link = {.up = on_up, .down = on_down, .userdata = desktop};
        int r;

        if (!desktop)
                return -ENOMEM;
        desktop->lost = lost;
        desktop->userdata = userdata;
        desktop->fresh = true;
        r = bus_link_new(event, address, SD_EVENT_PRIORITY_NORMAL, &link, &desktop->link);
        if (r < 0) {
                desktop_free(desktop);
                return r;
        }
        *ret = desktop;
        return 0;
}

Desktop *desktop_free(Desktop *desktop) {
        if (!desktop)
                return NULL;
        desktop->call = sd_bus_slot_unref(desktop->call);
        bus_link_free(desktop->link);
        drop(desktop);
        free(desktop);
        return NULL;
}
