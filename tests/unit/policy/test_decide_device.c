/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <malloc.h>

#include "policy/decide.h"
#include "tests/unit/policy/policy_text.h"

static char vendor[] = "0951", product[] = "1666", serial[] = "E0D55EA574", other_serial[] = "E0D55EA575";
static char upper_vendor[] = "0ABC", lower_serial[] = "e0d55ea574";

static const PolicyTime noon = {.weekday = 1, .minute = 720, .expiry_now = 1800000000};

static DeviceIdentity stick(void) {
        return (DeviceIdentity){.vendor = vendor,
                                .product = product,
                                .serial = serial,
                                .bus = DEVICE_BUS_USB,
                                .hotplug = true};
}

static Decision decided(const Policy *policy, const DeviceIdentity *device) {
        Decision decision;

        memset(&decision, 0xff, sizeof(decision)); /* whatever was there before */
        decide_device(policy, device, &noon, &decision);
        cr_assert_not_null(decision.rule);
        cr_assert_not_null(decision.origin);
        return decision;
}

#define expect_decision(decision, access_, reason_, rule_)                                                  \
        do {                                                                                                \
                Decision d_ = (decision);                                                                   \
                cr_expect_str_eq(access_to_string(d_.access), access_to_string(access_));                   \
                cr_expect_str_eq(reason_to_string(d_.reason), reason_to_string(reason_));                   \
                cr_expect_str_eq(d_.rule, rule_);                                                           \
        } while (0)

Test(policy_device, is_external_by_its_bus) {
        static const struct {
                DeviceBus bus;
                bool expected;
        } cases[] = {
                {DEVICE_BUS_UNKNOWN, true},     {DEVICE_BUS_USB, true},      {DEVICE_BUS_MMC, true},
                {DEVICE_BUS_THUNDERBOLT, true}, {DEVICE_BUS_FIREWIRE, true}, {DEVICE_BUS_NETWORK, true},
                {DEVICE_BUS_LOOP, false},       {DEVICE_BUS_DM, false},      {DEVICE_BUS_MD, false},
                {DEVICE_BUS_RAM, false},        {DEVICE_BUS_VIRTIO, false},  {DEVICE_BUS_ATA, false},
                {DEVICE_BUS_SCSI, false},       {DEVICE_BUS_NVME, false},    {DEVICE_BUS_PLATFORM, false},
                {(DeviceBus)99, true},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                DeviceIdentity device = {.bus = cases[i].bus};

                cr_expect_eq(device_is_external(NULL, &device), cases[i].expected, "bus %u", cases[i].bus);
        }
}

Test(policy_device, is_external_by_its_plug_its_medium_or_the_sites_word) {
        CLEANUP_POLICY Policy *policy = policy_of(HEAD "removable: {also-external: [loop]}\n");
        DeviceIdentity disk = {.bus = DEVICE_BUS_ATA}, loop = {.bus = DEVICE_BUS_LOOP};

        cr_expect_not(device_is_external(policy, &disk));
        disk.hotplug = true;
        cr_expect(device_is_external(policy, &disk));
        disk = (DeviceIdentity){.bus = DEVICE_BUS_ATA, .removable = true};
        cr_expect(device_is_external(policy, &disk));
        disk = (DeviceIdentity){.bus = DEVICE_BUS_ATA, .marked_external = true};
        cr_expect(device_is_external(policy, &disk));
        cr_expect(device_is_external(policy, &loop));
        cr_expect_not(device_is_external(NULL, &loop));
}

Test(policy_device, that_carries_the_system_is_never_external) {
        CLEANUP_POLICY Policy *policy = policy_of(HEAD "removable: {also-external: [loop, usb]}\n");
        DeviceIdentity device = {.bus = DEVICE_BUS_USB,
                                 .hotplug = true,
                                 .removable = true,
                                 .marked_external = true,
                                 .system = true};

        cr_expect_not(device_is_external(policy, &device));
        expect_decision(decided(policy, &device), ACCESS_WRITE, REASON_INTERNAL, "internal");
        cr_expect_not(decided(policy, &device).external);
}

