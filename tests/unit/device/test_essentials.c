/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <string.h>

#include "agent/device/essentials.h"
#include "policy/scope.h"
#include "tests/unit/device/hardware.h"

#define HID_INTERFACE(path, subclass, protocol)                                                             \
        ABOVE(path, "usb",                                                                                  \
              "E: DEVTYPE=usb_interface\nA: bInterfaceClass=03\nA: bInterfaceSubClass=" subclass            \
              "\nA: bInterfaceProtocol=" protocol "\nA: authorized=1\n")
#define INPUT(path, keyboard) ABOVE(path, "input", "E: ID_INPUT=1\nE: ID_INPUT_KEYBOARD=" keyboard "\n")
#define KEYBOARD_PORT         PCI "/usb1/1-2"
#define KEYBOARD              USB(KEYBOARD_PORT, D_KEYBOARD, "")
#define I8042                 "platform/i8042/serio0/input/input3"

static UMockdevTestbed *testbed;
static struct udev *udev;
static Essential found[ESSENTIALS_MAX];
static size_t n;

static void find(const char *hardware) {
        testbed = plug_in(hardware);
        udev = udev_new();
        cr_assert_eq(essentials_find(udev, found, ELEMENTS(found), &n), 0);
}

static void stop(void) {
        essentials_clear(found, n);
        if (udev)
                udev_unref(udev);
        if (testbed)
                g_object_unref(testbed);
}

TestSuite(essentials, .fini = stop);

Test(essentials, usb_keyboard_counts_once_by_its_interface_and_its_input_device) {
        find(KEYBOARD HID_INTERFACE(KEYBOARD_PORT "/1-2:1.0", "01", "01")
                     INPUT(KEYBOARD_PORT "/1-2:1.0/0003:04FE:0021.0001/input/input7", "1"));
        cr_assert_eq(n, 1);
        cr_expect_eq(found[0].kind, ESSENTIAL_KEYBOARD);
        cr_expect(found[0].usb);
        cr_expect_eq(found[0].class, USB_CLASS_HID_);
        cr_expect_str_eq(found[0].id.vendor, "0951");
        cr_expect_str_eq(found[0].id.product_name, "DataTraveler 3.0");
}

Test(essentials, keyboard_without_the_boot_protocol_is_known_by_its_input_device) {
        find(KEYBOARD HID_INTERFACE(KEYBOARD_PORT "/1-2:1.0", "00", "00")
                     INPUT(KEYBOARD_PORT "/1-2:1.0/0003:04FE:0021.0001/input/input7", "1"));
        cr_assert_eq(n, 1);
        cr_expect(found[0].usb);
}

Test(essentials, keyboard_that_is_kept_out_has_its_interface_alone) {
        find(KEYBOARD HID_INTERFACE(KEYBOARD_PORT "/1-2:1.0", "01", "01"));
        cr_assert_eq(n, 1);
        cr_expect_eq(found[0].kind, ESSENTIAL_KEYBOARD);
}

Test(essentials, mice_buttons_and_what_programs_make_up_are_none) {
        find(KEYBOARD HID_INTERFACE(KEYBOARD_PORT "/1-2:1.0", "01", "02")
                     INPUT(KEYBOARD_PORT "/1-2:1.0/0003:04FE:0022.0001/input/input7", "0") INPUT(
                             "LNXSYSTM:00/LNXPWRBN:00/input/input0", "0") INPUT("virtual/input/input9", "1")
                             INPUT("virtual/misc/uhid/0005:046D:B342.0001/input/input10", "1"));
        cr_expect_eq(n, 0);
}

Test(essentials, built_in_keyboard_is_one_that_no_policy_takes) {
        find(INPUT(I8042, "1"));
        cr_assert_eq(n, 1);
        cr_expect_eq(found[0].kind, ESSENTIAL_KEYBOARD);
        cr_expect_not(found[0].usb);
        cr_expect_str_eq(found[0].id.name, "input3");
}

Test(essentials, card_reader_is_known_by_its_interface) {
        find(USB(USB_PORT, D_PHONE, "") INTERFACE(USB_PORT "/1-1:1.0", "0b")
                     INTERFACE(USB_PORT "/1-1:1.1", "08"));
        cr_assert_eq(n, 1);
        cr_expect_eq(found[0].kind, ESSENTIAL_CARD_READER);
        cr_expect_eq(found[0].class, USB_CLASS_SMART_CARD_);
}

Test(essentials, keyboard_with_two_interfaces_counts_twice_and_by_what_each_is) {
        find(KEYBOARD HID_INTERFACE(KEYBOARD_PORT "/1-2:1.0", "01", "01")
                     HID_INTERFACE(KEYBOARD_PORT "/1-2:1.1", "00", "00")
                             INPUT(KEYBOARD_PORT "/1-2:1.0/0003:04FE:0021.0001/input/input7", "1")
                                     INPUT(KEYBOARD_PORT "/1-2:1.1/0003:04FE:0021.0002/input/input8", "1"));
        cr_expect_eq(n, 2);
}
