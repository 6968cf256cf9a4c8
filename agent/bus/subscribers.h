/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * subscribers.h: the connections that want to be told of denials. Each is told of those of its own uid, or
 * of all if polkit said so when it subscribed; nobody sees another's. A subscription ends with its
 * connection.
 */
#pragma once

#include "agent/bus/denial.h"
#include "agent/bus/request.h"

enum {
        SUBSCRIBERS_MAX = 256,
        SUBSCRIBERS_PER_UID_MAX = 16,
};

typedef struct Subscriber Subscriber;

typedef struct Subscribers {
        Subscriber *first;
        size_t n;
} Subscribers;

/* CALL's sender asks to subscribe: watch for its end. It is told of nothing until subscribers_identify().
 * 1, 0 if it has asked before, or negative with ERROR set. */
int subscribers_add(Subscribers *subscribers, sd_bus_message *call, sd_bus_error *error);

/* The subscription of this connection ends, if there is one. */
void subscribers_drop(Subscribers *subscribers, const char *name);

/* Now it is known who it is; if that failed the subscription ends. 0, or negative with ERROR set. */
int subscribers_identify(Subscribers *subscribers, const Caller *caller, sd_bus_error *error);

/* It is to be told of everybody's. */
void subscribers_allow(Subscribers *subscribers, const char *name);

/* Send the signal to those whom DENIAL concerns. How many copies could not be sent. */
size_t subscribers_tell(const Subscribers *subscribers, sd_bus *bus, const Denial *denial,
                        const char *contact);

void subscribers_clear(Subscribers *subscribers);