Test(policy_device, that_no_rule_names_goes_by_the_default) {
        static const struct {
                const char *text;
                Access expected;
                const char *origin;
        } cases[] = {
                {HEAD "removable: {default: deny}\n", ACCESS_DENY, "p.yaml:3"},
                {HEAD "removable: {default: read-only}\n", ACCESS_READ_ONLY, "p.yaml:3"},
                {HEAD "removable:\n  default: write\n", ACCESS_WRITE, "p.yaml:4"},
                {HEAD "removable: {}\n", ACCESS_DENY, "built-in"},
                {HEAD, ACCESS_DENY, "built-in"},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_POLICY Policy *policy = policy_of(cases[i].text);
                DeviceIdentity device = stick();
                Decision decision = decided(policy, &device);

                expect_decision(decision, cases[i].expected, REASON_DEFAULT, "removable.default");
                cr_expect_str_eq(decision.origin, cases[i].origin, "%s", cases[i].text);
                cr_expect(decision.external);
                cr_expect_not(decision.conditional);
        }
}

Test(policy_device, is_found_by_every_attribute_that_a_rule_sets) {
        static const struct {
                const char *match;
                bool expected;
        } cases[] = {
                {"{vendor: \"0951\"}", true},
                {"{product: \"1666\"}", true},
                {"{serial: E0D55EA574}", true},
                {"{bus: usb}", true},
                {"{vendor: \"0951\", product: \"1666\", serial: E0D55EA574, bus: usb}", true},
                {"{vendor: \"0952\", product: \"1666\"}", false},
                {"{vendor: \"0951\", product: \"1667\"}", false},
                {"{vendor: \"0951\", serial: e0d55ea574}", false}, /* a serial is exact */
                {"{vendor: \"0951\", serial: E0D55EA57}", false},
                {"{vendor: \"0951\", bus: mmc}", false},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char text[512];
                Policy *policy;
                DeviceIdentity device = stick();

                (void)snprintf(text, sizeof(text),
                               HEAD "removable: {devices: [{name: r, match: %s, access: write}]}\n",
                               cases[i].match);
                policy = policy_of(text);
                cr_expect_eq(decided(policy, &device).access == ACCESS_WRITE, cases[i].expected, "%s",
                             cases[i].match);
                policy_unref(policy);
        }
}

Test(policy_device, matches_vendor_and_product_in_either_case_and_never_by_an_absent_attribute) {
        CLEANUP_POLICY Policy *policy = policy_of(
                HEAD
                "removable: {devices: [{name: r, match: {vendor: \"0abc\", serial: x}, access: write}]}\n");
        static char x[] = "x", upper[] = "X";
        DeviceIdentity device = {.vendor = upper_vendor, .serial = x, .bus = DEVICE_BUS_USB};

        cr_expect_eq(decided(policy, &device).access, ACCESS_WRITE);
        device.serial = upper;
        cr_expect_eq(decided(policy, &device).access, ACCESS_DENY);
        device.serial = NULL;
        cr_expect_eq(decided(policy, &device).access, ACCESS_DENY);
}

Test(policy_device, goes_by_the_first_rule_that_matches) {
        CLEANUP_POLICY Policy *policy =
                policy_of(HEAD "removable:\n"
                               "  default: write\n"
                               "  devices:\n"
                               "    - {name: lost, match: {serial: E0D55EA574}, access: deny}\n"
                               "    - {name: ours, match: {vendor: \"0951\"}, access: "
                               "read-only}\n");
        DeviceIdentity device = stick();
        Decision decision = decided(policy, &device);

        expect_decision(decision, ACCESS_DENY, REASON_RULE, "lost");
        cr_expect_str_eq(decision.origin, "p.yaml:6");
        device.serial = other_serial;
        expect_decision(decided(policy, &device), ACCESS_READ_ONLY, REASON_RULE, "ours");
        device.vendor = NULL;
        expect_decision(decided(policy, &device), ACCESS_WRITE, REASON_DEFAULT, "removable.default");
        device = stick();
        device.serial = lower_serial;
        expect_decision(decided(policy, &device), ACCESS_READ_ONLY, REASON_RULE, "ours");
}

