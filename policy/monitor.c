/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/monitor.h"

bool policy_is_monitor(const Policy *policy, time_t now) {
        const MonitorSpan span = {.on = policy->mode == MODE_MONITOR, .until = policy->monitor_until};

        return monitor_is_on(&span, now);
}

typedef struct Visit {
        int (*f)(void *userdata, const Monitored *monitored);
        void *userdata;
        time_t now;
} Visit;

static int visit(const Visit *to, const MonitorSpan *span, const RuleScope *scope, const char *name,
                 const char *origin) {
        const Monitored monitored = {.name = name, .origin = origin, .until = span->until};

        if (!monitor_is_on(span, to->now) || (scope && scope->expires != 0 && to->now >= scope->expires))
                return 0;
        return to->f(to->userdata, &monitored);
}

static int visit_rules(const Visit *to, const Policy *policy) {
        int r = 0;

        for (size_t i = 0; i < policy->n_devices && r == 0; i++) {
                const DeviceRule *rule = &policy->devices[i];

                r = visit(to, &rule->monitor, &rule->scope, rule->name, rule->origin);
        }
        for (size_t i = 0; i < policy->n_usb_rules && r == 0; i++) {
                const UsbRule *rule = &policy->usb_rules[i];
                const RuleScope scope = {.expires = rule->expires};

                r = visit(to, &rule->monitor, &scope, rule->name, rule->origin);
        }
        for (size_t i = 0; i < policy->n_filesystems && r == 0; i++) {
                const FilesystemRule *rule = &policy->filesystems[i];

                r = visit(to, &rule->monitor, &rule->scope, rule->name, rule->origin);
        }
        for (size_t i = 0; i < policy->n_network && r == 0; i++) {
                const NetworkRule *rule = &policy->network[i];

                r = visit(to, &rule->monitor, &rule->scope, rule->name, rule->origin);
        }
        return r;
}

int policy_foreach_monitored(const Policy *policy, time_t now,
                             int (*f)(void *userdata, const Monitored *monitored), void *userdata) {
        const MonitorSpan whole = {.on = policy->mode == MODE_MONITOR, .until = policy->monitor_until};
        const Visit to = {.f = f, .userdata = userdata, .now = now};
        int r = visit(&to, &whole, NULL, "mode", policy->mode_origin);

        if (r == 0)
                r = visit(&to, &policy->removable_monitor, NULL, "removable.default",
                          policy->removable_origin);
        if (r == 0)
                r = visit(&to, &policy->filesystems_monitor, NULL, "filesystems.default",
                          policy->filesystems_origin);
        return r == 0 ? visit_rules(&to, policy) : r;
}
