/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each kind of hardware is taken for. */
#include <criterion/criterion.h>
#include <errno.h>

#include "agent/device/identity.h"
#include "policy/decide.h"
#include "policy/scope.h"
#include "tests/unit/device/hardware.h"

DEFINE_CLEANUP(struct udev, udev_unref);
DEFINE_CLEANUP(struct udev_device, udev_device_unref);
DEFINE_CLEANUP(struct udev_enumerate, udev_enumerate_unref);
DEFINE_CLEANUP(UMockdevTestbed, g_object_unref);
#define UDEV    CLEANUP(scope_udev_unref) struct udev
#define TESTBED CLEANUP(scope_g_object_unref) UMockdevTestbed

static bool is_same(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

/* umockdev lists a disk by its number only where "block" is in its path, as it is not for NVMe. */
static struct udev_device *find_disk(struct udev *udev) {
        CLEANUP(scope_udev_enumerate_unref) struct udev_enumerate *list = udev_enumerate_new(udev);
        struct udev_list_entry *entry;

        udev_enumerate_add_match_subsystem(list, "block");
        udev_enumerate_scan_devices(list);
        udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(list)) {
                struct udev_device *dev =
                        udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));

                if (dev && udev_device_get_devnum(dev) == DISK_NUMBER)
                        return dev;
                udev_device_unref(dev);
        }
        cr_assert_fail("no disk was plugged in");
        return NULL;
}

typedef struct Case {
        const char *label, *hardware;
        DeviceBus bus;
        const char *vendor, *product, *serial;
        bool hotplug, removable, external;
} Case;

#define MMC_CARD(type, more)                                                                                \
        ABOVE(MMC_PATH, "mmc",                                                                              \
              "A: type=" type "\nA: manfid=0x000003\nA: name=SC16G\nA: serial=0x3dc4bd04\n")                \
        DISK(MMC_PATH "/block", "mmcblk0", FIXED) more
#define MMC_PATH   "platform/rtsx_pci_sdmmc.0/mmc_host/mmc0/mmc0:0001"
#define MMC_BOOT   DISK_AT(MMC_PATH "/block/mmcblk0", "mmcblk0boot0", 179, 8, FIXED)
#define NVME_PATH  "pci0000:00/0000:00:1d.0/0000:01:00.0/nvme/nvme0"
#define NVME(path) ABOVE(path, "nvme", "A: model=WD SN570    \nA: serial=21353X  \n")
#define TB_PATH    "pci0000:00/0000:00:07.0/0000:03:00.0/0000:04:01.0/0000:05:00.0/nvme/nvme1"
#define SATA_PATH  "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0"
#define SATA(more, disk)                                                                                    \
        SCSI(SATA_PATH, "ATA     ", "Samsung SSD 860 ", more) DISK(SATA_PATH "/block", "sda", disk)
#define SUBSYSTEM "virtual/nvme-subsystem/nvme-subsys0"
#define FIREWIRE  "pci0000:00/0000:00:1c.0/fw1/fw1.0/host7/target7:0:0/7:0:0:0"
#define ISCSI     "platform/host3/session1/target3:0:0/3:0:0:0"
#define FABRICS   "virtual/nvme-fabrics/ctl/nvme2"
#define PSEUDO    "pseudo_0/adapter0/host8/target8:0:0/8:0:0:0"
#define HYPERV    "LNXSYSTM:00/VMBUS:01/f8b3781a/host0/target0:0:0/0:0:0:0"

