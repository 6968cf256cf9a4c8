/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/decide.h"
#include "policy/decide_network.h"
#include "policy/expiry.h"
#include "policy/lockout.h"
#include "policy/monitor.h"
#include "tests/unit/policy/policy_text.h"

#define RULE "removable: {devices: [{name: r, match: {serial: S}, "

static time_t moment(const char *text) {
        const char *why;
        time_t at;

        cr_assert_eq(expiry_parse(text, &at, &why), 0);
        return at;
}

static PolicyTime at(const char *text) {
        return (PolicyTime){.weekday = 1, .minute = 720, .expiry_now = moment(text)};
}

static Decision of_device(const Policy *policy, const char *serial, const PolicyTime *now) {
        DeviceIdentity device = {.bus = DEVICE_BUS_USB, .hotplug = true, .serial = (char *)serial};
        Decision decision;

        decide_device(policy, &device, now, &decision);
        return decision;
}

Test(monitor, a_rule_says_what_it_would_and_lets_it_go_up_to_its_end) {
        CLEANUP_POLICY Policy *policy =
                policy_of(HEAD RULE "access: deny, mode: monitor, monitor-until: 2027-03-31}]}\n");
        PolicyTime before = at("2027-03-31 23:58"), after = at("2027-03-31");
        Decision decision = of_device(policy, "S", &before);

        cr_expect_eq(decision.access, ACCESS_DENY);
        cr_expect(decision.monitor);
        decision = of_device(policy, "S", &after);
        cr_expect_eq(decision.access, ACCESS_DENY);
        cr_expect_not(decision.monitor);
        cr_expect_eq(policy_next_expiry(policy, before.expiry_now), after.expiry_now);
        cr_expect_eq(policy_next_expiry(policy, after.expiry_now), 0);
}

Test(monitor, of_a_default_does_not_hold_for_rules) {
        CLEANUP_POLICY Policy *policy = policy_of(
                HEAD "removable: {default: deny, monitor: true, devices: [{name: r, match: {serial: "
                     "S}, access: read-only}]}\n");
        PolicyTime now = at("2027-01-01");

        cr_expect(of_device(policy, "other", &now).monitor);
        cr_expect_not(of_device(policy, "S", &now).monitor);
}

Test(monitor, does_not_hold_in_a_lockdown) {
        CLEANUP_POLICY Policy *policy =
                policy_of(HEAD "lockdown: true\n" RULE "access: read-only, mode: monitor}]}\n");
        PolicyTime now = at("2027-01-01");
        Decision decision = of_device(policy, "S", &now);

        cr_expect_eq(decision.reason, REASON_LOCKDOWN);
        cr_expect_not(decision.monitor);
}

Test(monitor, of_the_whole_policy_ends_by_itself) {
        CLEANUP_POLICY Policy *policy = policy_of(HEAD "mode: monitor\nmonitor-until: 2027-01-31 17:15\n");

        cr_expect(policy_is_monitor(policy, moment("2027-01-31 17:14")));
        cr_expect_not(policy_is_monitor(policy, moment("2027-01-31 17:15")));
        cr_expect_eq(policy_next_expiry(policy, moment("2027-01-01")), moment("2027-01-31 17:15"));
}

Test(monitor, gives_way_to_what_is_in_force) {
        CLEANUP_POLICY Policy *policy = policy_of(
                HEAD RULE "access: deny, mode: monitor}]}\n"
                          "filesystems: {default: read-only, allow: [{name: f, type: fuse.x, access: "
                          "write, users: [uid1001]}]}\n");
        DeviceIdentity device = {.bus = DEVICE_BUS_USB, .hotplug = true, .serial = (char *)"S"};
        SuperblockIdentity id = {.kind = SUPERBLOCK_USER_SPACE, .fstype = "fuse.y", .device = &device};
        PolicyTime now = at("2027-01-01");
        Subject stranger = {.uid = 1002};
        OpenDecision open;
        Decision decision;

        policy_number_users(policy);
        decide_superblock(policy, &id, &now, &decision);
        cr_expect_eq(decision.access, ACCESS_READ_ONLY);
        cr_expect_not(decision.monitor, "the file system's default is in force");
        id.fstype = "fuse.x";
        decide_open(policy, &id, &stranger, true, &now, &open);
        cr_expect_eq(open.verdict, VERDICT_DENY);
        cr_expect_not(open.monitor, "the condition of the file system's rule is in force");
        cr_expect_str_eq(open.rule, "f");
}

