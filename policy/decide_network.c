/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/decide_network.h"

#include <string.h>
#include <strings.h>

#include "policy/address.h"
#include "policy/decide.h"
#include "policy/hours.h"
#include "policy/monitor.h"

static bool covers_place(const char *to, const char *asked) {
        Address address =
                address_parse(asked, strcspn(asked, "%")); /* without the interface of fe80::1%eth0 */

        return address.bits != 0 ? address_in(to, &address) : strcasecmp(to, asked) == 0;
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

bool network_rule_covers(const NetworkRule *rule, const NetworkQuestion *question) {
        if (rule->protocol != PROTOCOL_ANY && rule->protocol != question->protocol)
                return false;
        if (rule->n_ports > 0 && (!has_ports(question->protocol) || !covers_port(rule, question->port)))
                return false;
        return covers_place(rule->to, question->to);
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
        if (!policy || !question->to || !*question->to)
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
                              .origin = expired                  ? expired->origin
                                        : policy->network_origin ? policy->network_origin
                                                                 : "built-in"};
}
