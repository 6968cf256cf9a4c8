/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <string.h>

#include "policy/build.h"
#include "policy/load.h"
#include "tests/unit/policy/policy_text.h"

Test(load_network, the_section_is_taken_whole) {
        CLEANUP_POLICY Policy *p = policy_of(
                HEAD "network:\n  resolvers: [10.20.0.53, \"fd00::53\"]\n  ntp: [10.20.0.123]\n"
                     "  services: {dhcp: deny}\n"
                     "  interfaces:\n    default: deny\n    allow:\n"
                     "      - name: onboard\n        match: {interface: enp*, driver: e1000e, bus: pci, "
                     "mac: \"52:54:00:12:34:56\", kind: ethernet}\n"
                     "  allow:\n    - {name: a, to: 10.0.0.1, program: /usr/bin/a, interface: eth0}\n");

        cr_expect(p->network_given);
        cr_assert_eq(p->n_resolvers, 2);
        cr_expect_str_eq(p->resolvers[1], "fd00::53");
        cr_expect_str_eq(p->resolvers_origin, "p.yaml:4");
        cr_expect_str_eq(p->ntp_origin, "p.yaml:5");
        cr_assert_eq(p->n_ntp, 1);
        cr_expect_str_eq(p->ntp[0], "10.20.0.123");
        cr_expect_not(p->network_dhcp);
        cr_expect(p->network_neighbours);
        cr_assert_eq(p->n_interfaces, 1);
        cr_expect_str_eq(p->interfaces[0].name, "onboard");
        cr_expect_str_eq(p->interfaces[0].origin, "p.yaml:10");
        cr_expect_str_eq(p->interfaces[0].match.interface, "enp*");
        cr_expect_str_eq(p->interfaces[0].match.driver, "e1000e");
        cr_expect_str_eq(p->interfaces[0].match.bus, "pci");
        cr_expect_str_eq(p->interfaces[0].match.mac, "52:54:00:12:34:56");
        cr_expect(p->interfaces[0].match.kind_set && p->interfaces[0].match.kind == INTERFACE_ETHERNET);
        cr_expect_str_eq(p->interfaces_origin, "p.yaml:8");
        cr_assert_eq(p->n_network, 1);
        cr_expect_str_eq(p->network[0].program, "/usr/bin/a");
        cr_expect_str_eq(p->network[0].interface, "eth0");
}

Test(load_network, without_the_section_the_guard_is_off_in_every_zone) {
        static const char *const zones[] = {"mynumber", "lgwan", "internet"};

        for (size_t i = 0; i < ELEMENTS(zones); i++) {
                char text[128];

                snprintf(text, sizeof(text), HEAD "zone: %s\n", zones[i]);
                CLEANUP_POLICY Policy *p = policy_of(text);
                cr_expect_not(p->network_given, "%s", zones[i]);
                cr_expect(p->interface_kind_allow[INTERFACE_WIFI], "%s", zones[i]);
                cr_expect(p->interfaces_default_allow, "%s", zones[i]);
                cr_expect(p->network_dhcp && p->network_neighbours, "%s", zones[i]);
        }
}

Test(load_network, kinds_are_refused_by_zone_unless_a_default_is_given) {
        static const struct {
                const char *text;
                bool unknown, wired, wifi, usb, virtual_one;
        } cases[] = {
                {HEAD "network: {}\n", false, true, false, false, true},
                {HEAD "zone: mynumber\nnetwork: {}\n", false, true, false, false, true},
                {HEAD "zone: lgwan\nnetwork: {}\n", true, true, true, true, true},
                {HEAD "zone: internet\nnetwork: {}\n", true, true, true, true, true},
                {HEAD "zone: lgwan\nnetwork: {interfaces: {default: deny}}\n", false, false, false, false,
                 false},
                {HEAD "network: {interfaces: {default: allow}}\n", true, true, true, true, true},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_POLICY Policy *p = policy_of(cases[i].text);
                const bool *allow = p->interface_kind_allow;

                cr_expect_eq(allow[INTERFACE_UNKNOWN], cases[i].unknown, "%s", cases[i].text);
                cr_expect_eq(p->interfaces_default_allow, cases[i].unknown, "%s", cases[i].text);
                cr_expect_eq(allow[INTERFACE_ETHERNET], cases[i].wired, "%s", cases[i].text);
                cr_expect_eq(allow[INTERFACE_WIFI], cases[i].wifi, "%s", cases[i].text);
                cr_expect_eq(allow[INTERFACE_WWAN], cases[i].wifi, "%s", cases[i].text);
                cr_expect_eq(allow[INTERFACE_BLUETOOTH], cases[i].wifi, "%s", cases[i].text);
                cr_expect_eq(allow[INTERFACE_USB], cases[i].usb, "%s", cases[i].text);
                cr_expect_eq(allow[INTERFACE_VIRTUAL], cases[i].virtual_one, "%s", cases[i].text);
        }
}

Test(load_network, the_built_in_policy_is_closed_but_for_what_a_link_needs) {
        CLEANUP_POLICY Policy *p = NULL;

        cr_assert_eq(policy_default(&p), 0);
        cr_expect(p->network_given);
        cr_expect_not(p->network_default_allow);
        cr_expect(p->network_dhcp && p->network_neighbours);
        cr_expect(p->n_network == 0 && p->n_resolvers == 0 && p->n_ntp == 0);
        cr_expect(p->interface_kind_allow[INTERFACE_ETHERNET]);
        cr_expect_not(p->interface_kind_allow[INTERFACE_USB]);
        cr_expect_str_eq(p->interfaces_origin, "built-in");
}
