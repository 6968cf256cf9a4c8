/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/check_network.h"
#include "policy/decide_network.h"
#include "policy/scope.h"
#include "tests/unit/policy/policy_text.h"

typedef struct Findings {
        char text[4096];
        size_t n;
} Findings;

static void note(void *userdata, const char *rule, const char *origin, const char *message) {
        Findings *found = userdata;
        size_t at = strlen(found->text);

        snprintf(found->text + at, sizeof(found->text) - at, "%s (%s): %s\n", rule ? rule : "-",
                 origin ? origin : "-", message);
        found->n++;
}

static Findings findings_of(const Policy *policy) {
        Findings found = {.n = 0};
        const CheckNetworkSink sink = {.tell = note, .userdata = &found};

        cr_assert_eq(check_network(policy, &sink), 0);
        return found;
}

#define LGWAN HEAD "zone: lgwan\n"
#define ALLOW(rules)                                                                                        \
        LGWAN "network: {resolvers: [10.0.0.53], allow: [{name: first, to: 10.0.0.0/8, protocol: tcp, "     \
              "ports: [443, 8000-8010]}, " rules "]}\n"
#define LINK(match) LGWAN "network: {interfaces: {default: deny, allow: [{name: l, match: {" match "}}]}}\n"
#define SHARE(type, source, rule)                                                                           \
        LGWAN "filesystems: {allow: [{name: s, access: write, type: " type ", source: \"" source            \
              "\"}]}\nnetwork: {resolvers: [10.0.0.53], allow: [{name: n, " rule "}]}\n"

/* The only finding has this in it; NULL: there is none. */
static const struct {
        const char *policy, *finding;
} cases[] = {
        {HEAD "zone: mynumber\n", "THE NETWORK IS NOT GUARDED"},
        {HEAD, "THE NETWORK IS NOT GUARDED"},
        {LGWAN, NULL},
        {HEAD "network: {}\n", NULL},
        {HEAD "network: {default: allow}\n", "in zone mynumber"},
        {LGWAN "network: {default: allow}\n", "(p.yaml:4): network.default"},
        {HEAD "zone: internet\nnetwork: {default: allow}\n", NULL},
        {LGWAN "network: {allow: [{name: a, to: gw.example.jp}]}\n", "no network.resolvers"},
        {LGWAN "network: {resolvers: [10.0.0.53], allow: [{name: a, to: gw.example.jp}]}\n", NULL},
        {LGWAN "network: {allow: [{name: a, to: 0.0.0.0/0}]}\n", "approves every address"},
        {LGWAN "network: {allow: [{name: a, to: \"::/0\"}]}\n", "approves every address"},
        {ALLOW("{name: a, to: 10.1.0.0/16, protocol: tcp, ports: [443]}"), "a (p.yaml:4): the rule never"},
        {ALLOW("{name: a, to: 10.1.0.1, protocol: tcp, ports: [8001-8009], users: [sato]}"), "\"first\""},
        {ALLOW("{name: a, to: 10.1.0.1, protocol: tcp, ports: [443], program: /a}"), "\"first\""},
        {ALLOW("{name: a, to: 10.1.0.1, protocol: tcp, ports: [443-444]}"), NULL},
        {ALLOW("{name: a, to: 10.1.0.1, protocol: tcp}"), NULL},
        {ALLOW("{name: a, to: 10.1.0.1, protocol: udp, ports: [443]}"), NULL},
        {ALLOW("{name: a, to: 11.1.0.1, protocol: tcp, ports: [443]}"), NULL},
        {ALLOW("{name: a, to: 10.0.0.0/7, protocol: tcp, ports: [443]}"), NULL},
        {ALLOW("{name: a, to: \"fd00::1\", protocol: tcp, ports: [443]}"), NULL},
        {ALLOW("{name: a, to: 10.1.0.1, program: /a}, {name: b, to: 10.1.0.1, program: /b}"), NULL},
        {ALLOW("{name: a, to: 10.1.0.1, program: /a}, {name: b, to: 10.1.0.1, program: /a}"), "\"a\""},
        {ALLOW("{name: a, to: 10.1.0.1, interface: x}, {name: b, to: 10.1.0.1}"), NULL},
        {ALLOW("{name: a, to: 10.1.0.1, expires: 2090-01-01}, {name: b, to: 10.1.0.1}"), NULL},
        {ALLOW("{name: a, to: 10.1.0.1, expires: 2090-01-02}, {name: b, to: 10.1.0.1, expires: 2090-01-01}"),
         "\"a\""},
        {ALLOW("{name: a, to: GW.example}, {name: b, to: gw.example}"), "\"a\""},
        {SHARE("cifs", "//fs01/kyoyu", "to: fs01, protocol: tcp, ports: [445]"), NULL},
        {SHARE("cifs", "//fs01/kyoyu", "to: fs01, protocol: tcp, ports: [443]"),
         "\"fs01\" cannot be reached"},
        {SHARE("cifs", "//fs01/kyoyu", "to: fs01, program: /usr/bin/a"), "\"fs01\" cannot be reached"},
        {SHARE("cifs", "//10.1.1.1/a", "to: 10.1.0.0/16"), NULL},
        {SHARE("cifs", "//10.2.1.1/a", "to: 10.1.0.0/16"), "s (p.yaml:4): its server \"10.2.1.1\""},
        {SHARE("nfs4", "nas:/srv", "to: nas, protocol: tcp, ports: [2049]"), NULL},
        {SHARE("nfs4", "nas:/srv", "to: nas, protocol: tcp, ports: [445]"), "port 2049"},
        {SHARE("nfs", "[fd00::1]:/srv", "to: \"fd00::/8\""), NULL},
        {SHARE("nfs", "[fd01::1]:/srv", "to: \"fd00::/16\""), "\"fd01::1\""},
        {SHARE("fuse.sshfs", "sato@nas:/srv", "to: nas, protocol: tcp, ports: [22]"), NULL},
        {SHARE("fuse.sshfs", "sato@nas:/srv", "to: nas2"), "\"nas\""},
        {SHARE("fuse.rclone", "remote:", "to: nas"), NULL},
        {LINK("kind: ethernet"), NULL},
        {LINK("interface: lo"), "approved always"},
        {LINK("kind: virtual, bus: pci"), "on no bus"},
        {LINK("kind: ethernet, bus: usb"), "expected kind usb"},
        {LINK("kind: usb, bus: pci"), "no other bus"},
        {LINK("kind: wifi, bus: usb"), NULL},
        {LINK("mac: \"01:00:5e:00:00:01\""), "no interface has this address"},
        {LINK("mac: \"00:00:00:00:00:00\""), "no interface has this address"},
        {LINK("mac: \"52:54:00:00:00:01\""), NULL},
        {LGWAN "network: {interfaces: {default: allow, allow: [{name: l, match: {kind: wifi}}]}}\n",
         "changes nothing"},
};

