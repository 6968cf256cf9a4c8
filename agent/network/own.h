/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * own.h: the addresses that this network namespace has itself, as its table of local routes says, and as
 * they change. What is sent there goes by the loopback interface and leaves nothing. Source: rtnetlink(7),
 * ip-route(8) (table local).
 */
#pragma once

#include <systemd/sd-event.h>

#include "policy/address.h"

enum {
        OWN_MAX = 512 /* those beyond are not known, and count as any other address */
};

typedef struct OwnPlace {
        Address address;
        int prefix;
} OwnPlace;

typedef struct OwnPlaces OwnPlaces;

typedef void (*OwnHandler)(void *userdata, const OwnPlace *places, size_t n);

/* Tells HANDLER of them now, and whenever they may be others. Without loopback's, which everybody knows, and
 * those of a link alone, which another link may have as well. 0 or -errno. */
int own_places_new(sd_event *event, OwnHandler handler, void *userdata, OwnPlaces **ret);
OwnPlaces *own_places_free(OwnPlaces *own); /* returns NULL */