Test(monitor, of_two_conditions_the_one_in_force_refuses) {
        CLEANUP_POLICY Policy *policy = policy_of(
                HEAD RULE
                "access: write, users: [uid1001], mode: monitor}]}\n"
                "filesystems: {allow: [{name: f, type: fuse.x, access: write, users: [uid1002]}]}\n");
        DeviceIdentity device = {.bus = DEVICE_BUS_USB, .hotplug = true, .serial = (char *)"S"};
        SuperblockIdentity id = {.kind = SUPERBLOCK_USER_SPACE, .fstype = "fuse.x", .device = &device};
        PolicyTime now = at("2027-01-01");
        static const struct {
                uid_t uid;
                bool denied, monitor;
        } cases[] = {{1001, true, false}, {1002, true, true}, {1003, true, false}};
        const RuleScope *scopes[DECIDE_CONDITIONS_MAX];

        policy_number_users(policy);
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Subject subject = {.uid = cases[i].uid};
                OpenDecision open;

                decide_open(policy, &id, &subject, true, &now, &open);
                cr_expect_eq(open.verdict == VERDICT_DENY, cases[i].denied, "%u", cases[i].uid);
                cr_expect_eq(open.monitor, cases[i].monitor, "%u", cases[i].uid);
        }
        cr_assert_eq(decide_conditions(policy, &id, &now, scopes), 1);
        cr_expect_eq(scopes[0], &policy->filesystems[0].scope);
}

Test(monitor, of_a_usb_rule_lets_the_device_in_and_takes_nobody_the_keyboard) {
        CLEANUP_POLICY Policy *policy = policy_of(
                HEAD
                "usb: {devices: [{name: k, match: {vendor: \"04f9\"}, access: deny, mode: monitor}]}\n");
        CLEANUP_POLICY Policy *before = policy_of(HEAD);
        DeviceIdentity device = {.bus = DEVICE_BUS_USB, .hotplug = true, .vendor = (char *)"04f9"};
        Essential item = {.kind = ESSENTIAL_KEYBOARD, .usb = true, .id = device, .class = USB_CLASS_HID_};
        PolicyTime now = at("2027-01-01");
        Decision decision;

        decide_usb_interface(policy, &device, USB_CLASS_HID_, &now, &decision);
        cr_expect_eq(decision.access, ACCESS_DENY);
        cr_expect(decision.monitor);
        cr_expect_null(policy_find_lockout(before, policy, &item, 1, &now, &decision));
}

Test(monitor, of_a_destination_is_said) {
        CLEANUP_POLICY Policy *policy = policy_of(HEAD "network: {allow: [{name: n, to: 10.0.0.0/8, hours: "
                                                       "01:00-02:00, mode: monitor}]}\n");
        Subject subject = {.uid = 1};
        NetworkQuestion question = {.to = "10.0.0.1", .subject = &subject, .now = at("2027-01-01")};
        OpenDecision open;

        decide_network(policy, &question, &open);
        cr_expect_eq(open.verdict, VERDICT_DENY);
        cr_expect(open.monitor);
}

typedef struct Seen {
        char names[256];
} Seen;

static int see(void *userdata, const Monitored *monitored) {
        Seen *seen = userdata;
        size_t length = strlen(seen->names);

        (void)snprintf(seen->names + length, sizeof(seen->names) - length, "%s%s", monitored->name,
                       monitored->until ? "! " : " ");
        return 0;
}

Test(monitor, is_told_of_everything_that_is_tried_out_now) {
        CLEANUP_POLICY Policy *policy = policy_of(
                HEAD
                "mode: monitor\n"
                "removable: {monitor: true, monitor-until: 2027-06-01, devices: [{name: d, match: {bus: "
                "usb}, "
                "access: deny, mode: monitor, expires: 2026-12-31}, {name: e, match: {bus: mmc}, access: "
                "deny, mode: enforce}]}\n"
                "usb: {devices: [{name: u, match: {bus: usb}, access: deny, mode: monitor, monitor-until: "
                "2027-06-01}]}\n"
                "filesystems: {monitor: true, allow: [{name: f, type: cifs, access: deny, mode: monitor, "
                "monitor-until: 2026-12-31}]}\n"
                "network: {allow: [{name: n, to: a.b, mode: monitor}]}\n");
        Seen seen = {0};

        (void)policy_foreach_monitored(policy, moment("2027-01-01"), see, &seen);
        cr_expect_str_eq(seen.names, "mode removable.default! filesystems.default u! n ");
}

Test(monitor, of_a_later_file_takes_the_place_of_the_earlier_ones_end) {
        CLEANUP_POLICY Policy *policy = policy_of(HEAD "mode: monitor\nmonitor-until: 2027-01-31\n");

        cr_expect_neq(policy->monitor_until, 0);
        cr_expect_not_null(policy->mode_origin);
}