static const Case cases[] = {
        {"a USB stick", USB_STICK, DEVICE_BUS_USB, "0951", "1666", "E0D55EA574", true, true, true},
        {"a USB stick that says it is fixed",
         USB(USB_PORT, D_STORAGE, "A: removable=fixed\n") DISK(USB_DISK "/block", "sdb", FIXED),
         DEVICE_BUS_USB, "0951", "1666", "E0D55EA574", true, false, true},
        {"a composite device", USB(USB_PORT, D_COMPOSITE, "") DISK(USB_DISK "/block", "sdb", REMOVABLE),
         DEVICE_BUS_USB, "0951", "1666", "E0D55EA574", true, true, true},
        {"a UAS disk", USB(USB_PORT, D_UAS, "") DISK(USB_DISK "/block", "sdb", FIXED), DEVICE_BUS_USB,
         "0951", "1666", "E0D55EA574", true, false, true},
        {"a card in a USB reader with two slots",
         USB(USB_PORT, D_STORAGE, "") DISK_AT(USB_DISK "/block", "sdc", 8, 32, REMOVABLE)
                 DISK(USB_PORT "/1-1:1.0/host2/target2:0:0/2:0:0:1/block", "sdb", REMOVABLE),
         DEVICE_BUS_USB, "0951", "1666", "E0D55EA574", true, true, true},
        {"an SD card in a built-in reader", MMC_CARD("SD", ""), DEVICE_BUS_MMC, "0x000003", "SC16G",
         "0x3dc4bd04", true, false, true},
        {"a card of the old MMC kind", MMC_CARD("MMC", ""), DEVICE_BUS_MMC, "0x000003", "SC16G",
         "0x3dc4bd04", true, false, true},
        {"a soldered eMMC", MMC_CARD("MMC", MMC_BOOT), DEVICE_BUS_PLATFORM, "0x000003", "SC16G",
         "0x3dc4bd04", false, false, false},
        {"an internal NVMe disk", NVME(NVME_PATH) DISK(NVME_PATH, "nvme0n1", FIXED), DEVICE_BUS_NVME, NULL,
         "WD SN570", "21353X", false, false, false},
        {"an internal NVMe disk with several paths",
         NVME(NVME_PATH) ABOVE(SUBSYSTEM, "nvme-subsystem",
                               "A: model=WD SN570\nA: serial=21353X\nL: nvme0=../../../" NVME_PATH "\n")
                 DISK(SUBSYSTEM, "nvme0n1", FIXED),
         DEVICE_BUS_NVME, NULL, "WD SN570", "21353X", false, false, false},
        {"an NVMe disk in a Thunderbolt case",
         ABOVE("pci0000:00/0000:00:07.0/0000:03:00.0", "pci", "A: removable=removable\n") NVME(TB_PATH)
                 DISK(TB_PATH, "nvme1n1", FIXED),
         DEVICE_BUS_THUNDERBOLT, NULL, "WD SN570", "21353X", true, false, true},
        {"an NVMe disk over TCP",
         ABOVE(FABRICS, "nvme", "A: model=Linux\nA: serial=abc\n") DISK(FABRICS, "nvme2n1", FIXED),
         DEVICE_BUS_NETWORK, NULL, "Linux", "abc", false, false, true},
        {"a SATA disk", SATA("H: vpd_pg80=0080000c533346334e583055343034\n", FIXED), DEVICE_BUS_ATA, "ATA",
         "Samsung SSD 860", "S3F3NX0U404", false, false, false},
        {"a SATA disk whose serial number udev knows", SATA("", FIXED "E: ID_SERIAL_SHORT=S3F3NX0U404\n"),
         DEVICE_BUS_ATA, "ATA", "Samsung SSD 860", "S3F3NX0U404", false, false, false},
        {"a disk on an external SATA port", SATA("", REMOVABLE), DEVICE_BUS_ATA, "ATA", "Samsung SSD 860",
         NULL, true, true, true},
        {"an optical drive",
         SCSI(SATA_PATH, "HL-DT-ST", "DVDRAM", "") DISK(SATA_PATH "/block", "sr0", REMOVABLE),
         DEVICE_BUS_ATA, "HL-DT-ST", "DVDRAM", NULL, false, true, true},
        {"a virtio disk",
         ABOVE("pci0000:00/0000:00:05.0/virtio2", "virtio", "")
                 DISK("pci0000:00/0000:00:05.0/virtio2/block", "vdb", FIXED "A: serial=data-1\n"),
         DEVICE_BUS_VIRTIO, NULL, NULL, "data-1", false, false, false},
        {"a disk of Hyper-V",
         ABOVE("LNXSYSTM:00/VMBUS:01/f8b3781a", "vmbus", "") SCSI(HYPERV, "Msft", "Virtual Disk", "")
                 DISK(HYPERV "/block", "sdb", FIXED),
         DEVICE_BUS_SCSI, "Msft", "Virtual Disk", NULL, false, false, false},
        {"a FireWire disk",
         ABOVE("pci0000:00/0000:00:1c.0/fw1/fw1.0", "firewire", "") SCSI(FIREWIRE, "LaCie", "Rugged", "")
                 DISK(FIREWIRE "/block", "sdb", FIXED),
         DEVICE_BUS_FIREWIRE, "LaCie", "Rugged", NULL, true, false, true},
        {"an iSCSI disk", SCSI(ISCSI, "LIO-ORG", "disk", "") DISK(ISCSI "/block", "sdb", FIXED),
         DEVICE_BUS_NETWORK, "LIO-ORG", "disk", NULL, false, false, true},
        {"a network block device", DISK("virtual/block", "nbd0", FIXED), DEVICE_BUS_NETWORK, NULL, NULL,
         NULL, false, false, true},
        {"a disk on a bus that nobody knows",
         SCSI(PSEUDO, "Linux", "scsi_debug", "") DISK(PSEUDO "/block", "sdb", FIXED), DEVICE_BUS_UNKNOWN,
         "Linux", "scsi_debug", NULL, false, false, true},
        {"a loop device", DISK("virtual/block", "loop3", FIXED "A: loop/backing_file=/srv/a file.img\n"),
         DEVICE_BUS_LOOP, NULL, NULL, "/srv/a file.img", false, false, false},
        {"a loop device that the site has marked",
         DISK("virtual/block", "loop3", FIXED "A: loop/backing_file=/a.img\nE: SEKISHO_EXTERNAL=1\n"),
         DEVICE_BUS_LOOP, NULL, NULL, "/a.img", false, false, true},
        {"compressed memory", DISK("virtual/block", "zram0", FIXED), DEVICE_BUS_RAM, NULL, NULL, NULL, false,
         false, false},
        {"a mapping", DISK("virtual/block", "dm-0", FIXED "A: dm/name=vault\n"), DEVICE_BUS_DM, NULL, NULL,
         NULL, false, false, false},
        {"a RAID", DISK("virtual/block", "md127", FIXED), DEVICE_BUS_MD, NULL, NULL, NULL, false, false,
         false},
};

