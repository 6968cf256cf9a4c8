/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The section network: destinations, resolvers, services, interfaces. */
#include <errno.h>
#include <stdlib.h>

#include "policy/compile_private.h"
#include "policy/destination.h"
#include "policy/scope.h"

static int add_rule(Compile *compile, RawNetwork *raw, const TreeNode *node) {
        NetworkRule *rule = &compile->policy->network[compile->policy->n_network++];
        const char *why;

        rule->name = STEAL_PTR(raw->name);
        rule->to = STEAL_PTR(raw->to);
        rule->program = STEAL_PTR(raw->program);
        rule->interface = STEAL_PTR(raw->interface);
        rule->protocol = raw->protocol ? *raw->protocol : PROTOCOL_ANY;
        if (compile_take_scope(&raw->scope, &rule->scope) < 0 ||
            compile_take_monitor(&raw->monitor, &rule->monitor) < 0)
                return -EINVAL;
        if (GROW(rule->ports, 0, raw->ports_count) < 0)
                return -ENOMEM;
        for (uint32_t i = 0; i < raw->ports_count; i++)
                if (port_range_parse(raw->ports[i], &rule->ports[rule->n_ports++], &why) < 0)
                        return -EINVAL;
        return compile_make_origin(compile, node, &rule->origin);
}

static int add_rules(Compile *compile, RawNetworks *raw, const TreeNode *section) {
        const TreeNode *allow = tree_find(compile->tree, section, "allow");
        const TreeNode *node = allow ? tree_first(compile->tree, allow) : NULL;
        Policy *policy = compile->policy;
        int r = GROW(policy->network, policy->n_network, raw->allow_count);

        for (uint32_t i = 0; r == 0 && i < raw->allow_count; i++) {
                r = node ? add_rule(compile, &raw->allow[i], node) : -EINVAL;
                node = node ? tree_next(compile->tree, node) : NULL;
        }
        return r;
}

static int add_interface(Compile *compile, RawInterface *raw, const TreeNode *node) {
        InterfaceRule *rule = &compile->policy->interfaces[compile->policy->n_interfaces++];
        InterfaceMatch *match = &rule->match;

        rule->name = STEAL_PTR(raw->name);
        match->interface = STEAL_PTR(raw->match.interface);
        match->driver = STEAL_PTR(raw->match.driver);
        match->bus = STEAL_PTR(raw->match.bus);
        match->mac = STEAL_PTR(raw->match.mac);
        match->kind_set = raw->match.kind;
        match->kind = raw->match.kind ? *raw->match.kind : INTERFACE_UNKNOWN;
        return compile_make_origin(compile, node, &rule->origin);
}

static int add_interfaces(Compile *compile, RawNetworkInterfaces *raw, const TreeNode *section) {
        const TreeNode *allow = tree_find(compile->tree, section, "allow");
        const TreeNode *node = allow ? tree_first(compile->tree, allow) : NULL;
        Policy *policy = compile->policy;
        int r = GROW(policy->interfaces, policy->n_interfaces, raw->allow_count);

        if (r == 0 && raw->initial) {
                policy->interfaces_default_given = true;
                policy->interfaces_default_allow = *raw->initial == ANSWER_ALLOW;
                r = compile_replace_origin(compile, tree_find(compile->tree, section, "default"),
                                           &policy->interfaces_origin);
        }
        for (uint32_t i = 0; r == 0 && i < raw->allow_count; i++) {
                r = node ? add_interface(compile, &raw->allow[i], node) : -EINVAL;
                node = node ? tree_next(compile->tree, node) : NULL;
        }
        return r;
}

/* Takes the COUNT texts that RAW owns to the end of the list; ORIGIN is where KEY stands. */
static int append(Compile *compile, const TreeNode *section, const char *key, char **raw, uint32_t count,
                  char ***list, size_t *n, char **origin) {
        int r = GROW(*list, *n, count);

        for (uint32_t i = 0; r == 0 && i < count; i++)
                (*list)[(*n)++] = STEAL_PTR(raw[i]);
        return r < 0 || count == 0
                       ? r
                       : compile_replace_origin(compile, tree_find(compile->tree, section, key), origin);
}

static void add_services(Policy *policy, const RawServices *raw) {
        if (raw->dhcp)
                policy->network_dhcp = *raw->dhcp == ANSWER_ALLOW;
        if (raw->neighbours)
                policy->network_neighbours = *raw->neighbours == ANSWER_ALLOW;
}

int compile_networks(Compile *compile, RawNetworks *raw, const TreeNode *section) {
        Policy *policy = compile->policy;
        int r;

        policy->network_given = true;
        if (raw->initial) {
                policy->network_default_allow = *raw->initial == ANSWER_ALLOW;
                r = compile_replace_origin(compile, tree_find(compile->tree, section, "default"),
                                           &policy->network_origin);
                if (r < 0)
                        return r;
        }
        if (raw->services)
                add_services(policy, raw->services);
        if ((r = append(compile, section, "resolvers", raw->resolvers, raw->resolvers_count,
                        &policy->resolvers, &policy->n_resolvers, &policy->resolvers_origin)) < 0 ||
            (r = append(compile, section, "ntp", raw->ntp, raw->ntp_count, &policy->ntp, &policy->n_ntp,
                        &policy->ntp_origin)) < 0 ||
            (r = add_rules(compile, raw, section)) < 0)
                return r;
        return raw->interfaces ? add_interfaces(compile, raw->interfaces,
                                                tree_find(compile->tree, section, "interfaces"))
                               : 0;
}
