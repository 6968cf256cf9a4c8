/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Security keys and card readers of umockdev's that are pulled out. */
#include "agent/lock/removal.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "pam_module/token.h"
#include "tests/unit/device/hardware.h"

#define KEY    USB_PORT "/1-1:1.0/0003:1050:0407.0005/hidraw/hidraw3"
#define READER PCI "/usb1/1-2"
#define HARDWARE                                                                                            \
        USB(USB_PORT, D_KEYBOARD, "")                                                                       \
        INTERFACE(USB_PORT "/1-1:1.0", "03")                                                                \
        "P: /devices/" KEY                                                                                  \
        "\nN: hidraw3\nE: DEVNAME=/dev/hidraw3\nE: SUBSYSTEM=hidraw\n\n" USB(READER, D_KEYBOARD, "")        \
                ABOVE(READER "/1-2:1.0", "usb", "E: DEVTYPE=usb_interface\nE: INTERFACE=11/0/0\n")

typedef struct Told {
        size_t n, readers;
        char path[512];
        sd_event *event;
} Told;

static void removed(void *userdata, const char *syspath, bool reader) {
        Told *told = userdata;

        cr_assert_not_null(syspath);
        told->n++;
        told->readers += reader;
        (void)snprintf(told->path, sizeof(told->path), "%s", syspath);
}

static void pull_out(UMockdevTestbed *testbed, Told *told, const char *syspath) {
        Removal *removal = NULL;

        cr_assert_eq(sd_event_new(&told->event), 0);
        cr_assert_eq(removal_new(told->event, 0, &(RemovalCallbacks){.removed = removed, .userdata = told},
                                 &removal),
                     0);
        umockdev_testbed_uevent(testbed, syspath, "change");
        umockdev_testbed_uevent(testbed, syspath, "remove");
        while (told->n == 0)
                cr_assert_gt(sd_event_run(told->event, 10000000), 0, "nothing was told");
        removal_free(removal);
        sd_event_unref(told->event);
}

Test(removal, of_a_key_is_told_by_its_path) {
        UMockdevTestbed *testbed = plug_in(HARDWARE);
        Told told = {0};

        pull_out(testbed, &told, "/sys/devices/" KEY);
        cr_expect_str_eq(told.path, "/sys/devices/" KEY);
        cr_expect_eq(told.n, 1);
        cr_expect_eq(told.readers, 0);
        g_object_unref(testbed);
}

Test(removal, of_a_card_reader_is_told_as_such) {
        UMockdevTestbed *testbed = plug_in(HARDWARE);
        Told told = {0};

        pull_out(testbed, &told, "/sys/devices/" READER "/1-2:1.0");
        cr_expect_eq(told.readers, 1);
        g_object_unref(testbed);
}

Test(token, of_a_key_is_its_place_in_sysfs_while_it_is_there) {
        UMockdevTestbed *testbed = plug_in(HARDWARE);
        char token[TOKEN_SIZE];

        token_of_key("/dev/hidraw3", token);
        cr_expect_str_eq(token, "key:/sys/devices/" KEY);
        token_of_key("/dev/hidraw4", token);
        cr_expect_str_eq(token, "key:", "it is gone");
        token_of_key("pcsc://slot0", token);
        cr_expect_str_eq(token, "", "nothing that can be pulled out");
        g_object_unref(testbed);
}

Test(token, of_a_card_is_its_reader_without_the_padding) {
        static const unsigned char padded[64] = "Reader 00 00    ";
        char token[TOKEN_SIZE];

        token_of_card(padded, 16, token);
        cr_expect_str_eq(token, "card:Reader%2000%2000");
        token_of_card(padded, sizeof(padded), token);
        cr_expect_str_eq(token, "card:Reader%2000%2000");
        token_of_card(padded, 0, token);
        cr_expect_str_eq(token, "card:");
}
