/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * desktop.h: one notification on the desktop, shown and changed through org.freedesktop.Notifications on the
 * session bus. One call at a time: a server that is slow gets the newest text once it is done.
 */
#pragma once

#include <systemd/sd-event.h>

#include "agent/notify/notice.h"

typedef struct Desktop Desktop;

/* ADDRESS is the session bus's. LOST is called when what was to be shown could not be. 0 or -errno. */
int desktop_new(sd_event *event, const char *address, void (*lost)(void *userdata), void *userdata,
                Desktop **ret);
Desktop *desktop_free(Desktop *desktop); /* returns NULL */

/* Show NOTICE, the last of TOTAL: FRESH as a notification of its own, else in place of the last one. 0 if
 * that is under way; -ENOTCONN if there is no session bus. */
int desktop_show(Desktop *desktop, const Notice *notice, uint64_t total, int fresh);
