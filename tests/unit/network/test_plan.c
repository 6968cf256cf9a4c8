/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "policy/scope.h"
#include "tests/unit/network/plans.h"

static const NetworkDestination *find(const NetworkPlan *plan, const char *rule) {
        for (size_t i = 0; i < plan->n_destinations; i++)
                if (strcmp(plan->destinations[i].rule, rule) == 0)
                        return &plan->destinations[i];
        return NULL;
}

Test(network_plan, is_off_without_the_section) {
        NetworkPlan *plan = plan_of(HEAD, NULL, NULL);

        cr_expect(plan->off);
        network_plan_free(plan);
        plan = plan_of(NETWORK "  default: deny\n", NULL, NULL);
        cr_expect_not(plan->off);
        cr_expect(plan->dhcp && plan->neighbours && !plan->default_allow && !plan->monitor && !plan->locked);
        network_plan_free(plan);
}

Test(network_plan, keeps_the_order_and_drops_the_bits_behind_a_prefix) {
        NetworkPlan *plan =
                plan_of(NETWORK "  allow:\n"
                                "    - {name: one, to: 10.20.0.0/16}\n"
                                "    - {name: two, to: \"fd00:1::/32\", protocol: tcp, ports: [443]}\n",
                        NULL, NULL);

        cr_assert_eq(plan->n_destinations, 2);
        cr_expect_str_eq(plan->destinations[0].rule, "one");
        cr_expect_eq(plan->destinations[0].address.bits, 32);
        cr_expect_eq(plan->destinations[0].prefix, 16);
        cr_expect_eq(plan->destinations[1].address.bits, 128);
        cr_expect_eq(plan->destinations[1].prefix, 32);
        cr_expect_eq(plan->destinations[1].ports[0].from, 443);
        cr_expect(plan->destinations[0].open && plan->destinations[0].everybody);
        network_plan_free(plan);
}

Test(network_plan, gives_a_name_the_addresses_it_was_resolved_to_and_nothing_else) {
        const Address addresses[] = {address_parse("10.1.1.1", 8), address_parse("fd00::1", 7)};
        const NetworkName names[] = {{"gw.example.jp", addresses, ELEMENTS(addresses)}};
        const NetworkKnown known = {.names = names, .n_names = 1};
        const char *text = NETWORK "  resolvers: [10.0.0.53]\n  allow:\n"
                                   "    - {name: known, to: GW.example.jp}\n"
                                   "    - {name: unknown, to: other.example.jp}\n";
        NetworkPlan *plan = plan_of(text, &known, NULL);

        cr_assert_eq(plan->n_destinations, 4); /* DNS by udp and tcp */
        cr_expect_str_eq(plan->destinations[0].rule, "network.resolvers");
        cr_expect_eq(plan->destinations[0].protocol, PROTOCOL_UDP);
        cr_expect_eq(plan->destinations[0].ports[0].from, 53);
        cr_expect_eq(plan->destinations[1].protocol, PROTOCOL_TCP);
        cr_expect_eq(plan->destinations[2].prefix, 32);
        cr_expect_eq(plan->destinations[3].prefix, 128);
        cr_expect_eq(plan->n_unresolved, 1);
        cr_expect_null(find(plan, "unknown"));
        network_plan_free(plan);
}

Test(network_plan, takes_the_members_of_groups_for_people) {
        const uid_t members[] = {1003, 1004};
        const NetworkGroup groups[] = {{50, members, 2}};
        const NetworkKnown known = {.groups = groups, .n_groups = 1};
        NetworkPlan *plan =
                plan_of(NETWORK "  allow:\n"
                                "    - {name: some, to: 10.0.0.1, users: [uid1001], groups: [gid50]}\n"
                                "    - {name: nobody, to: 10.0.0.2, users: [gone]}\n",
                        &known, NULL);
        const NetworkDestination *some = find(plan, "some"), *nobody = find(plan, "nobody");

        cr_assert(some && nobody);
        cr_expect_not(some->everybody);
        cr_assert_eq(some->n_uids, 3);
        cr_expect(some->uids[0] == 1001 && some->uids[1] == 1003 && some->uids[2] == 1004);
        cr_expect_eq(some->n_gids, 1);
        cr_expect(!nobody->everybody && nobody->n_uids == 0, "a person who is not there is not everybody");
        network_plan_free(plan);
}

