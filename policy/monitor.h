/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitor.h: what of a policy is only tried out: its refusals are recorded, and go ahead, up to a day. Pure.
 */
#pragma once

#include "policy/model.h"

/* Whether SPAN holds at NOW (PolicyTime's expiry_now). */
static inline bool monitor_is_on(const MonitorSpan *span, time_t now) {
        return span->on && (span->until == 0 || now < span->until);
}

/* Whether the policy as a whole refuses nothing at NOW. An emergency lockdown, which is refused all the
 * same, is not looked at. */
bool policy_is_monitor(const Policy *policy, time_t now);

/* One thing that is tried out: a rule; "removable.default", "filesystems.default"; "mode" for the whole
 * policy. Strings are borrowed from the policy. */
typedef struct Monitored {
        const char *name, *origin;
        time_t until; /* 0: no end */
} Monitored;

/* Calls F with each thing that is tried out at NOW, the whole policy first. A result other than 0 ends it
 * and is returned. */
int policy_foreach_monitored(const Policy *policy, time_t now,
                             int (*f)(void *userdata, const Monitored *monitored), void *userdata);
