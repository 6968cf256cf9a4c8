/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <criterion/criterion.h>

#include "agent/network/intervals.h"
#include "agent/network/lookups.h"
#include "agent/network/table.h"
#include "policy/scope.h"
#include "tests/unit/network/plans.h"

static char *table_of(const char *policy) {
        NetworkPlan *plan = plan_of(policy, NULL, NULL);
        char *text = NULL;

        cr_assert_eq(network_table_text(plan, &text), 0);
        network_plan_free(plan);
        return text;
}

static bool has(const char *text, const char *part) {
        return strstr(text, part);
}

static size_t count(const char *text, const char *part) {
        size_t n = 0;

        for (; (text = strstr(text, part)); text += strlen(part))
                n++;
        return n;
}

/* "FROM-TO:0,2;" for each range. */
static int write_range(void *userdata, AddressNumber from, AddressNumber to, const size_t *covering,
                       size_t n) {
        Address a = address_of_number(from, 32), b = address_of_number(to, 32);
        char text[2][INET6_ADDRSTRLEN];

        fprintf(userdata, "%s-%s:", inet_ntop(AF_INET, a.bytes, text[0], INET6_ADDRSTRLEN),
                inet_ntop(AF_INET, b.bytes, text[1], INET6_ADDRSTRLEN));
        for (size_t i = 0; i < n; i++)
                fprintf(userdata, "%s%zu", i > 0 ? "," : "", covering[i]);
        fputs(";", userdata);
        return 0;
}

Test(network_intervals, cut_prefixes_where_they_lie_in_one_another) {
        static const struct {
                const char *places[4], *expected;
        } cases[] = {
                {{"10.0.0.1"}, "10.0.0.1-10.0.0.1:0;"},
                {{"10.0.0.0/30", "10.0.0.2"},
                 "10.0.0.0-10.0.0.1:0;10.0.0.2-10.0.0.2:0,1;10.0.0.3-10.0.0.3:0;"},
                {{"10.0.0.3", "10.0.0.0/30"}, "10.0.0.0-10.0.0.2:1;10.0.0.3-10.0.0.3:0,1;"},
                {{"10.0.0.0/30", "10.0.0.0/30"}, "10.0.0.0-10.0.0.3:0,1;"},
                {{"10.0.0.0/31", "10.0.0.0", "10.0.1.0"},
                 "10.0.0.0-10.0.0.0:0,1;10.0.0.1-10.0.0.1:0;10.0.1.0-10.0.1.0:2;"},
                {{"0.0.0.0/0", "255.255.255.255"},
                 "0.0.0.0-255.255.255.254:0;255.255.255.255-255.255.255.255:0,1;"},
                {{"255.255.255.254/31", "255.255.255.255", "0.0.0.0"},
                 "0.0.0.0-0.0.0.0:2;255.255.255.254-255.255.255.254:0;255.255.255.255-255.255.255.255:0,1;"},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                NetworkDestination destinations[4] = {0};
                NetworkPlan plan = {.destinations = destinations};
                CLEANUP_FREE char *text = NULL;
                size_t length;
                FILE *f = open_memstream(&text, &length);

                for (size_t j = 0; j < 4 && cases[i].places[j]; j++, plan.n_destinations++) {
                        const char *place = cases[i].places[j], *slash = strchr(place, '/');

                        destinations[j].address = address_parse(place, strcspn(place, "/"));
                        destinations[j].prefix = slash ? atoi(slash + 1) : 32;
                }
                cr_assert_eq(network_intervals(&plan, 32, write_range, f), 0);
                fclose(f);
                cr_expect_str_eq(text, cases[i].expected, "case %zu: %s", i, text);
        }
}

Test(network_intervals, reach_to_the_highest_address_of_the_second_version) {
        NetworkDestination destination = {.address = {.bits = 128}};
        NetworkPlan plan = {.destinations = &destination, .n_destinations = 1};
        CLEANUP_FREE char *text = NULL;
        size_t length;
        FILE *f = open_memstream(&text, &length);

        cr_assert_eq(network_intervals(&plan, 128, write_range, f), 0);
        fclose(f);
        cr_expect_eq(count(text, ";"), 1);
}

Test(network_table, is_taken_away_where_the_guard_is_off) {
        CLEANUP_FREE char *text = table_of(HEAD);

        cr_expect_str_eq(text, "add table inet sekisho\ndelete table inet sekisho\n");
}

