/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notifier.h: from the guard's word to the person: on the desktop, or where there is none on the person's
 * text terminals. A flood becomes one notification with a count.
 */
#pragma once

#include <sys/types.h>
#include <systemd/sd-event.h>

typedef struct Notifier Notifier;

/* For UID's denials; SESSION_ADDRESS is the session bus's, NULL if there can be none. 0 or -errno. */
int notifier_new(sd_event *event, uid_t uid, const char *session_address, Notifier **ret);
Notifier *notifier_free(Notifier *notifier); /* returns NULL */