Test(policy_device, is_writable_on_condition_where_persons_or_hours_are_named) {
        static const char *const scopes[] = {"users: [a]", "groups: [a]", "hours: 08:00-09:00"};
        DeviceIdentity device = stick();

        for (size_t i = 0; i < ELEMENTS(scopes); i++) {
                char text[512];
                Policy *policy;
                Decision decision;

                (void)snprintf(text, sizeof(text),
                               HEAD
                               "removable: {devices: [{name: r, match: {bus: usb}, access: write, %s}]}\n",
                               scopes[i]);
                policy = policy_of(text);
                decision = decided(policy, &device);
                cr_expect(decision.access == ACCESS_WRITE && decision.conditional, "%s", scopes[i]);
                policy_unref(policy);
        }
}

Test(policy_device, approved_for_some_is_for_nobody_where_the_kernel_cannot_tell_who_writes) {
        enum {
                MORNING = 8 * 60 + 30,
                NIGHT = 20 * 60
        };
        static const struct {
                const char *scope;
                int minute;
                bool lsm_missing;
                const char *choice;
                Access access;
                Reason reason;
                bool conditional;
        } cases[] = {
                {"users: [a]", MORNING, true, "read-only", ACCESS_READ_ONLY, REASON_NEEDS_LSM, false},
                {"groups: [a]", MORNING, true, "read-only", ACCESS_READ_ONLY, REASON_NEEDS_LSM, false},
                {"users: [a], hours: 08:00-09:00", MORNING, true, "read-only", ACCESS_READ_ONLY,
                 REASON_NEEDS_LSM, false},
                {"hours: 08:00-09:00", MORNING, true, "read-only", ACCESS_WRITE, REASON_RULE, false},
                {"hours: 08:00-09:00", NIGHT, true, "read-only", ACCESS_READ_ONLY, REASON_OUTSIDE_HOURS,
                 false},
                {"users: [a]", MORNING, true, "gate", ACCESS_WRITE, REASON_RULE, true},
                {"hours: 08:00-09:00", NIGHT, true, "gate", ACCESS_WRITE, REASON_RULE, true},
                {"users: [a]", MORNING, false, "read-only", ACCESS_WRITE, REASON_RULE, true},
                {"hours: 08:00-09:00", NIGHT, false, "read-only", ACCESS_WRITE, REASON_RULE, true},
                {"expires: 2099-01-01", MORNING, true, "read-only", ACCESS_WRITE, REASON_RULE, false},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_FREE char *text = NULL;

                cr_assert_gt(asprintf(&text,
                                      HEAD "without-lsm: %s\n"
                                           "removable: {devices: [{name: r, match: {bus: usb}, access: "
                                           "write, %s}]}\n",
                                      cases[i].choice, cases[i].scope),
                             0);
                CLEANUP_POLICY Policy *policy = policy_of(text);
                PolicyTime at = {.weekday = 1, .minute = cases[i].minute};
                DeviceIdentity device = stick();
                Decision decision;

                policy->lsm_missing = cases[i].lsm_missing;
                decide_device(policy, &device, &at, &decision);
                expect_decision(decision, cases[i].access, cases[i].reason, "r");
                cr_expect_eq(decision.conditional, cases[i].conditional, "case %zu", i);
        }
}

