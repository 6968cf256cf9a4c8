/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An emergency: whatever rules approve, nothing external may be used and nobody but break-glass logs in. */
#include "policy/decide.h"
#include "policy/decide_mfa.h"
#include "tests/unit/policy/policy_text.h"

#define APPROVING                                                                                           \
        HEAD "removable: {default: write}\n"                                                                \
             "filesystems: {default: write}\n"                                                              \
             "usb: {default: allow, devices: [{name: reader, match: {vendor: \"04f9\"}, access: allow}]}\n" \
             "mfa: {default: required, factors: [password, totp], services: {cron: \"off\"},\n"             \
             "  break-glass: [{user: uid1008, factors: [password, recovery]}]}\n"

static const PolicyTime noon = {.weekday = 1, .minute = 720, .expiry_now = 1800000000};
static char vendor[] = "04f9", other[] = "1234", cifs[] = "cifs", source[] = "//fs01/kyoyu";

/* By the file, or by who knows the machine. */
static Policy *locked(bool by_file) {
        Policy *policy = policy_of(by_file ? APPROVING "lockdown: true\n" : APPROVING);

        policy_number_users(policy);
        if (!by_file)
                policy_set_machine_locked(policy, true);
        return policy;
}

static void expect_denied(const Decision *decision, const char *what) {
        cr_expect_eq(decision->access, ACCESS_DENY, "%s", what);
        cr_expect_eq(decision->reason, REASON_LOCKDOWN, "%s: %s", what, reason_to_string(decision->reason));
        cr_expect_str_eq(decision->rule, "lockdown");
        cr_expect(decision->external);
        cr_expect_not(decision->conditional);
}

Test(policy_lockdown, denies_every_external_device_and_file_system) {
        for (int by_file = 0; by_file < 2; by_file++) {
                CLEANUP_POLICY Policy *policy = locked(by_file);
                DeviceIdentity stick = {.vendor = other, .bus = DEVICE_BUS_USB, .hotplug = true};
                SuperblockIdentity on_stick = {.kind = SUPERBLOCK_BLOCK, .device = &stick};
                SuperblockIdentity share = {.kind = SUPERBLOCK_NETWORK, .fstype = cifs, .source = source};
                SuperblockIdentity fuse = {.kind = SUPERBLOCK_USER_SPACE, .fstype = cifs};
                Subject root = {.uid = 0};
                Decision decision;
                OpenDecision open;

                decide_device(policy, &stick, &noon, &decision);
                expect_denied(&decision, "device");
                cr_expect_str_eq(decision.origin, by_file ? "p.yaml:8" : "built-in");
                decide_superblock(policy, &on_stick, &noon, &decision);
                expect_denied(&decision, "its file system");
                decide_superblock(policy, &share, &noon, &decision);
                expect_denied(&decision, "share");
                decide_superblock(policy, &fuse, &noon, &decision);
                expect_denied(&decision, "user-space file system");
                decide_open(policy, &on_stick, &root, false, &noon, &open);
                cr_expect_eq(open.verdict, VERDICT_DENY, "not even reading");
                cr_expect_eq(open.reason, REASON_LOCKDOWN);
        }
}

Test(policy_lockdown, leaves_what_is_internal) {
        CLEANUP_POLICY Policy *policy = locked(true);
        DeviceIdentity disk = {.bus = DEVICE_BUS_NVME, .system = true};
        SuperblockIdentity proc = {.kind = SUPERBLOCK_KERNEL},
                           root = {.kind = SUPERBLOCK_BLOCK, .device = &disk};
        Decision decision;

        decide_superblock(policy, &proc, &noon, &decision);
        cr_expect_eq(decision.access, ACCESS_WRITE);
        decide_superblock(policy, &root, &noon, &decision);
        cr_expect_eq(decision.access, ACCESS_WRITE);
        cr_expect_eq(decision.reason, REASON_INTERNAL);
}