Test(device_identity, of_a_disk_tells_how_it_is_attached_and_who_made_it) {
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                const Case *c = &cases[i];
                TESTBED *testbed = plug_in(c->hardware);
                UDEV *udev = udev_new();
                CLEANUP(device_identity_clear) DeviceIdentity id = {0};
                CLEANUP(scope_udev_device_unref) struct udev_device *disk = find_disk(udev);
                int r = device_identity_read(disk, &id);

                (void)testbed;
                cr_expect_eq(r, 0, "%s: %d", c->label, r);
                cr_expect_eq(id.bus, c->bus, "%s is on the bus %s", c->label, device_bus_to_string(id.bus));
                cr_expect(is_same(id.vendor, c->vendor), "vendor of %s is %s", c->label,
                          id.vendor ? id.vendor : "absent");
                cr_expect(is_same(id.product, c->product), "product of %s is %s", c->label,
                          id.product ? id.product : "absent");
                cr_expect(is_same(id.serial, c->serial), "serial of %s is %s", c->label,
                          id.serial ? id.serial : "absent");
                cr_expect_eq(id.hotplug, c->hotplug, "hotplug of %s", c->label);
                cr_expect_eq(id.removable, c->removable, "removable of %s", c->label);
                cr_expect_eq(device_is_external(NULL, &id), c->external, "whether %s is external", c->label);
                cr_expect_eq(id.devnum, DISK_NUMBER, "number of %s", c->label);
                cr_expect_eq(id.size, 2048UL * 512, "size of %s", c->label);
                cr_expect_eq(id.diskseq, 7, "diskseq of %s", c->label);
                cr_expect_not(id.system, "%s does not carry the root file system", c->label);
        }
}

