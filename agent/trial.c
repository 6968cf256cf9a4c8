/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policy tried, before it takes effect, against what is plugged in: whether it leaves a keyboard and a
 * card reader where there are any.
 */
#include <errno.h>
#include <stdlib.h>

#include "agent/agent_private.h"
#include "agent/device/essentials.h"
#include "policy/lockout.h"
#include "policy/scope.h"

DEFINE_CLEANUP(struct udev, udev_unref);

static const char *or_unknown(const char *text) {
        return text ? text : "-";
}

static char *describe(const Essential *item, const Decision *decision) {
        const DeviceIdentity *id = &item->id;
        char *text = NULL;

        if (asprintf(&text,
                     "%s would take the only %s of this terminal, %s:%s%s%s (%s); expected that it is let "
                     "in, "
                     "or another one is plugged in",
                     decision->rule ? decision->rule : "this", essential_kind_to_string(item->kind),
                     or_unknown(id->vendor), or_unknown(id->product), id->product_name ? " " : "",
                     id->product_name ? id->product_name : "", or_unknown(id->name)) < 0)
                return NULL;
        return text;
}

int agent_try_policy(void *userdata, const Policy *present, const Policy *candidate, char **ret_why,
                     const char **ret_origin) {
        const Agent *agent = userdata;
        CLEANUP(scope_udev_unref) struct udev *udev = NULL;
        Essential items[ESSENTIALS_MAX];
        const Essential *taken;
        PolicyTime now = {0};
        Decision decision;
        size_t n = 0;
        int r;

        if (agent->settings.monitor)
                return 0;
        udev = udev_new();
        r = udev ? essentials_find(udev, items, ELEMENTS(items), &n) : -ENOMEM;
        if (r >= 0)
                r = clock_policy_time(&agent->clock, &now);
        if (r < 0) {
                essentials_clear(items, n);
                return r;
        }
        taken = policy_find_lockout(present, candidate, items, n, &now, &decision);
        if (taken) {
                *ret_why = describe(taken, &decision);
                *ret_origin = decision.origin;
        }
        essentials_clear(items, n);
        return taken ? 1 : 0;
}