Test(policy_lockdown, keeps_keyboards_and_card_readers_and_nothing_that_carries_data) {
        static const struct {
                const char *vendor;
                uint8_t class;
                bool spared;
        } cases[] = {
                {"1234", USB_CLASS_HID_, true},           {"1234", USB_CLASS_HUB_, true},
                {"1234", USB_CLASS_SMART_CARD_, true},    {"1234", USB_CLASS_MASS_STORAGE_, false},
                {"1234", USB_CLASS_STILL_IMAGE_, false},  {"1234", USB_CLASS_COMMUNICATIONS_, false},
                {"1234", USB_CLASS_PRINTER_, false},      {"1234", USB_CLASS_WIRELESS_, false},
                {"1234", USB_CLASS_VENDOR_, false},       {"1234", 0x77, false},
                {"04f9", USB_CLASS_VENDOR_, true}, /* a card reader that a rule names */
                {"04f9", USB_CLASS_MASS_STORAGE_, false}, {"04f9", USB_CLASS_STILL_IMAGE_, false},
        };
        CLEANUP_POLICY Policy *policy = locked(true);
        CLEANUP_POLICY Policy *strict =
                policy_of(HEAD "lockdown: true\nusb: {default: deny, interfaces: {hid: deny}}\n");
        Decision decision;

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                DeviceIdentity device = {.bus = DEVICE_BUS_USB, .hotplug = true};

                device.vendor = strcmp(cases[i].vendor, vendor) == 0 ? vendor : other;
                decide_usb_interface(policy, &device, cases[i].class, &noon, &decision);
                cr_expect_eq(decision.access, cases[i].spared ? ACCESS_WRITE : ACCESS_DENY, "%s class %02x",
                             cases[i].vendor, cases[i].class);
                if (!cases[i].spared)
                        expect_denied(&decision, "interface");
        }
        decide_usb_interface(strict, &(DeviceIdentity){.bus = DEVICE_BUS_USB, .hotplug = true},
                             USB_CLASS_HID_, &noon, &decision);
        cr_expect_eq(decision.access, ACCESS_DENY, "it lets nothing in that the policy does not");
}

Test(policy_lockdown, lets_break_glass_accounts_and_jobs_in_and_nobody_else) {
        static const struct {
                const char *service;
                uid_t uid;
                unsigned proven;
                MfaVerdict verdict;
        } cases[] = {
                {"login", 1001, FACTOR_BIT(FACTOR_PASSWORD) | FACTOR_BIT(FACTOR_TOTP), MFA_DENY},
                {"login", 1001, 0, MFA_DENY},
                {"login", 1008, FACTOR_BIT(FACTOR_PASSWORD) | FACTOR_BIT(FACTOR_RECOVERY), MFA_ALLOW},
                {"login", 1008, FACTOR_BIT(FACTOR_PASSWORD), MFA_MORE},
                {"cron", 1001, 0, MFA_ALLOW},
        };
        CLEANUP_POLICY Policy *policy = locked(true);

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Subject subject = {.uid = cases[i].uid};
                MfaQuestion question = {.service = cases[i].service,
                                        .subject = &subject,
                                        .now = noon,
                                        .proven = cases[i].proven,
                                        .enrolled = FACTORS_ALL};
                MfaDecision decision;

                decide_mfa(policy, &question, &decision);
                cr_expect_eq(decision.verdict, cases[i].verdict, "%zu: %s", i,
                             mfa_verdict_to_string(decision.verdict));
                if (decision.verdict == MFA_DENY)
                        cr_expect_eq(decision.reason, MFA_LOCKDOWN, "%zu", i);
        }
}

Test(policy_lockdown, that_is_lifted_leaves_the_policy_as_it_was) {
        CLEANUP_POLICY Policy *policy = locked(false);
        DeviceIdentity stick = {.vendor = other, .bus = DEVICE_BUS_USB, .hotplug = true};
        Decision decision;

        policy_set_machine_locked(policy, false);
        decide_device(policy, &stick, &noon, &decision);
        cr_expect_eq(decision.access, ACCESS_WRITE);
        cr_expect_not(policy_is_locked_down(policy));
}