Test(network_plan, closes_by_the_hour_forgets_what_has_expired_and_says_when_it_changes) {
        const char *text = NETWORK "  allow:\n"
                                   "    - {name: noon, to: 10.0.0.1, hours: \"Mon-Fri 08:30-12:05\"}\n"
                                   "    - {name: evening, to: 10.0.0.2, hours: \"18:00-19:00\"}\n"
                                   "    - {name: gone, to: 10.0.0.3, expires: 2026-01-01}\n"
                                   "    - {name: goes, to: 10.0.0.4, expires: 2099-01-01}\n";
        NetworkPlan *plan = plan_of(text, NULL, NULL);

        cr_assert_eq(plan->n_destinations, 3);
        cr_expect(find(plan, "noon")->open);
        cr_expect_not(find(plan, "evening")->open);
        cr_expect_null(find(plan, "gone"));
        cr_expect_gt(plan->next_change, 240);
        cr_expect_leq(plan->next_change, 301);
        network_plan_free(plan);
}

Test(network_plan, only_watches_until_the_end_of_the_trial_and_never_in_a_lockdown) {
        const char *trial = HEAD "mode: monitor\nmonitor-until: 2027-01-20\nnetwork: {}\n";
        const NetworkKnown told = {.monitor = true};
        PolicyTime later = monday_noon;
        NetworkPlan *plan = plan_of(trial, NULL, NULL);
        time_t rest = plan->next_change;

        cr_expect(plan->monitor);
        cr_assert_gt(rest, 0, "the table has no clock of its own");
        network_plan_free(plan);
        later.expiry_now += rest;
        plan = plan_of(trial, NULL, &later);
        cr_expect_not(plan->monitor);
        network_plan_free(plan);
        plan = plan_of(HEAD "mode: monitor\nlockdown: true\nnetwork: {}\n", NULL, NULL);
        cr_expect(plan->locked && !plan->monitor);
        network_plan_free(plan);
        plan = plan_of(trial, &told, &later);
        cr_expect(plan->monitor, "by the agent's own option");
        network_plan_free(plan);
}

Test(network_plan, tries_a_rule_out_until_its_end_and_never_in_a_lockdown) {
        const char *text =
                NETWORK "  allow:\n    - {name: a, to: 10.0.0.1, users: [uid1001], mode: monitor, "
                        "monitor-until: 2027-01-20}\n";
        PolicyTime later = monday_noon;
        NetworkPlan *plan = plan_of(text, NULL, NULL);
        time_t rest = plan->next_change;

        cr_expect(find(plan, "a")->tried && !plan->monitor);
        cr_assert_gt(rest, 0);
        network_plan_free(plan);
        later.expiry_now += rest;
        plan = plan_of(text, NULL, &later);
        cr_expect_not(find(plan, "a")->tried);
        network_plan_free(plan);
        plan = plan_of(HEAD "lockdown: true\nnetwork:\n  allow:\n"
                            "    - {name: a, to: 10.0.0.1, users: [uid1001], mode: monitor}\n",
                       NULL, NULL);
        cr_expect(plan->locked && !plan->monitor && plan->next_change == 0);
        cr_expect_eq(plan->n_destinations, 0, "nobody is asked who would be let where");
        network_plan_free(plan);
}

Test(network_plan, marks_programs_so_that_equal_ones_are_equal) {
        NetworkPlan *plan = plan_of(NETWORK "  allow:\n"
                                            "    - {name: a, to: 10.0.0.1, program: /usr/bin/a}\n"
                                            "    - {name: b, to: 10.0.0.2, program: /usr/bin/b}\n"
                                            "    - {name: c, to: 10.0.0.3, program: /usr/bin/a}\n"
                                            "    - {name: d, to: 10.0.0.4}\n",
                                    NULL, NULL);

        cr_expect_neq(find(plan, "a")->mark, 0);
        cr_expect_neq(find(plan, "a")->mark, find(plan, "b")->mark);
        cr_expect_eq(find(plan, "a")->mark, find(plan, "c")->mark);
        cr_expect_eq(find(plan, "d")->mark, 0);
        network_plan_free(plan);
}

