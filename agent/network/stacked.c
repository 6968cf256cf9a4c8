/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/stacked.h"

#include <string.h>

enum {
        LEVELS_MAX = 16
}; /* the kernel nests 8 deep (MAX_NEST_DEV) */

static bool is_refused(const OpenDecision *decision) {
        return decision->verdict == VERDICT_DENY;
}

/* The interface that WHICH is bound to, N if there is none here. A veth names its other end, which carries
 * nothing for it. */
static size_t find_lower(const StackedLink *links, size_t n, size_t which) {
        const Link *link = links[which].link;

        if (link->lower <= 0 || link->lower_elsewhere || link->lower == link->index ||
            strcmp(link->kind, "veth") == 0 || strcmp(link->kind, "netkit") == 0)
                return n;
        for (size_t i = 0; i < n; i++)
                if (links[i].link->index == link->lower)
                        return i;
        return n;
}

static const OpenDecision *decide(const StackedLink *links, size_t n, size_t which, int level);

/* The refusal of a port if there are ports and all are refused, else what WHICH itself is. */
static const OpenDecision *decide_by_ports(const StackedLink *links, size_t n, size_t which, int level) {
        const OpenDecision *refusal = NULL;

        for (size_t i = 0; i < n; i++) {
                const OpenDecision *port;

                if (i == which || links[i].link->master != links[which].link->index)
                        continue;
                port = decide(links, n, i, level + 1);
                if (!is_refused(port))
                        return links[which].decision;
                refusal = port;
        }
        return refusal ? refusal : links[which].decision;
}

static const OpenDecision *decide(const StackedLink *links, size_t n, size_t which, int level) {
        const OpenDecision *own = links[which].decision, *below;
        const Link *link = links[which].link;
        size_t lower;

        if (level >= LEVELS_MAX)
                return own;
        if (link_kind_has_ports(link->kind) && !is_refused(own))
                return decide_by_ports(links, n, which, level);
        lower = find_lower(links, n, which);
        if (lower == n)
                return own;
        below = decide(links, n, lower, level + 1);
        if (is_refused(below))
                return below;
        return link_kind_is_tunnel(link->kind) || link->parent[0] != '\0' ? own : below;
}

const OpenDecision *stacked_decision(const StackedLink *links, size_t n, size_t which) {
        return decide(links, n, which, 0);
}
