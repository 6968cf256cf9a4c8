/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/lockout.h"
#include "tests/unit/policy/policy_text.h"

static const PolicyTime noon = {.weekday = 1, .minute = 720, .expiry_now = 1800000000};
static char keyboard_vendor[] = "04fe", other_vendor[] = "046d", reader_vendor[] = "054c";

#define USB(kind_, class_, vendor_)                                                                         \
        {                                                                                                   \
                .kind = (kind_), .usb = true, .class = (class_),                                            \
                .id = {.vendor = (vendor_),                                                                 \
                       .bus = DEVICE_BUS_USB,                                                               \
                       .hotplug = true }                                                                    \
        }
#define KEYBOARD       USB(ESSENTIAL_KEYBOARD, USB_CLASS_HID_, keyboard_vendor)
#define OTHER_KEYBOARD USB(ESSENTIAL_KEYBOARD, USB_CLASS_HID_, other_vendor)
#define READER         USB(ESSENTIAL_CARD_READER, USB_CLASS_SMART_CARD_, reader_vendor)
#define BUILT_IN_KEYBOARD                                                                                   \
        { .kind = ESSENTIAL_KEYBOARD }

#define NO_HID       HEAD "usb: {default: deny, interfaces: {smart-card: allow}}\n"
#define NO_READERS   HEAD "usb: {default: deny, interfaces: {hid: allow}}\n"
#define NOTHING      HEAD "usb: {default: deny}\n"
#define NO_SUCH_ONE  HEAD "usb: {devices: [{name: away, match: {vendor: '04fe'}, access: deny}]}\n"
#define NO_OTHER_ONE HEAD "usb: {devices: [{name: away, match: {vendor: '046d'}, access: deny}]}\n"
#define THIS_ONE_ONLY                                                                                       \
        HEAD "usb: {default: deny, devices: [{name: ours, match: {vendor: '04fe'}, access: allow}]}\n"
#define EVERYTHING HEAD "usb: {default: allow}\n"

/* Which of the things plugged in would be the last one taken; NULL: none. */
static const Essential *taken(const char *present_text, const char *candidate_text, const Essential *items,
                              size_t n) {
        CLEANUP_POLICY Policy *present = present_text ? policy_of(present_text) : NULL;
        CLEANUP_POLICY Policy *candidate = policy_of(candidate_text);
        Decision decision = {0};
        const Essential *found = policy_find_lockout(present, candidate, items, n, &noon, &decision);

        if (found) {
                cr_expect_eq(decision.access, ACCESS_DENY);
                cr_expect_not_null(decision.rule);
        }
        return found;
}

Test(policy_lockout, is_the_taking_of_the_last_of_a_kind) {
        static const struct {
                const char *label, *present, *candidate;
                Essential items[4];
                size_t n;
                int expected; /* index, -1: none */
        } cases[] = {
                {"nothing is plugged in", EVERYTHING, NOTHING, {{0}}, 0, -1},
                {"the only keyboard by its class", EVERYTHING, NO_HID, {KEYBOARD, READER}, 2, 0},
                {"the only reader by its class", EVERYTHING, NO_READERS, {KEYBOARD, READER}, 2, 1},
                {"the only keyboard by a rule", EVERYTHING, NO_SUCH_ONE, {KEYBOARD}, 1, 0},
                {"one of two keyboards", EVERYTHING, NO_SUCH_ONE, {KEYBOARD, OTHER_KEYBOARD}, 2, -1},
                {"both keyboards", EVERYTHING, NO_HID, {KEYBOARD, OTHER_KEYBOARD}, 2, 0},
                {"the other keyboard", EVERYTHING, NO_OTHER_ONE, {KEYBOARD, OTHER_KEYBOARD}, 2, -1},
                {"what a rule lets in", EVERYTHING, THIS_ONE_ONLY, {KEYBOARD, OTHER_KEYBOARD}, 2, -1},
                {"a built-in one is left", EVERYTHING, NO_HID, {KEYBOARD, BUILT_IN_KEYBOARD}, 2, -1},
                {"at start", NULL, NO_HID, {KEYBOARD}, 1, 0},
                {"refused already", NO_HID, NOTHING, {KEYBOARD}, 1, -1},
                {"the one in use for one that was refused",
                 NO_SUCH_ONE,
                 NO_OTHER_ONE,
                 {KEYBOARD, OTHER_KEYBOARD},
                 2,
                 -1},
                {"the one in use, the other was refused",
                 NO_SUCH_ONE,
                 NO_HID,
                 {KEYBOARD, OTHER_KEYBOARD},
                 2,
                 1},
                {"only recorded", EVERYTHING, NO_HID "mode: monitor\n", {KEYBOARD}, 1, -1},
                {"what was only recorded", NO_HID "mode: monitor\n", NO_HID, {KEYBOARD}, 1, 0},
                {"a policy without usb", EVERYTHING, HEAD, {KEYBOARD, READER}, 2, -1},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                const Essential *found =
                        taken(cases[i].present, cases[i].candidate, cases[i].items, cases[i].n);

                cr_expect_eq(found ? (int)(found - cases[i].items) : -1, cases[i].expected, "%s",
                             cases[i].label);
        }
}
