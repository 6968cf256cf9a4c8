/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/subscribers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/bus/service.h"

enum {
        RULE_MAX = 256,
        QUEUED_MAX = 1024 /* messages that a bus which does not read may leave in our memory */
};

struct Subscriber {
        Subscribers *owner;
        Subscriber *next;
        char *name;
        sd_bus_slot *watch;
        bool known; /* uid holds */
        uid_t uid;
        bool everything;
};

static Subscriber *find(const Subscribers *subscribers, const char *name) {
        for (Subscriber *s = subscribers->first; s; s = s->next)
                if (strcmp(s->name, name) == 0)
                        return s;
        return NULL;
}

static void subscriber_free(Subscriber *subscriber) {
        for (Subscriber **at = &subscriber->owner->first; *at; at = &(*at)->next)
                if (*at == subscriber) {
                        *at = subscriber->next;
                        subscriber->owner->n--;
                        break;
                }
        sd_bus_slot_unref(subscriber->watch);
        free(subscriber->name);
        free(subscriber);
}

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Subscriber *subscriber = userdata;
        const char *name, *before, *now;

        (void)error;
        if (sd_bus_message_read(m, "sss", &name, &before, &now) > 0 && *now == '\0' &&
            strcmp(name, subscriber->name) == 0)
                subscriber_free(subscriber);
        return 0;
}

/* Without the watch a subscription would not end with its connection. */
static int on_watched(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        (void)error;
        if (sd_bus_message_is_method_error(m, NULL) > 0)
                subscriber_free(userdata);
        return 1;
}

int subscribers_add(Subscribers *subscribers, sd_bus_message *call, sd_bus_error *error) {
        const char *name = sd_bus_message_get_sender(call);
        Subscriber *subscriber;
        char rule[RULE_MAX];
        int r;

        if (!name)
                return -EBADMSG;
        if (find(subscribers, name))
                return 0;
        if (subscribers->n >= SUBSCRIBERS_MAX)
                return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many have subscribed");
        subscriber = calloc(1, sizeof(*subscriber));
        if (!subscriber)
                return -ENOMEM;
        *subscriber = (Subscriber){.owner = subscribers, .next = subscribers->first, .name = strdup(name)};
        subscribers->first = subscriber;
        subscribers->n++;
        snprintf(rule, sizeof(rule),
                 "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                 "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'",
                 name);
        /* before it is asked who this is: either that finds nobody, or the watch is there in time */
        r = subscriber->name ? sd_bus_add_match_async(sd_bus_message_get_bus(call), &subscriber->watch, rule,
                                                      on_owner_changed, on_watched, subscriber)
                             : -ENOMEM;
        if (r < 0)
                subscriber_free(subscriber);
        return r < 0 ? r : 1;
}

void subscribers_drop(Subscribers *subscribers, const char *name) {
        Subscriber *subscriber = find(subscribers, name);

        if (subscriber)
                subscriber_free(subscriber);
}

static size_t subscriptions_of(const Subscribers *subscribers, uid_t uid) {
        size_t n = 0;

        for (const Subscriber *s = subscribers->first; s; s = s->next)
                n += s->known && s->uid == uid;
        return n;
}

int subscribers_identify(Subscribers *subscribers, const Caller *caller, sd_bus_error *error) {
        Subscriber *subscriber = find(subscribers, caller->name);

        if (!subscriber)
                return -ENOTCONN;
        if (subscriber->known)
                return 0;
        if (caller->error < 0) {
                subscriber_free(subscriber);
                return caller->error;
        }
        if (subscriptions_of(subscribers, caller->uid) >= SUBSCRIBERS_PER_UID_MAX) {
                subscriber_free(subscriber);
                return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "Too many of this user have subscribed");
        }
        subscriber->uid = caller->uid;
        subscriber->everything = caller->uid == 0;
        subscriber->known = true;
        return 0;
}

void subscribers_allow(Subscribers *subscribers, const char *name) {
        Subscriber *subscriber = find(subscribers, name);

        if (subscriber && subscriber->known)
                subscriber->everything = true;
}

static int send(const Subscriber *subscriber, sd_bus *bus, const Denial *denial, const char *contact) {
        sd_bus_message *m = NULL;
        uint64_t queued = 0;
        int r = sd_bus_get_n_queued_write(bus, &queued);

        if (r >= 0 && queued >= QUEUED_MAX)
                return -ENOBUFS;
        r = sd_bus_message_new_signal(bus, &m, BUS_SERVICE_PATH, BUS_SERVICE_NAME, "Denied");
        if (r >= 0)
                r = sd_bus_message_append(m, "u", (uint32_t)denial->record->uid);
        if (r >= 0)
                r = denial_append(denial, contact, subscriber->everything, m);
        if (r >= 0)
                r = sd_bus_message_set_destination(m, subscriber->name);
        if (r >= 0)
                r = sd_bus_send(bus, m, NULL);
        sd_bus_message_unref(m);
        return r;
}

size_t subscribers_tell(const Subscribers *subscribers, sd_bus *bus, const Denial *denial,
                        const char *contact) {
        size_t failed = 0;

        for (const Subscriber *s = subscribers->first; s; s = s->next)
                if (s->known && (s->everything || denial_concerns(denial, s->uid)))
                        failed += send(s, bus, denial, contact) < 0;
        return failed;
}

void subscribers_clear(Subscribers *subscribers) {
        while (subscribers->first)
                subscriber_free(subscribers->first);
}
