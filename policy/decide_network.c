/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/decide_network.h"

#include <string.h>
#include <strings.h>

#include "policy/decide.h"
#include "policy/hours.h"
#include "policy/monitor.h"

/* Without the interface of fe80::1%eth0. */
static Address address_of(const char *text) {
        return address_parse(text, strcspn(text, "%"));
}

static bool covers_place(const NetworkRule *rule, const NetworkQuestion *question) {
        Address address = address_of(question->to);

        if (address.bits == 0)
                return strcasecmp(rule->to, question->to) == 0;
        return address_in(rule->to, &address) ||
               (question->resolves && question->resolves(question->userdata, rule->to, &address));
}

static bool has_ports(Protocol protocol) {
        return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP;
}

static bool covers_port(const NetworkRule *rule, uint16_t port) {
        for (size_t i = 0; i < rule->n_ports; i++)
                if (port >= rule->ports[i].from && port <= rule->ports[i].to)
                        return true;
        return rule->n_ports == 0;
}

/* What is not known of who asks is not what a rule names. */
static bool is_named(const char *named, const char *asked) {
        return !named || (asked && strcmp(named, asked) == 0);
}

bool network_rule_covers(const NetworkRule *rule, const NetworkQuestion *question) {
        if (rule->protocol != PROTOCOL_ANY && rule->protocol != question->protocol)
                return false;
        if (rule->n_ports > 0 && (!has_ports(question->protocol) || !covers_port(rule, question->port)))
                return false;
        if (!is_named(rule->program, question->program) || !is_named(rule->interface, question->interface))
                return false;
        return covers_place(rule, question);
}

bool network_is_loopback(const Address *address) {
        static const unsigned char one[16] = {[15] = 1};

        return address->bits == 32    ? address->bytes[0] == 127
               : address->bits == 128 ? memcmp(address->bytes, one, sizeof(one)) == 0
                                      : false;
}

static bool is_one_of(const Address *address, char *const *list, size_t n) {
        for (size_t i = 0; i < n; i++)
                if (address_in(list[i], address))
                        return true;
        return false;
}

static OpenDecision allowed(Reason reason, const char *rule, const char *origin) {
        return (OpenDecision){.verdict = VERDICT_ALLOW, .reason = reason, .rule = rule, .origin = origin};
}

static const char *origin_of(const Policy *policy) {
        return policy->network_origin ? policy->network_origin : "built-in";
}

bool network_decide_for_everybody(const Policy *policy, const NetworkQuestion *question, OpenDecision *ret) {
        Address address = address_of(question->to);

        if (network_is_loopback(&address)) {
                *ret = allowed(REASON_INTERNAL, "network.loopback", "built-in");
                return true;
        }
        if (policy_is_locked_down(policy)) {
                *ret = (OpenDecision){.reason = REASON_LOCKDOWN,
                                      .rule = "lockdown",
                                      .origin = policy->lockdown && policy->lockdown_origin
                                                        ? policy->lockdown_origin
                                                        : "built-in"};
                return true;
        }
        if (!policy->network_given) {
                *ret = allowed(REASON_NOT_GUARDED, "network.default", "built-in");
                return true;
        }
        if (has_ports(question->protocol) && question->port == NETWORK_PORT_DNS &&
            is_one_of(&address, policy->resolvers, policy->n_resolvers)) {
                *ret = allowed(REASON_RULE, "network.resolvers", policy->resolvers_origin);
                return true;
        }
        if (question->protocol == PROTOCOL_UDP && question->port == NETWORK_PORT_NTP &&
            is_one_of(&address, policy->ntp, policy->n_ntp)) {
                *ret = allowed(REASON_RULE, "network.ntp", policy->ntp_origin);
                return true;
        }
        return false;
}

static void decide_by_rule(const NetworkRule *rule, const NetworkQuestion *question, OpenDecision *ret) {
        Reason refusal = scope_refusal(&rule->scope, question->subject, &question->now);

        *ret = (OpenDecision){.verdict = refusal == REASON_NO_DECISION ? VERDICT_ALLOW : VERDICT_DENY,
                              .reason = refusal == REASON_NO_DECISION ? REASON_RULE : refusal,
                              .monitor = refusal != REASON_NO_DECISION &&
                                         monitor_is_on(&rule->monitor, question->now.expiry_now),
                              .rule = rule->name,
                              .origin = rule->origin};
}

void decide_network(const Policy *policy, const NetworkQuestion *question, OpenDecision *ret) {
        const NetworkRule *expired = NULL;

        *ret = (OpenDecision){
                .reason = REASON_INVALID_QUESTION, .rule = "invalid-question", .origin = "built-in"};
        if (!policy || !question->to || !*question->to ||
            network_decide_for_everybody(policy, question, ret))
                return;
        for (size_t i = 0; i < policy->n_network; i++) {
                const NetworkRule *rule = &policy->network[i];

                if (!network_rule_covers(rule, question))
                        continue;
                if (rule->scope.expires == 0 || question->now.expiry_now < rule->scope.expires) {
                        decide_by_rule(rule, question, ret);
                        return;
                }
                if (!expired)
                        expired = rule;
        }
        *ret = (OpenDecision){.verdict = policy->network_default_allow ? VERDICT_ALLOW : VERDICT_DENY,
                              .reason = expired ? REASON_RULE_EXPIRED : REASON_DEFAULT,
                              .rule = expired ? expired->name : "network.default",
                              .origin = expired ? expired->origin : origin_of(policy)};
}