Test(device_identity, of_a_boot_partition_of_an_emmc_is_soldered_too) {
        TESTBED *testbed = plug_in(MMC_CARD("MMC", MMC_BOOT));
        UDEV *udev = udev_new();
        CLEANUP(device_identity_clear) DeviceIdentity id = {0};

        (void)testbed;
        cr_assert_eq(device_identity_from_devnum(udev, makedev(179, 8), &id), 0);
        cr_assert_eq(id.bus, DEVICE_BUS_PLATFORM);
}

Test(device_identity, of_a_partition_is_that_of_its_disk) {
        TESTBED *testbed = plug_in(
                USB_STICK "P: /devices/" USB_DISK "/block/sdb/sdb1\nN: sdb1\nE: DEVNAME=/dev/sdb1\nE: "
                          "DEVTYPE=partition\nE: MAJOR=8\nE: MINOR=17\nE: SUBSYSTEM=block\nA: dev=8:17\nA: "
                          "partition=1\n\n");
        UDEV *udev = udev_new();
        CLEANUP(device_identity_clear) DeviceIdentity id = {0}, bottom = {0};
        size_t n = 0;

        (void)testbed;
        cr_assert_eq(device_identity_from_devnum(udev, makedev(8, 17), &id), 0);
        cr_assert_str_eq(id.name, "sdb");
        cr_assert_eq(id.devnum, DISK_NUMBER);
        cr_assert_eq(device_stack_bottom(udev, makedev(8, 17), &bottom, 1, &n), 0);
        cr_assert_eq(n, 1);
        cr_assert_eq(bottom.devnum, DISK_NUMBER);
        n = 1;
        cr_assert_eq(device_stack_below(udev, makedev(8, 17), &bottom, 0, &n), 0);
        cr_assert_eq(n, 0);
}

Test(device_identity, of_nothing_is_refused) {
        TESTBED *testbed = plug_in(ABOVE("virtual/misc/fuse", "misc", ""));
        UDEV *udev = udev_new();
        CLEANUP(scope_udev_device_unref)
        struct udev_device *misc = udev_device_new_from_syspath(udev, "/sys/devices/virtual/misc/fuse");
        DeviceIdentity id = {.name = (char *)"untouched"};

        (void)testbed;
        cr_assert_eq(device_identity_from_devnum(udev, DISK_NUMBER, &id), -ENODEV);
        cr_assert_eq(device_identity_read(misc, &id), -EINVAL);
        cr_assert_str_eq(id.name, "untouched");
}

Test(device_identity, of_a_usb_device_names_the_class_of_each_interface) {
        static const struct {
                const char *label, *descriptors;
                size_t n;
                uint8_t classes[3];
        } devices[] = {
                {"a stick", D_STORAGE, 1, {0x08}},
                {"a UAS disk, whose alternate setting is storage as well", D_UAS, 1, {0x08}},
                {"storage with a keyboard", D_COMPOSITE, 2, {0x08, 0x03}},
                {"a phone that speaks MTP", D_PHONE, 1, {0x06}},
                {"a hub", D_HUB, 1, {0x09}},
                {"two interfaces of one class",
                 D_COMPOSITE D_INTERFACE("02", "00", "03"),
                 3,
                 {0x08, 0x03, 0x03}},
                {"an alternate setting of another class",
                 D_KEYBOARD D_INTERFACE("00", "01", "08"),
                 2,
                 {0x03, 0x08}},
                {"a second configuration",
                 D_KEYBOARD D_CONFIGURATION D_INTERFACE("00", "00", "02"),
                 2,
                 {0x03, 0x02}},
                {"a descriptor of no length", D_KEYBOARD "00" D_INTERFACE("01", "00", "08"), 1, {0x03}},
                {"an interface that is cut off", D_KEYBOARD "090401", 1, {0x03}},
                {"an interface that is too short", D_KEYBOARD "0704010002080000", 1, {0x03}},
                {"no descriptors at all", "", 0, {0}},
        };

        for (size_t i = 0; i < ELEMENTS(devices); i++) {
                CLEANUP_FREE char *hardware = NULL;
                CLEANUP(device_identity_clear) DeviceIdentity id = {0};
                UDEV *udev = udev_new();
                TESTBED *testbed = NULL;
                CLEANUP(scope_udev_device_unref) struct udev_device *dev = NULL;

                cr_assert(asprintf(&hardware, USB(USB_PORT, "%s", ""), devices[i].descriptors) > 0);
                testbed = plug_in(hardware);
                (void)testbed;
                dev = udev_device_new_from_syspath(udev, "/sys/devices/" USB_PORT);
                cr_assert_eq(device_identity_read(dev, &id), 0, "%s", devices[i].label);
                cr_expect_eq(id.bus, DEVICE_BUS_USB);
                cr_expect(id.hotplug && id.devnum == 0);
                cr_expect_eq(id.n_interfaces, devices[i].n, "%s has %zu", devices[i].label, id.n_interfaces);
                cr_expect_arr_eq(id.interface_classes, devices[i].classes, devices[i].n, "%s",
                                 devices[i].label);
        }
}

