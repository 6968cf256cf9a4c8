/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/decide.h"
#include "tests/unit/policy/policy_text.h"

static const PolicyTime noon = {.weekday = 1, .minute = 720, .expiry_now = 1800000000};

static char vendor[] = "04f9", serial[] = "S1";

static void expect(const Policy *policy, uint8_t class, Access access, Reason reason, const char *rule) {
        DeviceIdentity device = {.vendor = vendor, .serial = serial, .bus = DEVICE_BUS_USB, .hotplug = true};
        Decision decision;

        memset(&decision, 0xff, sizeof(decision)); /* whatever was there before */
        decide_usb_interface(policy, &device, class, &noon, &decision);
        cr_expect(decision.access == access && decision.reason == reason && strcmp(decision.rule, rule) == 0,
                  "class %02x: %s, %s by %s", class, access_to_string(decision.access),
                  reason_to_string(decision.reason), decision.rule);
        cr_expect_not_null(decision.origin);
        cr_expect_not(decision.conditional);
}

Test(policy_usb_interface, goes_by_its_class_or_the_default) {
        CLEANUP_POLICY Policy *strict = policy_of(HEAD "usb: {interfaces: {hid: allow, printer: deny}}\n");
        CLEANUP_POLICY Policy *open = policy_of(HEAD "usb: {default: allow, interfaces: {printer: deny}}\n");

        expect(strict, USB_CLASS_HID_, ACCESS_WRITE, REASON_INTERFACE_CLASS, "usb.interfaces");
        expect(strict, USB_CLASS_PRINTER_, ACCESS_DENY, REASON_INTERFACE_CLASS, "usb.interfaces");
        expect(strict, USB_CLASS_VENDOR_, ACCESS_DENY, REASON_DEFAULT, "usb.default");
        expect(strict, 0x77, ACCESS_DENY, REASON_DEFAULT, "usb.default");
        expect(open, 0x77, ACCESS_WRITE, REASON_DEFAULT, "usb.default");
        expect(open, USB_CLASS_PRINTER_, ACCESS_DENY, REASON_INTERFACE_CLASS, "usb.interfaces");
}

Test(policy_usb_interface, of_a_named_device_is_let_in_or_kept_out_whatever_its_class) {
        CLEANUP_POLICY Policy *allow = policy_of(
                HEAD "usb: {devices: [{name: labels, match: {vendor: \"04F9\"}, access: allow}]}\n");
        CLEANUP_POLICY Policy *deny = policy_of(HEAD "removable: {default: write}\n"
                                                     "usb: {default: allow, devices: [{name: badusb, match: "
                                                     "{vendor: \"04f9\"}, access: deny}]}\n");

        expect(allow, USB_CLASS_PRINTER_, ACCESS_WRITE, REASON_RULE, "labels");
        expect(deny, USB_CLASS_HID_, ACCESS_DENY, REASON_RULE, "badusb");
        expect(deny, USB_CLASS_MASS_STORAGE_, ACCESS_DENY, REASON_RULE, "badusb");
}

Test(policy_usb_interface, for_storage_is_kept_out_only_where_the_device_is_denied) {
        CLEANUP_POLICY Policy *read_only = policy_of(HEAD "removable: {default: read-only}\n");
        CLEANUP_POLICY Policy *denied =
                policy_of(HEAD "removable: {default: deny}\nusb: {default: allow}\n");
        CLEANUP_POLICY Policy *by_rule =
                policy_of(HEAD "removable: {devices: [{name: r, match: {serial: S1}, "
                               "access: write, users: [a]}]}\n");
        CLEANUP_POLICY Policy *let_in = policy_of(
                HEAD "removable: {default: deny}\n"
                     "usb: {devices: [{name: labels, match: {vendor: \"04f9\"}, access: allow}]}\n");
        CLEANUP_POLICY Policy *no_storage =
                policy_of(HEAD "removable: {default: write}\nusb: {interfaces: {mass-storage: deny}}\n");

        expect(read_only, USB_CLASS_MASS_STORAGE_, ACCESS_WRITE, REASON_DEFAULT, "removable.default");
        expect(denied, USB_CLASS_MASS_STORAGE_, ACCESS_DENY, REASON_DEFAULT, "removable.default");
        expect(by_rule, USB_CLASS_MASS_STORAGE_, ACCESS_WRITE, REASON_RULE, "r");
        expect(let_in, USB_CLASS_MASS_STORAGE_, ACCESS_DENY, REASON_DEFAULT, "removable.default");
        expect(no_storage, USB_CLASS_MASS_STORAGE_, ACCESS_DENY, REASON_INTERFACE_CLASS, "usb.interfaces");
}

Test(policy_usb_interface, whose_rule_has_expired_goes_by_its_class_and_says_so) {
        CLEANUP_POLICY Policy *policy = policy_of(
                HEAD
                "usb: {devices: [{name: loan, match: {serial: S1}, access: allow, expires: 2020-01-01}]}\n");

        expect(policy, USB_CLASS_PRINTER_, ACCESS_DENY, REASON_RULE_EXPIRED, "loan");
}

Test(policy_usb_interface, by_the_built_in_default_is_what_a_terminal_needs) {
        CLEANUP_POLICY Policy *policy = NULL;

        cr_assert_eq(policy_default(&policy), 0);
        expect(policy, USB_CLASS_HID_, ACCESS_WRITE, REASON_INTERFACE_CLASS, "usb.interfaces");
        expect(policy, USB_CLASS_HUB_, ACCESS_WRITE, REASON_INTERFACE_CLASS, "usb.interfaces");
        expect(policy, USB_CLASS_SMART_CARD_, ACCESS_WRITE, REASON_INTERFACE_CLASS, "usb.interfaces");
        expect(policy, USB_CLASS_MASS_STORAGE_, ACCESS_WRITE, REASON_DEFAULT, "removable.default");
        for (int class = 0; class < 256; class ++)
                if (!policy->usb_class_named[class] && class != USB_CLASS_MASS_STORAGE_)
                        expect(policy, (uint8_t) class, ACCESS_DENY, REASON_DEFAULT, "usb.default");
}

Test(policy_usb_interface, about_which_too_little_is_known_is_refused) {
        CLEANUP_POLICY Policy *policy = policy_of(HEAD "usb: {default: allow}\n");
        Decision decision;

        decide_usb_interface(policy, NULL, USB_CLASS_HID_, &noon, &decision);
        cr_expect_eq(decision.access, ACCESS_DENY);
        cr_expect_eq(decision.reason, REASON_INVALID_QUESTION);
        expect(NULL, USB_CLASS_HID_, ACCESS_DENY, REASON_INVALID_QUESTION, "invalid-question");
}
