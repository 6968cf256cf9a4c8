/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "policy/decide.h"
#include "policy/decide_network.h"
#include "policy/scope.h"
#include "tests/unit/policy/policy_text.h"

static const char text[] = HEAD "zone: lgwan\n"
                                "network:\n"
                                "  resolvers: [10.20.0.53]\n"
                                "  ntp: [10.20.0.123, \"fd00::123\"]\n"
                                "  allow:\n"
                                "    - {name: juki, to: 10.20.0.0/16, protocol: tcp, ports: [443]}\n"
                                "    - {name: sync, to: 10.30.0.1, program: /usr/bin/sync}\n"
                                "    - {name: wire, to: 10.40.0.1, interface: eth0}\n"
                                "    - {name: person, to: 10.50.0.1, users: [uid1001]}\n"
                                "    - {name: hours, to: 10.60.0.1, hours: 08:30-17:15}\n"
                                "    - {name: old, to: 10.70.0.1, expires: 2020-01-01}\n"
                                "    - {name: name, to: gw.lgwan.local}\n";

static bool name_has(const void *userdata, const char *name, const Address *address) {
        return strcmp(name, "gw.lgwan.local") == 0 && address_in(userdata, address);
}

static OpenDecision ask(const Policy *policy, NetworkQuestion question) {
        const Subject subject = {.uid = 1002, .loginuid = (uid_t)-1, .gid = 100};
        OpenDecision decision;

        if (!question.subject)
                question.subject = &subject;
        question.now = (PolicyTime){.weekday = 1, .minute = 600, .expiry_now = 1800000000};
        decide_network(policy, &question, &decision);
        return decision;
}