Test(device_identity, lets_a_device_inject_nothing) {
        static const struct {
                const char *label, *hex, *expected;
        } serials[] = {
                {"a line of its own", "410a53454b4953484f", "A?SEKISHO"},
                {"an escape sequence", "411b5b324a", "A?[2J"},
                {"a carriage return and a tab", "410d0942", "A??B"},
                {"a byte that is no UTF-8", "41ff42", "A?B"},
                {"a sequence that is cut off", "41e38182e381", "Aあ??"},
                {"an overlong slash", "41c0af42", "A??B"},
                {"a C1 control", "41c29b42", "A?B"},
                {"text turned round", "41e280ae42", "A?B"},
                {"Japanese", "e8aab2e7a88e", "課税"},
                {"blanks around", "2020412042202020", "A B"},
                {"blanks alone", "202020", NULL},
                {"nothing", "", NULL},
        };

        for (size_t i = 0; i < ELEMENTS(serials); i++) {
                CLEANUP_FREE char *hardware = NULL;
                CLEANUP(device_identity_clear) DeviceIdentity id = {0};
                UDEV *udev = udev_new();
                TESTBED *testbed = NULL;

                cr_assert(asprintf(&hardware,
                                   ABOVE(USB_PORT, "usb", "E: DEVTYPE=usb_device\nH: serial=%s\n")
                                           DISK(USB_DISK "/block", "sdb", REMOVABLE),
                                   serials[i].hex) > 0);
                testbed = plug_in(hardware);
                (void)testbed;
                cr_assert_eq(device_identity_from_devnum(udev, DISK_NUMBER, &id), 0);
                if (serials[i].expected)
                        cr_expect(id.serial && strcmp(id.serial, serials[i].expected) == 0,
                                  "%s gives \"%s\"", serials[i].label, id.serial ? id.serial : "(none)");
                else
                        cr_expect_null(id.serial, "%s", serials[i].label);
        }
}

Test(device_identity, bounds_what_a_device_says) {
        CLEANUP_FREE char *hardware = NULL;
        CLEANUP(device_identity_clear) DeviceIdentity id = {0};
        UDEV *udev = udev_new();
        TESTBED *testbed = NULL;
        char longest[601];

        for (size_t i = 0; i < 600; i += 6) /* あ */
                memcpy(longest + i, "e38182", 6);
        longest[600] = '\0';
        cr_assert(asprintf(&hardware,
                           ABOVE(USB_PORT, "usb", "E: DEVTYPE=usb_device\nH: serial=%s%s\n")
                                   DISK(USB_DISK "/block", "sdb", REMOVABLE),
                           longest, longest) > 0);
        testbed = plug_in(hardware);
        (void)testbed;
        cr_assert_eq(device_identity_from_devnum(udev, DISK_NUMBER, &id), 0);
        cr_assert_eq(strlen(id.serial), 255); /* 85 whole characters */
}

