/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/decide_interface.h"

#include <string.h>
#include <strings.h>

/* A name, or its beginning and a star. */
static bool is_like(const char *pattern, const char *name) {
        size_t length = strlen(pattern);

        if (!name)
                return false;
        if (length > 0 && pattern[length - 1] == '*')
                return strncmp(pattern, name, length - 1) == 0;
        return strcmp(pattern, name) == 0;
}

static bool is_same(const char *asked, const char *has) {
        return has && strcmp(asked, has) == 0;
}

bool interface_match_covers(const InterfaceMatch *match, const InterfaceIdentity *interface) {
        if (!match->interface && !match->driver && !match->bus && !match->mac && !match->kind_set)
                return false; /* nothing that was asked for */
        return (!match->interface || is_like(match->interface, interface->name)) &&
               (!match->driver || is_same(match->driver, interface->driver)) &&
               (!match->bus || is_same(match->bus, interface->bus)) &&
               (!match->mac || (interface->mac && strcasecmp(match->mac, interface->mac) == 0)) &&
               (!match->kind_set || match->kind == interface->kind);
}

static InterfaceDecision allowed(Reason reason, const char *rule, const char *origin) {
        return (InterfaceDecision){
                .verdict = VERDICT_ALLOW, .reason = reason, .rule = rule, .origin = origin};
}

void decide_interface(const Policy *policy, const InterfaceIdentity *interface, InterfaceDecision *ret) {
        bool kind_allowed;

        *ret = (InterfaceDecision){
                .reason = REASON_INVALID_QUESTION, .rule = "invalid-question", .origin = "built-in"};
        if (!policy || !interface->name || !*interface->name)
                return;
        if (interface->loopback) {
                *ret = allowed(REASON_INTERNAL, "interfaces.loopback", "built-in");
                return;
        }
        if (!policy->network_given) {
                *ret = allowed(REASON_NOT_GUARDED, "interfaces.default", "built-in");
                return;
        }
        for (size_t i = 0; i < policy->n_interfaces; i++)
                if (interface_match_covers(&policy->interfaces[i].match, interface)) {
                        *ret = allowed(REASON_RULE, policy->interfaces[i].name,
                                       policy->interfaces[i].origin);
                        return;
                }
        kind_allowed =
                (unsigned)interface->kind < INTERFACE_KINDS &&
                policy->interface_kind_allow[interface->kind] &&
                !(interface->tunnel && policy->zone == ZONE_MYNUMBER && !policy->interfaces_default_given);
        *ret = (InterfaceDecision){.verdict = kind_allowed ? VERDICT_ALLOW : VERDICT_DENY,
                                   .reason = REASON_DEFAULT,
                                   .rule = "interfaces.default",
                                   .origin = policy->interfaces_origin ? policy->interfaces_origin
                                                                       : "built-in"};
}