Test(check_network, tells_what_may_surprise_and_nothing_else) {
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_POLICY Policy *policy = policy_of(cases[i].policy);
                Findings found = findings_of(policy);

                cr_expect_eq(found.n, cases[i].finding ? 1 : 0, "case %zu: %s%s", i, cases[i].policy,
                             found.text);
                if (cases[i].finding)
                        cr_expect(strstr(found.text, cases[i].finding), "case %zu: %s", i, found.text);
        }
}

Test(check_network, the_examples_hold_no_surprise) {
        static const char *const zones[] = {"mynumber", "lgwan", "internet"};

        for (size_t i = 0; i < ELEMENTS(zones); i++) {
                CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
                CLEANUP_POLICY Policy *policy = NULL;
                Findings found;
                char path[64];

                snprintf(path, sizeof(path), "policy/examples/%s.yaml", zones[i]);
                cr_assert_eq(policy_load(path, &policy, &faults), 0, "%s: %s", path,
                             faults.n ? faults.items[0].message : "?");
                cr_expect(policy->network_given, "%s", path);
                cr_expect_str_eq(policy_zone_to_string(policy->zone), zones[i]);
                found = findings_of(policy);
                cr_expect_eq(found.n, 0, "%s: %s", path, found.text);
        }
}

/* What the three zones differ in: what they are for. */
Test(check_network, the_examples_keep_their_zones_apart) {
        static const struct {
                const char *zone, *to;
                bool allowed;
        } ways[] = {
                {"mynumber", "10.20.1.1", true},     {"mynumber", "10.64.0.1", false},
                {"mynumber", "198.51.100.1", false}, {"lgwan", "10.64.0.1", true},
                {"lgwan", "198.51.100.1", false},    {"lgwan", "2001:db8::1", false},
                {"internet", "198.51.100.1", true},
        };

        for (size_t i = 0; i < ELEMENTS(ways); i++) {
                CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
                const Subject subject = {.uid = 1000};
                const NetworkQuestion question = {
                        .to = ways[i].to, .protocol = PROTOCOL_TCP, .port = 443, .subject = &subject};
                CLEANUP_POLICY Policy *policy = NULL;
                OpenDecision found;
                char path[64];

                snprintf(path, sizeof(path), "policy/examples/%s.yaml", ways[i].zone);
                cr_assert_eq(policy_load(path, &policy, &faults), 0);
                decide_network(policy, &question, &found);
                cr_expect_eq(found.verdict, ways[i].allowed ? VERDICT_ALLOW : VERDICT_DENY, "%s to %s",
                             ways[i].zone, ways[i].to);
        }
}
