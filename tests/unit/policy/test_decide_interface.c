/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>

#include "policy/decide_interface.h"
#include "policy/scope.h"
#include "tests/unit/policy/policy_text.h"

static const InterfaceIdentity wired = {.name = "enp3s0",
                                        .driver = "e1000e",
                                        .bus = "pci",
                                        .mac = "52:54:00:ab:cd:ef",
                                        .kind = INTERFACE_ETHERNET};

static InterfaceDecision ask(const char *match, const InterfaceIdentity *interface) {
        char text[256];
        InterfaceDecision decision;

        snprintf(text, sizeof(text),
                 HEAD "network: {interfaces: {default: deny, allow: [{name: r, match: {%s}}]}}\n", match);
        Policy *policy = policy_of(text);
        decide_interface(policy, interface, &decision);
        decision.rule = decision.origin = NULL; /* they go with the policy */
        policy_unref(policy);
        return decision;
}

Test(decide_interface, a_rule_matches_by_everything_it_names) {
        static const struct {
                const char *match;
                bool covers;
        } cases[] = {
                {"interface: enp3s0", true},
                {"interface: enp3s1", false},
                {"interface: enp*", true},
                {"interface: enp3s0*", true},
                {"interface: wlp*", false},
                {"interface: enp3", false},
                {"driver: e1000e", true},
                {"driver: e1000", false},
                {"bus: pci", true},
                {"bus: usb", false},
                {"mac: \"52:54:00:AB:CD:EF\"", true},
                {"mac: \"52:54:00:ab:cd:ee\"", false},
                {"kind: ethernet", true},
                {"kind: usb", false},
                {"kind: ethernet, driver: e1000e, bus: pci", true},
                {"kind: ethernet, driver: r8169", false},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                InterfaceDecision found = ask(cases[i].match, &wired);

                cr_expect_eq(found.verdict, cases[i].covers ? VERDICT_ALLOW : VERDICT_DENY, "%s",
                             cases[i].match);
                cr_expect_eq(found.reason, cases[i].covers ? REASON_RULE : REASON_DEFAULT, "%s",
                             cases[i].match);
        }
}

Test(decide_interface, what_is_not_known_is_not_what_a_rule_names) {
        const InterfaceIdentity bare = {.name = "x0"};
        static const char *const matches[] = {"driver: e1000e", "bus: pci", "mac: \"52:54:00:ab:cd:ef\"",
                                              "kind: ethernet"};

        for (size_t i = 0; i < ELEMENTS(matches); i++)
                cr_expect_eq(ask(matches[i], &bare).verdict, VERDICT_DENY, "%s", matches[i]);
}

Test(decide_interface, kinds_go_by_the_zone) {
        static const struct {
                InterfaceKind kind;
                Verdict mynumber, lgwan;
        } cases[] = {
                {INTERFACE_ETHERNET, VERDICT_ALLOW, VERDICT_ALLOW},
                {INTERFACE_VIRTUAL, VERDICT_ALLOW, VERDICT_ALLOW},
                {INTERFACE_WIFI, VERDICT_DENY, VERDICT_ALLOW},
                {INTERFACE_WWAN, VERDICT_DENY, VERDICT_ALLOW},
                {INTERFACE_BLUETOOTH, VERDICT_DENY, VERDICT_ALLOW},
                {INTERFACE_USB, VERDICT_DENY, VERDICT_ALLOW},
                {INTERFACE_UNKNOWN, VERDICT_DENY, VERDICT_ALLOW},
                {(InterfaceKind)99, VERDICT_DENY, VERDICT_DENY},
        };
        CLEANUP_POLICY Policy *mynumber = policy_of(HEAD "network: {}\n");
        CLEANUP_POLICY Policy *lgwan = policy_of(HEAD "zone: lgwan\nnetwork: {}\n");

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                const InterfaceIdentity id = {.name = "x0", .kind = cases[i].kind};
                InterfaceDecision found;

                decide_interface(mynumber, &id, &found);
                cr_expect_eq(found.verdict, cases[i].mynumber, "case %zu", i);
                cr_expect_str_eq(found.rule, "interfaces.default");
                decide_interface(lgwan, &id, &found);
                cr_expect_eq(found.verdict, cases[i].lgwan, "case %zu", i);
        }
}

Test(decide_interface, loopback_is_approved_and_nothing_is_guarded_without_the_section) {
        const InterfaceIdentity loopback = {.name = "lo", .kind = INTERFACE_VIRTUAL, .loopback = true};
        const InterfaceIdentity wifi = {.name = "wlan0", .kind = INTERFACE_WIFI};
        CLEANUP_POLICY Policy *closed = policy_of(HEAD "network: {interfaces: {default: deny}}\n");
        CLEANUP_POLICY Policy *silent = policy_of(HEAD);
        InterfaceDecision found;

        decide_interface(closed, &loopback, &found);
        cr_expect_eq(found.verdict, VERDICT_ALLOW);
        cr_expect_eq(found.reason, REASON_INTERNAL);
        decide_interface(silent, &wifi, &found);
        cr_expect_eq(found.verdict, VERDICT_ALLOW);
        cr_expect_eq(found.reason, REASON_NOT_GUARDED);
        decide_interface(silent, &(InterfaceIdentity){0}, &found);
        cr_expect_eq(found.verdict, VERDICT_DENY);
}

Test(decide_interface, zone_mynumber_has_no_tunnels_but_named_ones) {
        const InterfaceIdentity tunnel = {.name = "wg0", .kind = INTERFACE_VIRTUAL, .tunnel = true};
        CLEANUP_POLICY Policy *by_zone = policy_of(HEAD "network: {}\n");
        CLEANUP_POLICY Policy *open = policy_of(HEAD "network: {interfaces: {default: allow}}\n");
        CLEANUP_POLICY Policy *lgwan = policy_of(HEAD "zone: lgwan\nnetwork: {}\n");
        InterfaceDecision found;

        decide_interface(by_zone, &tunnel, &found);
        cr_expect_eq(found.verdict, VERDICT_DENY);
        decide_interface(open, &tunnel, &found);
        cr_expect_eq(found.verdict, VERDICT_ALLOW);
        decide_interface(lgwan, &tunnel, &found);
        cr_expect_eq(found.verdict, VERDICT_ALLOW);
        cr_expect_eq(ask("interface: wg0", &tunnel).verdict, VERDICT_ALLOW);
}
