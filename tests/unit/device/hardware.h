/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hardware.h: devices as sysfs shows them, in umockdev's words (umockdev-record(1)): P is the path, N the
 * node, E a property, A an attribute, H one in hexadecimal, L a link. For hardware that the testing machine
 * does not have.
 */
#pragma once

#include <sys/sysmacros.h>
#include <umockdev.h>
#include <unistd.h>

#define DISK_AT(path, name, maj, min, more)                                                                 \
        "P: /devices/" path "/" name "\nN: " name "\nE: DEVNAME=/dev/" name                                 \
        "\nE: DEVTYPE=disk\nE: MAJOR=" #maj "\nE: MINOR=" #min "\nE: SUBSYSTEM=block\nA: dev=" #maj         \
        ":" #min "\nA: size=2048\nA: diskseq=7\n" more "\n"
/* the disk of most tests */
#define DISK(path, name, more) DISK_AT(path, name, 8, 16, more)
#define DISK_NUMBER            makedev(8, 16)
#define FIXED                  "A: removable=0\n"
#define REMOVABLE              "A: removable=1\n"

#define ABOVE(path, subsystem, more) "P: /devices/" path "\nE: SUBSYSTEM=" subsystem "\n" more "\n"
#define SCSI(path, vendor, model, more)                                                                     \
        ABOVE(path, "scsi",                                                                                 \
              "E: DEVTYPE=scsi_device\nA: vendor=" vendor "\nA: model=" model "\nA: type=0\n" more)
#define USB(path, descriptors, more)                                                                        \
        ABOVE(path, "usb",                                                                                  \
              "E: DEVTYPE=usb_device\nA: idVendor=0951\nA: idProduct=1666\nA: serial=E0D55EA574\n"          \
              "A: manufacturer=Kingston\nA: product=DataTraveler 3.0\nA: authorized=1\nH: "                 \
              "descriptors=" descriptors "\n" more)
#define INTERFACE(path, class)                                                                              \
        ABOVE(path, "usb", "E: DEVTYPE=usb_interface\nA: bInterfaceClass=" class "\nA: authorized=1\n")

/* Descriptors: of a device, of a configuration (what it counts does not matter here), of an interface. */
#define D_DEVICE                              "120100030000000951096616000101020301"
#define D_CONFIGURATION                       "0902000001010080fa"
#define D_INTERFACE(number, alternate, class) "0904" number alternate "02" class "000000"
#define D_ENDPOINT                            "07058102000400"

#define D_STORAGE   D_DEVICE D_CONFIGURATION D_INTERFACE("00", "00", "08") D_ENDPOINT
#define D_UAS       D_STORAGE D_INTERFACE("00", "01", "08") D_ENDPOINT
#define D_COMPOSITE D_STORAGE D_INTERFACE("01", "00", "03") D_ENDPOINT
#define D_PHONE     D_DEVICE D_CONFIGURATION D_INTERFACE("00", "00", "06") D_ENDPOINT
#define D_KEYBOARD  D_DEVICE D_CONFIGURATION D_INTERFACE("00", "00", "03") D_ENDPOINT
#define D_HUB       D_DEVICE D_CONFIGURATION D_INTERFACE("00", "00", "09") D_ENDPOINT

#define PCI      "pci0000:00/0000:00:14.0"
#define USB_PORT PCI "/usb1/1-1"
#define USB_DISK USB_PORT "/1-1:1.0/host2/target2:0:0/2:0:0:0"
#define USB_STICK                                                                                           \
        USB(USB_PORT, D_STORAGE, "A: removable=removable\n")                                                \
        INTERFACE(USB_PORT "/1-1:1.0", "08")                                                                \
        SCSI(USB_DISK, "Kingston", "DataTraveler 3.0", "") DISK(USB_DISK "/block", "sdb", REMOVABLE)

/* A new testbed with this hardware; the caller unrefs it. The test has to run under umockdev's preload, so
 * that the machine's own /sys is out of sight. */
static inline UMockdevTestbed *plug_in(const char *hardware) {
        UMockdevTestbed *testbed = umockdev_testbed_new();
        GError *error = NULL;

        cr_assert_neq(access("/sys/kernel", F_OK), 0, "run it by ctest or umockdev-wrapper");
        cr_assert(umockdev_testbed_add_from_string(testbed, hardware, &error), "%s",
                  error ? error->message : "");
        return testbed;
}
