/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/notify/listener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/bus/link.h"
#include "agent/bus/service.h"
#include "policy/scope.h"

#define SUBSCRIBE_TIMEOUT_USEC UINT64_C(25000000)
#define AGAIN_USEC             UINT64_C(30000000)
#define SLACK_USEC             UINT64_C(5000000)

struct Listener {
        uid_t uid;
        void (*denied)(void *userdata, Notice *notice);
        void *userdata;
        BusLink *link;
        sd_event_source *again;
        sd_bus_slot *owner, *signal, *subscribe;
        char *guard; /* the unique name of who answered our subscription; NULL: nobody has */
};

/* a{sv} into a notice; what has another type is passed over. */
static int read_details(sd_bus_message *m, Notice *notice) {
        int r = sd_bus_message_enter_container(m, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *name, *contents, *text;
                uint64_t number;

                r = sd_bus_message_read(m, "s", &name);
                if (r >= 0)
                        r = sd_bus_message_peek_type(m, NULL, &contents);
                if (r < 0)
                        return r;
                if (strcmp(contents, "s") == 0) {
                        r = sd_bus_message_read(m, "v", "s", &text);
                        if (r >= 0)
                                r = notice_set_text(notice, name, text);
                } else if (strcmp(contents, "t") == 0) {
                        r = sd_bus_message_read(m, "v", "t", &number);
                        if (r >= 0)
                                notice_set_number(notice, name, number);
                } else
                        r = sd_bus_message_skip(m, "v");
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r;
}

static int on_denied(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        CLEANUP_NOTICE Notice notice = {.count = 1, .loginuid = UINT64_MAX, .seat = UINT64_MAX};
        const char *sender = sd_bus_message_get_sender(m);
        Listener *listener = userdata;
        uint32_t uid;

        (void)error;
        if (!sender || !listener->guard || strcmp(sender, listener->guard) != 0)
                return 0;
        if (sd_bus_message_read(m, "u", &uid) < 0 || read_details(m, &notice) < 0)
                return 0;
        if (uid == listener->uid || notice.loginuid == listener->uid || notice.seat == listener->uid)
                listener->denied(listener->userdata, &notice);
        return 0;
}

static int on_subscribed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Listener *listener = userdata;
        const sd_bus_error *failure = sd_bus_message_get_error(m);

        (void)error;
        free(listener->guard);
        listener->guard = failure ? NULL : strdup(sd_bus_message_get_sender(m));
        if (listener->guard || sd_bus_error_has_name(failure, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
            sd_bus_error_has_name(failure, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
                return 1; /* where there is no guard, its coming will be told */
        if (sd_event_source_set_time_relative(listener->again, AGAIN_USEC) >= 0)
                (void)sd_event_source_set_enabled(listener->again, SD_EVENT_ONESHOT);
        return 1;
}

static int subscribe(Listener *listener) {
        sd_bus *bus = bus_link_get(listener->link);
        sd_bus_message *m = NULL;
        int r;

        if (!bus)
                return -ENOTCONN;
        listener->subscribe = sd_bus_slot_unref(listener->subscribe);
        r = sd_bus_message_new_method_call(bus, &m, BUS_SERVICE_NAME, BUS_SERVICE_PATH, BUS_SERVICE_NAME,
                                           "Subscribe");
        if (r >= 0)
                r = sd_bus_message_set_auto_start(m, false);
        if (r >= 0)
                r = sd_bus_call_async(bus, &listener->subscribe, m, on_subscribed, listener,
                                      SUBSCRIBE_TIMEOUT_USEC);
        sd_bus_message_unref(m);
        return r;
}

static int on_again(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        (void)subscribe(userdata);
        return 0;
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Listener *listener = userdata;
        const char *name, *before, *now;

        (void)error;
        free(listener->guard);
        listener->guard = NULL;
        if (sd_bus_message_read(m, "sss", &name, &before, &now) > 0 && *now != '\0')
                (void)subscribe(listener);
        return 0;
}

/* the link */

static int on_up(void *userdata, sd_bus *bus) {
        Listener *listener = userdata;
        int r = sd_bus_add_match_async(
                bus, &listener->owner,
                "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" BUS_SERVICE_NAME "'",
                on_owner_changed, NULL, listener);

        if (r >= 0)
                r = sd_bus_add_match_async(bus, &listener->signal,
                                           "type='signal',path='" BUS_SERVICE_PATH
                                           "',interface='" BUS_SERVICE_NAME "',member='Denied'",
                                           on_denied, NULL, listener);
        return r < 0 ? r : subscribe(listener);
}

static void on_down(void *userdata) {
        Listener *listener = userdata;

        listener->owner = sd_bus_slot_unref(listener->owner);
        listener->signal = sd_bus_slot_unref(listener->signal);
        listener->subscribe = sd_bus_slot_unref(listener->subscribe);
        (void)sd_event_source_set_enabled(listener->again, SD_EVENT_OFF);
        free(listener->guard);
        listener->guard = NULL;
}

int listener_new(sd_event *event, uid_t uid, void (*denied)(void *userdata, Notice *notice), void *userdata,
                 Listener **ret) {
        Listener *listener = calloc(1, sizeof(*listener));
        const BusLinkCallbacks link = {.up = on_up, .down = on_down, .userdata = listener};
        int r;

        if (!listener)
                return -ENOMEM;
        listener->uid = uid;
        listener->denied = denied;
        listener->userdata = userdata;
        r = sd_event_add_time(event, &listener->again, CLOCK_BOOTTIME, 0, SLACK_USEC, on_again, listener);
        if (r >= 0)
                r = sd_event_source_set_enabled(listener->again, SD_EVENT_OFF);
        if (r >= 0)
                r = bus_link_new(event, bus_link_system_address(), SD_EVENT_PRIORITY_NORMAL, &link,
                                 &listener->link);
        if (r < 0) {
                listener_free(listener);
                return r;
        }
        *ret = listener;
        return 0;
}

Listener *listener_free(Listener *listener) {
        if (!listener)
                return NULL;
        bus_link_free(listener->link);
        sd_event_source_disable_unref(listener->again);
        free(listener->guard);
        free(listener);
        return NULL;
}