Test(network_table, lets_nothing_out_but_loopback_and_what_a_link_needs_by_default) {
        CLEANUP_FREE char *text = table_of(NETWORK "  default: deny\n");
        CLEANUP_FREE char *closed =
                table_of(NETWORK "  services: {dhcp: deny, neighbour-discovery: deny}\n");

        cr_expect(has(text, "hook output priority 300; policy drop;"));
        cr_expect(has(text, "hook forward priority 300; policy drop;"));
        cr_expect(has(text, "oif \"0000000000000001\" accept"));
        cr_expect(has(text, "udp sport 68 udp dport 67 accept"));
        cr_expect(has(text, "nd-router-solicit } accept"));
        cr_expect_not(has(text, "elements"));
        cr_expect(has(closed, "oif \"0000000000000001\" accept"));
        cr_expect_not(has(closed, "dport 67"));
        cr_expect_not(has(closed, "nd-router-solicit } accept"));
        cr_expect_not(has(closed, "ct state"), "nothing goes on because it was allowed once");
}

Test(network_table, judges_each_version_by_rules_of_its_own) {
        CLEANUP_FREE char *text = table_of(NETWORK "  allow:\n    - {name: a, to: 10.1.0.0/16}\n");

        cr_expect(has(text, "\t\tmeta nfproto ipv4 goto output4\n\t\tmeta nfproto ipv6 goto output6\n"
                            "\t\tgoto refuse\n"));
        cr_expect(has(text, "chain output4 {\n\t\tip hdrlength > 5 jump options4\n"));
        cr_expect(has(text, "\t\tip daddr vmap @to4\n\t\tgoto refuse\n"));
        cr_expect(has(text, "chain output6 {\n\t\texthdr rt exists goto refuse\n"));
        cr_expect(has(text, "\t\tip6 daddr vmap @to6\n\t\tgoto refuse\n"));
}

Test(network_table, lets_answers_out_before_it_refuses_anybody) {
        CLEANUP_FREE char *text =
                table_of(NETWORK "  allow:\n"
                                 "    - {name: a, to: 10.1.1.1, protocol: tcp, ports: [1]}\n"
                                 "    - {name: b, to: 10.1.1.1, users: [uid1001]}\n"
                                 "    - {name: c, to: 10.1.1.2, protocol: tcp, ports: [1]}\n"
                                 "    - {name: d, to: 10.1.1.3, users: [gone]}\n");

        cr_expect(has(text, "\t\t tcp dport { 1 } accept\n\t\tct direction reply accept\n\t\t meta skuid"));
        cr_expect(
                has(text, "\t\t tcp dport { 1 } accept\n\t\tct direction reply accept\n\t\tgoto refuse\n"));
        cr_expect_eq(count(text, "\t\tct direction reply accept\n"), 3);
}

/* N hosts whose neighbours are not approved, one prefix, one that is neither, and the same of version 6. */
static char *table_of_many(int n) {
        CLEANUP_FREE char *policy = NULL;
        size_t length;
        FILE *f = open_memstream(&policy, &length);

        fputs(NETWORK "  allow:\n    - {name: a, to: 10.2.0.0/16, protocol: udp}\n"
                      "    - {name: b, to: 10.5.0.0/24}\n    - {name: c, to: 10.5.1.0/25}\n",
              f);
        for (int i = 0; i < n; i++)
                fprintf(f,
                        "    - {name: r%d, to: 10.1.%d.%d, protocol: tcp}\n"
                        "    - {name: s%d, to: \"fd00:%x::/48\", protocol: tcp}\n",
                        i, i / 100, i % 100 * 2, i, i * 2);
        fclose(f);
        return table_of(policy);
}

Test(network_table, finds_many_prefixes_of_one_length_by_a_hash) {
        CLEANUP_FREE char *few = table_of_many(LOOKUPS_HASH_MIN - 1),
                          *many = table_of_many(LOOKUPS_HASH_MIN);
        char *ranges;

        cr_expect_not(has(few, "@to4_32"));
        cr_expect_eq(count(few, " vmap "), 2);
        cr_expect(has(many, "\tmap to4_32 {\n\t\ttype ipv4_addr : verdict\n\t\tsize 258\n\t\telements = {\n"
                            "\t\t\t10.1.0.0 : goto to_"));
        cr_expect(has(many, "\tmap to6_48 {\n\t\ttype ipv6_addr : verdict\n\t\tsize 256\n\t\telements = {\n"
                            "\t\t\tfd00:: : goto to_"));
        cr_expect(has(many, "\t\tip daddr vmap @to4_32\n\t\tip daddr vmap @to4\n"));
        cr_expect(has(many, "\t\tip6 daddr & ffff:ffff:ffff:: vmap @to6_48\n\t\tip6 daddr vmap @to6\n"));
        ranges = strstr(many, "\tmap to4 {");
        cr_assert(ranges);
        *strstr(ranges, "\t}\n") = '\0';
        cr_expect(has(ranges, "10.2.0.0-10.2.255.255 : goto to_"));
        cr_expect(has(ranges, "10.5.0.0-10.5.1.127 : accept"), "neighbours are one");
        cr_expect_eq(count(ranges, " : "), 3, "with the type: no prefix is in both");
}