/* What a socket keeps must not come to mean another program. */
Test(network_plan, gives_a_program_its_mark_by_its_path_and_not_by_its_place) {
        NetworkPlan *plan = plan_of(NETWORK "  allow:\n"
                                            "    - {name: a, to: 10.0.0.1, program: /usr/bin/a}\n"
                                            "    - {name: b, to: 10.0.0.2, program: /usr/bin/b}\n",
                                    NULL, NULL);
        NetworkPlan *later = plan_of(NETWORK "  allow:\n"
                                             "    - {name: b, to: 10.0.0.2, program: /usr/bin/b}\n"
                                             "    - {name: c, to: 10.0.0.3, program: /usr/bin/c}\n",
                                     NULL, NULL);

        cr_expect_eq(find(plan, "b")->mark, find(later, "b")->mark);
        cr_expect_neq(find(plan, "a")->mark, find(later, "b")->mark);
        cr_expect_neq(find(plan, "b")->mark, find(later, "c")->mark);
        network_plan_free(plan);
        network_plan_free(later);
}

Test(network_plan, gives_other_programs_other_marks_where_their_hashes_are_one) {
        NetworkPlan *alone = plan_of(NETWORK "  allow:\n"
                                             "    - {name: b, to: 10.0.0.2, program: /usr/bin/tool10694}\n",
                                     NULL, NULL);
        NetworkPlan *plan = plan_of(NETWORK "  allow:\n"
                                            "    - {name: a, to: 10.0.0.1, program: /usr/bin/tool4189}\n"
                                            "    - {name: b, to: 10.0.0.2, program: /usr/bin/tool10694}\n"
                                            "    - {name: c, to: 10.0.0.3, program: /usr/bin/tool10694}\n",
                                    NULL, NULL);

        cr_assert_eq(find(plan, "a")->mark, find(alone, "b")->mark, "the two have one hash");
        cr_expect_neq(find(plan, "a")->mark, find(plan, "b")->mark);
        cr_expect_eq(find(plan, "b")->mark, find(plan, "c")->mark);
        network_plan_free(alone);
        network_plan_free(plan);
}

/* The path's hash is the last of all: what follows it is the self-test's. */
Test(network_plan, gives_no_program_the_mark_of_the_self_test) {
        NetworkPlan *plan =
                plan_of(NETWORK "  allow:\n"
                                "    - {name: last, to: 10.0.0.1, program: /usr/bin/tool1608052}\n"
                                "    - {name: next, to: 10.0.0.2, program: /usr/bin/tool9009527}\n",
                        NULL, NULL);

        cr_assert_eq(find(plan, "last")->mark, NETWORK_MARK_SELF_TEST - 1);
        cr_expect_eq(find(plan, "next")->mark, NETWORK_MARK + 1);
        network_plan_free(plan);
}

Test(network_plan, covers_by_address_protocol_and_port) {
        NetworkPlan *plan = plan_of(
                NETWORK "  allow:\n"
                        "    - {name: a, to: 10.20.0.0/16, protocol: tcp, ports: [443, 8000-8010]}\n",
                NULL, NULL);
        static const struct {
                const char *to;
                Protocol protocol;
                uint16_t port;
                bool expected;
        } cases[] = {
                {"10.20.3.4", PROTOCOL_TCP, 443, true},  {"10.20.3.4", PROTOCOL_TCP, 8005, true},
                {"10.20.3.4", PROTOCOL_TCP, 444, false}, {"10.20.3.4", PROTOCOL_UDP, 443, false},
                {"10.21.3.4", PROTOCOL_TCP, 443, false}, {"::ffff:10.20.3.4", PROTOCOL_TCP, 443, true},
                {"fd00::1", PROTOCOL_TCP, 443, false},   {"10.20.3.4", PROTOCOL_ICMP, 0, false},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Address to = address_parse(cases[i].to, strlen(cases[i].to));

                cr_expect_eq(network_destination_covers(&plan->destinations[0], &to, cases[i].protocol,
                                                        cases[i].port),
                             cases[i].expected, "%s %d %u", cases[i].to, cases[i].protocol, cases[i].port);
        }
        network_plan_free(plan);
}
