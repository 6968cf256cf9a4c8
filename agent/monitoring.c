/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/monitoring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/scope.h"

enum {
        NAMES_TOLD = 20
};

static int add(Monitoring *to, const char *name) {
        char **grown = reallocarray(to->names, to->n + 1, sizeof(*grown));

        if (!grown)
                return -ENOMEM;
        to->names = grown;
        grown[to->n] = strdup(name);
        if (!grown[to->n])
                return -ENOMEM;
        to->n++;
        return 0;
}

static int add_monitored(void *userdata, const Monitored *monitored) {
        return add(userdata, monitored->name);
}

int monitoring_read(const Policy *policy, time_t now, bool by_option, Monitoring *ret) {
        Monitoring made = {0};
        int r = by_option ? add(&made, "--monitor") : 0;

        if (r == 0)
                r = policy_foreach_monitored(policy, now, add_monitored, &made);
        if (r < 0) {
                monitoring_clear(&made);
                return r;
        }
        *ret = made;
        return 0;
}

void monitoring_clear(Monitoring *monitoring) {
        for (size_t i = 0; i < monitoring->n; i++)
                free(monitoring->names[i]);
        free(monitoring->names);
        *monitoring = (Monitoring){0};
}

static bool has(const Monitoring *monitoring, const char *name) {
        for (size_t i = 0; i < monitoring->n; i++)
                if (strcmp(monitoring->names[i], name) == 0)
                        return true;
        return false;
}

typedef struct Ends {
        const Monitoring *a, *b;
        time_t first;
} Ends;

static int take_end(void *userdata, const Monitored *monitored) {
        Ends *ends = userdata;

        if (monitored->until != 0 && has(ends->a, monitored->name) && !has(ends->b, monitored->name) &&
            (ends->first == 0 || monitored->until < ends->first))
                ends->first = monitored->until;
        return 0;
}

int monitoring_compare(const Monitoring *a, const Monitoring *b, const Policy *policy, time_t now,
                       MonitoringChange *ret) {
        MonitoringChange change = {0};
        Ends ends = {.a = a, .b = b};
        size_t size = 0;
        FILE *to = open_memstream(&change.names, &size);

        if (!to)
                return -ENOMEM;
        for (size_t i = 0; i < a->n; i++) {
                if (has(b, a->names[i]))
                        continue;
                if (change.n < NAMES_TOLD)
                        fprintf(to, "%s%s", change.n > 0 ? ", " : "", a->names[i]);
                else if (change.n == NAMES_TOLD)
                        fputs(", ...", to);
                change.n++;
        }
        if (fclose(to) != 0) {
                free(change.names);
                return -ENOMEM;
        }
        (void)policy_foreach_monitored(policy, now, take_end, &ends);
        change.until = ends.first;
        *ret = change;
        return 0;
}
