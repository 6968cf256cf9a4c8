/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listener.h: being told of one's own denials by the guard on the system bus, whenever both are there. Only
 * what the owner of org.sekisho.Guard1 sends counts.
 */
#pragma once

#include <sys/types.h>
#include <systemd/sd-event.h>

#include "agent/notify/notice.h"

typedef struct Listener Listener;

/* DENIED is called with each denial that is UID's own, or about what was plugged in where UID sits. 0 or
 * -errno. */
int listener_new(sd_event *event, uid_t uid, void (*denied)(void *userdata, Notice *notice), void *userdata,
                 Listener **ret);
Listener *listener_free(Listener *listener); /* returns NULL */