#define VIRTUAL_TO_DISK "../../../../" USB_DISK "/block/sdb"

Test(device_stack, of_a_mapping_on_a_stick_ends_at_the_stick) {
        TESTBED *testbed = plug_in(USB_STICK DISK_AT("virtual/block", "dm-0", 253, 0,
                                                     FIXED "L: slaves/sdb=" VIRTUAL_TO_DISK "\n"));
        UDEV *udev = udev_new();
        CLEANUP(device_identity_clear) DeviceIdentity bottom = {0}, below = {0};
        size_t n = 0;

        (void)testbed;
        cr_assert_eq(device_stack_bottom(udev, makedev(253, 0), &bottom, 1, &n), 0);
        cr_assert_eq(n, 1);
        cr_assert_eq(bottom.bus, DEVICE_BUS_USB);
        cr_assert(device_is_external(NULL, &bottom));
        cr_assert_eq(device_stack_below(udev, makedev(253, 0), &below, 1, &n), 0);
        cr_assert_eq(n, 1);
        cr_assert_eq(below.devnum, DISK_NUMBER);
}

Test(device_stack, tells_what_is_reached_through_luks2_alone) {
        static const struct {
                const char *uuid;
                bool expected;
        } mappings[] = {
                {"CRYPT-LUKS2-7f3a5d0c8d7b4be8a2a0e5f1c0ffee00-vault", true},
                {"CRYPT-LUKS1-7f3a5d0c8d7b4be8a2a0e5f1c0ffee00-vault", false},
                {"CRYPT-PLAIN-vault", false},
                {"LVM-abc", false},
                {"", false},
        };

        for (size_t i = 0; i < ELEMENTS(mappings); i++) {
                CLEANUP_FREE char *hardware = NULL;
                CLEANUP(device_identity_clear) DeviceIdentity bottom = {0}, below = {0};
                size_t n = 0;

                cr_assert_gt(asprintf(&hardware,
                                      USB_STICK DISK_AT("virtual/block", "dm-0", 253, 0,
                                                        FIXED "A: dm/uuid=%s\nL: slaves/sdb=" VIRTUAL_TO_DISK
                                                              "\n"),
                                      mappings[i].uuid),
                             0);
                TESTBED *testbed = plug_in(hardware);
                UDEV *udev = udev_new();

                (void)testbed;
                cr_assert_eq(device_stack_bottom(udev, makedev(253, 0), &bottom, 1, &n), 0);
                cr_expect_eq(bottom.luks2, mappings[i].expected, "bottom, %s", mappings[i].uuid);
                cr_assert_eq(device_stack_below(udev, makedev(253, 0), &below, 1, &n), 0);
                cr_expect_eq(below.luks2, mappings[i].expected, "below, %s", mappings[i].uuid);
        }
}

#define LUKS2_ON_STICK                                                                                      \
        USB_STICK DISK_AT("virtual/block", "dm-0", 253, 0,                                                  \
                          FIXED "A: dm/uuid=CRYPT-LUKS2-0-vault\nL: slaves/sdb=" VIRTUAL_TO_DISK "\n")

Test(device_stack, above_luks2_reaches_the_stick_through_it_and_past_it_too) {
        TESTBED *testbed = plug_in(
                LUKS2_ON_STICK DISK_AT("virtual/block", "dm-1", 253, 1, FIXED "L: slaves/dm-0=../../dm-0\n")
                        DISK_AT("virtual/block", "dm-2", 253, 2,
                                FIXED "L: slaves/dm-0=../../dm-0\nL: slaves/sdb=" VIRTUAL_TO_DISK "\n"));
        UDEV *udev = udev_new();
        DeviceIdentity found[2] = {0};
        size_t n = 0;

        (void)testbed;
        cr_assert_eq(device_stack_below(udev, makedev(253, 1), found, 2, &n), 0);
        cr_assert_eq(n, 2);
        for (size_t i = 0; i < n; i++) {
                cr_expect_eq(found[i].luks2, found[i].devnum == DISK_NUMBER, "%s", found[i].name);
                device_identity_clear(&found[i]);
        }
        cr_assert_eq(device_stack_bottom(udev, makedev(253, 2), found, 2, &n), 0);
        cr_assert_eq(n, 1);
        cr_expect_not(found[0].luks2, "a part of it lies on the bare stick");
        device_identity_clear(&found[0]);
}