Test(policy_device, that_must_be_encrypted_is_writable_through_luks2_alone) {
        static const struct {
                const char *more;
                bool luks2;
                Access access;
                Reason reason;
                bool conditional;
        } cases[] = {
                {"", false, ACCESS_READ_ONLY, REASON_NOT_ENCRYPTED, false},
                {"", true, ACCESS_WRITE, REASON_RULE, false},
                {", groups: [gid7]", false, ACCESS_READ_ONLY, REASON_NOT_ENCRYPTED, false},
                {", groups: [gid7]", true, ACCESS_WRITE, REASON_RULE, true},
                {", expires: 2000-01-01", true, ACCESS_DENY, REASON_RULE_EXPIRED, false},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_FREE char *text = NULL;

                cr_assert_gt(asprintf(&text,
                                      HEAD "removable: {devices: [{name: r, match: {bus: usb}, access: "
                                           "write, encrypted: required%s}]}\n",
                                      cases[i].more),
                             0);
                CLEANUP_POLICY Policy *policy = policy_of(text);
                DeviceIdentity device = stick();

                device.luks2 = cases[i].luks2;
                expect_decision(decided(policy, &device), cases[i].access, cases[i].reason, "r");
                cr_expect_eq(decided(policy, &device).conditional, cases[i].conditional, "case %zu", i);
        }
}

Test(policy_device, names_who_holds_it) {
        CLEANUP_POLICY Policy *policy =
                policy_of(HEAD "removable: {devices: [{name: r, match: {bus: usb}, access: deny, holder: "
                               "課税課 山田}, {name: s, match: {bus: usb}, access: deny}]}\n");

        cr_expect_str_eq(policy->devices[0].holder, "課税課 山田");
        cr_expect_null(policy->devices[1].holder);
}

static const char expiring[] =
        HEAD "removable:\n"
             "  default: read-only\n"
             "  devices:\n"
             "    - {name: r1, match: {bus: usb}, access: write, expires: 2027-01-01}\n"
             "    - {name: r2, match: {bus: usb}, access: deny, expires: 2027-02-01}\n";

Test(policy_device, goes_by_a_rule_until_the_second_it_expires) {
        CLEANUP_POLICY Policy *policy = policy_of(expiring);
        time_t first = policy->devices[0].scope.expires, second = policy->devices[1].scope.expires;
        DeviceIdentity device = stick();
        PolicyTime now = noon;
        Decision decision;

        now.expiry_now = first - 1;
        decide_device(policy, &device, &now, &decision);
        expect_decision(decision, ACCESS_WRITE, REASON_RULE, "r1");
        now.expiry_now = first;
        decide_device(policy, &device, &now, &decision);
        expect_decision(decision, ACCESS_DENY, REASON_RULE, "r2");
        now.expiry_now = second;
        decide_device(policy, &device, &now, &decision);
        expect_decision(decision, ACCESS_READ_ONLY, REASON_RULE_EXPIRED, "r1");
        cr_expect_str_eq(decision.origin, "p.yaml:6");
}

Test(policy_next_expiry, is_the_earliest_after_now_of_any_section) {
        CLEANUP_POLICY Policy *policy =
                policy_of(HEAD "removable: {devices: [{name: a, match: {bus: usb}, access: "
                               "write, expires: 2027-01-04}]}\n"
                               "usb: {devices: [{name: b, match: {bus: usb}, access: allow, "
                               "expires: 2027-01-03}]}\n"
                               "filesystems: {allow: [{name: c, type: cifs, access: write, "
                               "expires: 2027-01-02}]}\n"
                               "network: {allow: [{name: d, to: a.b, expires: 2027-01-01}]}\n");
        time_t network = policy->network[0].scope.expires;

        cr_expect_eq(policy_next_expiry(policy, 0), network);
        cr_expect_eq(policy_next_expiry(policy, network - 1), network);
        cr_expect_eq(policy_next_expiry(policy, network), policy->filesystems[0].scope.expires);
        cr_expect_eq(policy_next_expiry(policy, policy->filesystems[0].scope.expires),
                     policy->usb_rules[0].expires);
        cr_expect_eq(policy_next_expiry(policy, policy->usb_rules[0].expires),
                     policy->devices[0].scope.expires);
        cr_expect_eq(policy_next_expiry(policy, policy->devices[0].scope.expires), 0);
}

