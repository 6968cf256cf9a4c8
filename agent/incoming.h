/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * incoming.h: the directory into which signed policies are put for the agent to install: the way for whoever
 * can copy a file to the terminal and nothing else. It is watched, not polled. What is taken is a regular
 * file NAME.bundle of root's that nobody else can write; it goes once it is in force, and becomes
 * NAME.bundle.refused if not. Judges nothing but whose a file is.
 */
#pragma once

#include <stddef.h>
#include <systemd/sd-event.h>

typedef struct Incoming Incoming;

typedef struct IncomingCallbacks {
        /* TEXT came as PATH. 0 if it is in force now; else it was told why not. */
        int (*install)(void *userdata, const char *path, const char *text, size_t length);
        /* PATH was not even read, or could not be taken away: tell it. WHY is static. */
        void (*refused)(void *userdata, const char *path, const char *why);
        void (*failed)(void *userdata, const char *path, int error);
        void *userdata;
} IncomingCallbacks;

/* Watch DIRECTORY, which is made if it is not there. What lies there already is taken when the loop runs. 0,
 * -EPERM if others than root can write there, -errno. */
int incoming_new(sd_event *event, const char *directory, const IncomingCallbacks *callbacks, Incoming **ret);

/* Leaves everything as it is. Returns NULL. */
Incoming *incoming_free(Incoming *incoming);