Test(device_stack, of_a_raid_has_every_disk_once_and_every_level_below) {
        TESTBED *testbed = plug_in(
                USB_STICK DISK_AT(SATA_PATH "/block", "sda", 8, 0, FIXED) DISK_AT(
                        "virtual/block", "dm-0", 253, 0, FIXED "L: slaves/sdb=" VIRTUAL_TO_DISK "\n")
                        DISK_AT("virtual/block", "md0", 9, 0,
                                FIXED "L: slaves/dm-0=../../dm-0\nL: slaves/sda=../../../../" SATA_PATH
                                      "/block/sda\nL: slaves/sdb=" VIRTUAL_TO_DISK "\n"));
        UDEV *udev = udev_new();
        DeviceIdentity found[8] = {0};
        size_t n = 0;

        (void)testbed;
        cr_assert_eq(device_stack_bottom(udev, makedev(9, 0), found, 8, &n), 0);
        cr_expect_eq(n, 2, "%zu at the bottom", n);
        for (size_t i = 0; i < n; i++)
                device_identity_clear(&found[i]);
        cr_assert_eq(device_stack_below(udev, makedev(9, 0), found, 8, &n), 0);
        cr_expect_eq(n, 3, "%zu below", n);
        for (size_t i = 0; i < n; i++)
                device_identity_clear(&found[i]);
        cr_expect_eq(device_stack_bottom(udev, makedev(9, 0), found, 1, &n), -E2BIG);
}

Test(device_stack, of_a_loop_device_over_a_node_ends_at_that_disk) {
        TESTBED *testbed = plug_in(
                USB_STICK DISK_AT("virtual/block", "loop3", 7, 3, FIXED "A: loop/backing_file=/dev/sdb\n"));
        UDEV *udev = udev_new();
        CLEANUP(device_identity_clear) DeviceIdentity bottom = {0};
        size_t n = 0;

        (void)testbed;
        cr_assert_eq(device_stack_bottom(udev, makedev(7, 3), &bottom, 1, &n), 0);
        cr_assert_eq(bottom.devnum, DISK_NUMBER);
}

Test(device_stack, that_bites_its_tail_is_refused) {
        TESTBED *testbed = plug_in(
                DISK_AT("virtual/block", "dm-0", 253, 0, FIXED "L: slaves/dm-1=../../dm-1\n")
                        DISK_AT("virtual/block", "dm-1", 253, 1, FIXED "L: slaves/dm-0=../../dm-0\n"));
        UDEV *udev = udev_new();
        DeviceIdentity bottom;
        size_t n = 0;

        (void)testbed;
        cr_assert_eq(device_stack_bottom(udev, makedev(253, 0), &bottom, 1, &n), -ELOOP);
}

Test(device_identity, of_a_disk_that_is_gone_is_not_made_up_from_what_stands_above) {
        TESTBED *testbed = plug_in(USB_STICK);
        UDEV *udev = udev_new();
        CLEANUP(scope_udev_device_unref) struct udev_device *dev = find_disk(udev);
        CLEANUP(device_identity_clear) DeviceIdentity id = {0};

        /* an event brings along what the disk is, not what it hangs on */
        cr_assert_str_eq(udev_device_get_subsystem(dev), "block");
        cr_assert_str_eq(udev_device_get_devtype(dev), "disk");
        umockdev_testbed_remove_device(testbed, "/sys/devices/" USB_DISK "/block/sdb");
        cr_expect_eq(device_identity_read(dev, &id), -ENODEV);
        cr_expect_null(id.syspath);
}