Test(policy_device, about_which_too_little_is_known_is_refused) {
        CLEANUP_POLICY Policy *policy = policy_of(HEAD "removable: {default: write}\n");
        DeviceIdentity device = stick();
        Decision decision;

        expect_decision(decided(NULL, &device), ACCESS_DENY, REASON_INVALID_QUESTION, "invalid-question");
        expect_decision(decided(policy, NULL), ACCESS_DENY, REASON_INVALID_QUESTION, "invalid-question");
        decide_device(policy, &device, NULL, &decision);
        expect_decision(decision, ACCESS_DENY, REASON_INVALID_QUESTION, "invalid-question");
}

Test(policy_device, is_refused_by_a_policy_of_zeroes) {
        Policy zero = {0};
        DeviceIdentity device = stick();
        DeviceRule rule = {.name = vendor, .origin = vendor};

        expect_decision(decided(&zero, &device), ACCESS_DENY, REASON_DEFAULT, "removable.default");
        zero.removable_default = (Access)7; /* no access that anybody knows */
        cr_expect_eq(decided(&zero, &device).access, ACCESS_DENY);
        zero.removable_default = ACCESS_READ_ONLY;
        zero.devices = &rule; /* matches nothing, for it asks for nothing */
        zero.n_devices = 1;
        expect_decision(decided(&zero, &device), ACCESS_READ_ONLY, REASON_DEFAULT, "removable.default");
}

Test(policy_device, is_read_only_by_the_built_in_default) {
        CLEANUP_POLICY Policy *policy = NULL;
        DeviceIdentity device = stick();
        Decision decision;

        cr_assert_eq(policy_default(&policy), 0);
        decision = decided(policy, &device);
        expect_decision(decision, ACCESS_READ_ONLY, REASON_DEFAULT, "removable.default");
        cr_expect_str_eq(decision.origin, "built-in");
        cr_expect_eq(policy->zone, ZONE_MYNUMBER);
        cr_expect_eq(policy->mode, MODE_ENFORCE);
        cr_expect_eq(policy->serial, 0);
        cr_expect_not(policy->network_default_allow);
}

Test(policy_device, is_decided_without_allocating) {
        CLEANUP_POLICY Policy *policy = policy_of(expiring);
        DeviceIdentity device = stick();
        struct mallinfo2 before = mallinfo2(), after;

        for (int i = 0; i < 1000; i++)
                (void)decided(policy, &device);
        after = mallinfo2();
        cr_expect_eq(before.uordblks, after.uordblks);
        cr_expect_eq(before.fordblks, after.fordblks);
}

Test(policy_device, is_found_among_thousands_of_rules_wherever_it_stands) {
        enum {
                N = 2000
        };
        char *text = malloc(64 + (size_t)N * 128), *p = text, wanted[16];
        Policy *policy;

        p = stpcpy(p, HEAD "removable:\n  default: deny\n  devices:\n");
        for (int i = 0; i < N; i++)
                p += sprintf(p, "    - {name: r%d, match: {bus: usb, serial: S%d}, access: write}\n", i, i);
        (void)stpcpy(p, "    - {name: last, match: {vendor: \"0951\"}, access: read-only}\n");
        policy = policy_of(text);
        for (int i = 0; i < N; i += 37) {
                DeviceIdentity device = stick();
                char name[16];

                (void)snprintf(wanted, sizeof(wanted), "S%d", i);
                (void)snprintf(name, sizeof(name), "r%d", i);
                device.serial = wanted;
                expect_decision(decided(policy, &device), ACCESS_WRITE, REASON_RULE, name);
                device.serial = NULL;
                expect_decision(decided(policy, &device), ACCESS_READ_ONLY, REASON_RULE, "last");
        }
        policy_unref(policy);
        free(text);
}
