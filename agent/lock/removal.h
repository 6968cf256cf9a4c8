/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * removal.h: devices that are taken away, as the kernel tells of them (not udevd, which may be slow or
 * gone). Listens only while it is told to: without a key or card that stands for somebody nothing wakes up.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

typedef struct Removal Removal;

typedef struct RemovalCallbacks {
        /* the device at SYSPATH is gone, and whatever is below it; READER: it was an interface of a card
         * reader (USB class 0b). SYSPATH is NULL if events were lost: anything may be gone */
        void (*removed)(void *userdata, const char *syspath, bool reader);
        void *userdata;
} RemovalCallbacks;

/* 0 or -errno. */
int removal_new(sd_event *event, int priority, const RemovalCallbacks *callbacks, Removal **ret);
Removal *removal_free(Removal *removal); /* returns NULL */