Test(network_table, puts_prefixes_under_the_same_rules_behind_one_chain) {
        CLEANUP_FREE char *text =
                table_of(NETWORK "  allow:\n"
                                 "    - {name: a, to: 10.1.0.0/16, protocol: tcp, ports: [443]}\n"
                                 "    - {name: b, to: 10.3.0.0/16, protocol: tcp, ports: [443]}\n"
                                 "    - {name: c, to: 10.5.0.0/16, protocol: udp}\n"
                                 "    - {name: d, to: 10.7.0.0/16}\n");

        cr_expect_eq(count(text, "\tchain to_"), 2);
        cr_expect(has(text, "10.1.0.0-10.1.255.255 : goto to_0,"));
        cr_expect(has(text, "10.3.0.0-10.3.255.255 : goto to_0,"));
        cr_expect(has(text, "10.5.0.0-10.5.255.255 : goto to_1,"));
        cr_expect(has(text, "10.7.0.0-10.7.255.255 : accept,"));
        cr_expect(has(text, " tcp dport { 443 } accept"));
}

Test(network_table, refuses_whom_the_first_rule_does_not_name_whatever_later_ones_say) {
        CLEANUP_FREE char *text =
                table_of(NETWORK "  allow:\n"
                                 "    - {name: a, to: 10.1.1.1, users: [uid1001], groups: [gid50]}\n"
                                 "    - {name: b, to: 10.1.0.0/16, protocol: tcp}\n");
        const char *chain = strstr(text, "chain to_1");

        cr_assert(chain);
        cr_expect(has(text, "10.1.1.1 : goto to_1"));
        cr_expect(has(chain, " meta skuid { 1001 } ct label set 101 accept\n"
                             "\t\t meta skgid { 50 } ct label set 101 accept\n"
                             "\t\t meta skuid 0-4294967294 goto refuse\n"
                             "\t\t meta l4proto tcp ct state established ct label 101 accept\n"
                             "\t\t goto refuse"));
}

Test(network_table, refuses_outside_hours_and_who_does_not_exist) {
        CLEANUP_FREE char *text =
                table_of(NETWORK "  allow:\n"
                                 "    - {name: a, to: 10.1.1.1, protocol: tcp, hours: \"18:00-19:00\"}\n"
                                 "    - {name: b, to: 10.1.1.3, protocol: tcp, users: [gone]}\n");

        cr_expect_eq(count(text, " meta l4proto tcp goto refuse"), 2);
        cr_expect_eq(count(text, " meta l4proto tcp accept"), 0);
}

Test(network_table, asks_for_interface_and_mark) {
        CLEANUP_FREE char *text =
                table_of(NETWORK "  allow:\n"
                                 "    - {name: a, to: 10.1.1.1, interface: eth0, program: /usr/bin/a}\n");

        cr_expect(has(text, "oifname \"eth0\" meta mark 0x5e915f6f accept"),
                  "as the sockets of now will still say to the next agent");
}

Test(network_table, refuses_nothing_in_monitor_mode_and_records) {
        CLEANUP_FREE char *text = table_of(HEAD "mode: monitor\nnetwork:\n  allow:\n"
                                                "    - {name: a, to: 10.1.1.1, users: [uid1001]}\n");
        const char *output = strstr(text, "hook output");

        cr_assert(output);
        cr_expect(has(output, "policy accept;"));
        cr_expect_not(has(output, "goto refuse"));
        cr_expect(has(text, " goto passed"));
}

Test(network_table, closes_everything_but_loopback_in_a_lockdown) {
        CLEANUP_FREE char *text = table_of(HEAD "lockdown: true\nnetwork:\n  default: allow\n  allow:\n"
                                                "    - {name: a, to: 10.1.1.1}\n");
        const char *output = strstr(text, "hook output");

        cr_assert(output);
        cr_expect(has(output, "oif \"0000000000000001\" accept\n\t\tgoto refuse\n\t}"));
        cr_expect_not(has(text, "10.1.1.1"));
        cr_expect(has(strstr(text, "hook forward"), "policy drop;\n\t\tgoto forwarded"));
}

Test(network_table, lets_through_and_records_whom_a_rule_on_trial_would_refuse) {
        static const char rules[] =
                "  allow:\n    - {name: a, to: 10.1.1.1, protocol: tcp, users: [uid1001], "
                "mode: monitor, monitor-until: 2027-01-20}\n"
                "    - {name: b, to: 10.1.1.2, protocol: udp, users: [uid1001]}\n";
        CLEANUP_FREE char *policy = NULL, *text = NULL;

        cr_assert_gt(asprintf(&policy, "%s%s", NETWORK, rules), 0);
        text = table_of(policy);
        cr_expect_eq(count(text, " meta l4proto tcp goto passed"), 1);
        cr_expect_eq(count(text, " meta l4proto udp goto refuse"), 1);
}