Test(decide_network, destinations_are_what_the_policy_says) {
        static const Subject sato = {.uid = 1001, .loginuid = 1001, .gid = 100};
        CLEANUP_POLICY Policy *policy = policy_of(text);
        const struct {
                NetworkQuestion question;
                Verdict verdict;
                Reason reason;
                const char *rule;
        } cases[] = {
                {{.to = "10.20.1.1", .protocol = PROTOCOL_TCP, .port = 443},
                 VERDICT_ALLOW,
                 REASON_RULE,
                 "juki"},
                {{.to = "::ffff:10.20.1.1", .protocol = PROTOCOL_TCP, .port = 443},
                 VERDICT_ALLOW,
                 REASON_RULE,
                 "juki"},
                {{.to = "10.20.1.1", .protocol = PROTOCOL_TCP, .port = 8443},
                 VERDICT_DENY,
                 REASON_DEFAULT,
                 "network.default"},
                {{.to = "10.20.1.1", .protocol = PROTOCOL_ICMP},
                 VERDICT_DENY,
                 REASON_DEFAULT,
                 "network.default"},
                {{.to = "10.20.1.1"}, VERDICT_DENY, REASON_DEFAULT, "network.default"},
                {{.to = "10.20.0.53", .protocol = PROTOCOL_UDP, .port = 53},
                 VERDICT_ALLOW,
                 REASON_RULE,
                 "network.resolvers"},
                {{.to = "10.20.0.53", .protocol = PROTOCOL_TCP, .port = 53},
                 VERDICT_ALLOW,
                 REASON_RULE,
                 "network.resolvers"},
                {{.to = "10.20.0.53", .protocol = PROTOCOL_TCP, .port = 853},
                 VERDICT_DENY,
                 REASON_DEFAULT,
                 "network.default"},
                {{.to = "10.20.0.54", .protocol = PROTOCOL_UDP, .port = 53},
                 VERDICT_DENY,
                 REASON_DEFAULT,
                 "network.default"},
                {{.to = "fd00::123", .protocol = PROTOCOL_UDP, .port = 123},
                 VERDICT_ALLOW,
                 REASON_RULE,
                 "network.ntp"},
                {{.to = "fd00::123", .protocol = PROTOCOL_TCP, .port = 123},
                 VERDICT_DENY,
                 REASON_DEFAULT,
                 "network.default"},
                {{.to = "10.30.0.1"}, VERDICT_DENY, REASON_DEFAULT, "network.default"},
                {{.to = "10.30.0.1", .program = "/usr/bin/sync2"},
                 VERDICT_DENY,
                 REASON_DEFAULT,
                 "network.default"},
                {{.to = "10.30.0.1", .program = "/usr/bin/sync"}, VERDICT_ALLOW, REASON_RULE, "sync"},
                {{.to = "10.40.0.1"}, VERDICT_DENY, REASON_DEFAULT, "network.default"},
                {{.to = "10.40.0.1", .interface = "eth1"}, VERDICT_DENY, REASON_DEFAULT, "network.default"},
                {{.to = "10.40.0.1", .interface = "eth0"}, VERDICT_ALLOW, REASON_RULE, "wire"},
                {{.to = "10.50.0.1"}, VERDICT_DENY, REASON_NOT_THIS_PERSON, "person"},
                {{.to = "10.50.0.1", .subject = &sato}, VERDICT_ALLOW, REASON_RULE, "person"},
                {{.to = "10.60.0.1"}, VERDICT_ALLOW, REASON_RULE, "hours"},
                {{.to = "10.70.0.1"}, VERDICT_DENY, REASON_RULE_EXPIRED, "old"},
                {{.to = "GW.lgwan.local"}, VERDICT_ALLOW, REASON_RULE, "name"},
                {{.to = "10.80.0.1"}, VERDICT_DENY, REASON_DEFAULT, "network.default"},
                {{.to = "10.80.0.1", .resolves = name_has, .userdata = "10.80.0.1"},
                 VERDICT_ALLOW,
                 REASON_RULE,
                 "name"},
                {{.to = "10.80.0.2", .resolves = name_has, .userdata = "10.80.0.1"},
                 VERDICT_DENY,
                 REASON_DEFAULT,
                 "network.default"},
                {{.to = "127.9.9.9"}, VERDICT_ALLOW, REASON_INTERNAL, "network.loopback"},
                {{.to = "::1"}, VERDICT_ALLOW, REASON_INTERNAL, "network.loopback"},
                {{.to = "::ffff:127.0.0.1"}, VERDICT_ALLOW, REASON_INTERNAL, "network.loopback"},
                {{.to = "::2"}, VERDICT_DENY, REASON_DEFAULT, "network.default"},
                {{.to = "128.0.0.1"}, VERDICT_DENY, REASON_DEFAULT, "network.default"},
                {{.to = ""}, VERDICT_DENY, REASON_INVALID_QUESTION, "invalid-question"},
        };

        policy_number_users(policy);
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                OpenDecision found = ask(policy, cases[i].question);

                cr_expect_eq(found.verdict, cases[i].verdict, "case %zu: %s", i, cases[i].question.to);
                cr_expect_eq(found.reason, cases[i].reason, "case %zu: %s", i,
                             reason_to_string(found.reason));
                cr_expect_str_eq(found.rule, cases[i].rule, "case %zu: %s", i, cases[i].question.to);
        }
}

Test(decide_network, without_the_section_nothing_is_guarded) {
        CLEANUP_POLICY Policy *policy = policy_of(HEAD "zone: mynumber\n");
        OpenDecision found = ask(policy, (NetworkQuestion){.to = "198.51.100.1"});

        cr_expect_eq(found.verdict, VERDICT_ALLOW);
        cr_expect_eq(found.reason, REASON_NOT_GUARDED);
}

Test(decide_network, in_a_lockdown_only_the_terminal_itself_is_reached) {
        CLEANUP_POLICY Policy *policy = policy_of(text);

        policy_set_machine_locked(policy, true);
        cr_expect_eq(ask(policy, (NetworkQuestion){.to = "127.0.0.1"}).verdict, VERDICT_ALLOW);
        cr_expect_eq(ask(policy, (NetworkQuestion){.to = "10.60.0.1"}).reason, REASON_LOCKDOWN);
        cr_expect_eq(ask(policy, (NetworkQuestion){.to = "10.60.0.1"}).verdict, VERDICT_DENY);
        cr_expect_eq(ask(policy, (NetworkQuestion){.to = "10.20.0.53", .protocol = PROTOCOL_UDP, .port = 53})
                             .verdict,
                     VERDICT_DENY);
}

Test(decide_network, the_next_change_is_when_hours_of_a_destination_end) {
        CLEANUP_POLICY Policy *policy = policy_of(text);
        const PolicyTime morning = {.weekday = 1, .minute = 8 * 60};

        cr_expect_eq(policy_next_hours_change(policy, &morning), 30);
}
