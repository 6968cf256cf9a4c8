/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices come, change and go: what is told of them, and what is written to the USB attributes. Disks are
 * files here, so that the read-only flag cannot be set: the integration tests see to that, on loop devices.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "agent/device/devices.h"
#include "agent/device/hold.h"
#include "agent/file.h"
#include "agent/note.h"
#include "policy/scope.h"
#include "tests/unit/device/hardware.h"

#define SYS      "/sys/devices/"
#define DISK_DIR SYS USB_DISK "/block/sdb"
#define LOOP     "/sys/devices/virtual/block/loop3"

/* The verdicts of this policy, and what has been told, as words one after another. */
static struct World {
        UMockdevTestbed *testbed;
        sd_event *event;
        Devices *devices;
        Decision usb_disk, through_luks2, loop, other;
        bool class_denied[256];
        char told[1024], directory[32];
} world;

static void tell(const char *what, const char *name) {
        size_t length = strlen(world.told);

        snprintf(world.told + length, sizeof(world.told) - length, "%s%s %s", length > 0 ? ", " : "", what,
                 name);
}

/* What has been told since it was asked last. */
static const char *told(void) {
        static char last[sizeof(world.told)];

        memcpy(last, world.told, sizeof(last));
        *world.told = '\0';
        return last;
}

static void judge(void *userdata, const DeviceIdentity *id, Decision *ret) {
        (void)userdata;
        *ret = id->bus == DEVICE_BUS_USB && id->luks2 ? world.through_luks2
               : id->bus == DEVICE_BUS_USB            ? world.usb_disk
               : id->bus == DEVICE_BUS_LOOP           ? world.loop
                                                      : world.other;
}

static void judge_interface(void *userdata, const DeviceIdentity *id, uint8_t class, Decision *ret) {
        (void)userdata;
        (void)id;
        *ret = (Decision){.access = world.class_denied[class] ? ACCESS_DENY : ACCESS_WRITE,
                          .external = true,
                          .rule = "usb",
                          .origin = "test"};
}

static void changed(void *userdata, const Device *device, DeviceChange change) {
        static const char *const words[] = {[DEVICE_ATTACHED] = "attached",
                                            [DEVICE_REJUDGED] = "rejudged",
                                            [DEVICE_UNLOCKED] = "unlocked",
                                            [DEVICE_DETACHED] = "detached"};

        (void)userdata;
        tell(words[change], device->id.name);
}

static void interface_changed(void *userdata, const DeviceIdentity *id, const char *interface, uint8_t class,
                              const Decision *decision, int enforcement) {
        (void)userdata;
        (void)id;
        (void)class;
        cr_expect_eq(enforcement, 0);
        tell(decision->access == ACCESS_DENY ? "refused" : "let in", interface);
}

static void start(const char *hardware, bool monitor_only) {
        static const DevicesCallbacks callbacks = {.judge = judge,
                                                   .judge_interface = judge_interface,
                                                   .changed = changed,
                                                   .interface_changed = interface_changed};

        world.testbed = plug_in(hardware);
        snprintf(world.directory, sizeof(world.directory), "/tmp/sekisho-devices-XXXXXX");
        cr_assert_not_null(mkdtemp(world.directory));
        world.other = (Decision){.access = ACCESS_WRITE, .reason = REASON_INTERNAL, .rule = "internal"};
        world.loop = world.other;
        if (!world.usb_disk.rule)
                world.usb_disk = (Decision){.access = ACCESS_READ_ONLY, .external = true, .rule = "default"};
        cr_assert_geq(sd_event_new(&world.event), 0);
        cr_assert_eq(devices_new(world.event, world.directory, monitor_only, &callbacks, &world.devices), 0);
}

static void remove_notes(void) {
        static const char *const names[] = {"8:16", "7:3", "253:0", "253:1", ""};

        for (size_t i = 0; i < ELEMENTS(names); i++) {
                char path[64];

                snprintf(path, sizeof(path), "%s/released/%s", world.directory, names[i]);
                (void)remove(path);
        }
}

static void stop(void) {
        devices_free(world.devices);
        sd_event_unref(world.event);
        if (world.testbed)
                g_object_unref(world.testbed);
        remove_notes();
        (void)rmdir(world.directory);
}

TestSuite(devices, .fini = stop);

static void plug(const char *hardware) {
        cr_assert(umockdev_testbed_add_from_string(world.testbed, hardware, NULL));
}

/* As the kernel and udev would; returns when it has been dealt with. */
static void uevent(const char *syspath, const char *action) {
        umockdev_testbed_uevent(world.testbed, syspath, action);
        cr_assert_gt(sd_event_run(world.event, 5000000), 0, "no event came");
        while (sd_event_run(world.event, 0) > 0)
                ;
}

static bool is_authorized(const char *path) {
        char whole[256], text[8];

        snprintf(whole, sizeof(whole), SYS "%s/authorized", path);
        cr_assert_gt(file_read_small(AT_FDCWD, whole, text, sizeof(text)), 0, "%s", path);
        return strcmp(text, "0") != 0;
}

static const Device *disk(void) {
        return devices_find_block(world.devices, DISK_NUMBER);
}

/* USB */

#define STORAGE_INTERFACE  USB_PORT "/1-1:1.0"
#define KEYBOARD_INTERFACE USB_PORT "/1-1:1.1"
#define STORAGE            INTERFACE(STORAGE_INTERFACE, "08")
#define KEYBOARD           INTERFACE(KEYBOARD_INTERFACE, "03")
#define COMPOSITE          USB(USB_PORT, D_COMPOSITE, "") STORAGE KEYBOARD

Test(devices, of_storage_with_a_keyboard_keep_the_keyboard_alone) {
        world.class_denied[USB_CLASS_MASS_STORAGE_] = true;
        start(COMPOSITE, false);
        cr_expect(is_authorized(USB_PORT));
        cr_expect_not(is_authorized(STORAGE_INTERFACE));
        cr_expect(is_authorized(KEYBOARD_INTERFACE));
        cr_expect_str_eq(told(), "refused 1-1:1.0, attached 1-1");
        uevent(SYS KEYBOARD_INTERFACE, "bind");
        cr_expect_str_eq(told(), "", "nothing is new");
}

Test(devices, get_an_interface_back_when_the_policy_lets_it_in) {
        world.class_denied[USB_CLASS_MASS_STORAGE_] = true;
        start(COMPOSITE, false);
        told();
        world.class_denied[USB_CLASS_MASS_STORAGE_] = false;
        cr_expect_eq(devices_rejudge(world.devices, false), 0);
        cr_expect(is_authorized(STORAGE_INTERFACE));
        cr_expect_str_eq(told(), "let in 1-1:1.0");
}

Test(devices, with_nothing_but_what_is_refused_are_refused_whole) {
        world.class_denied[USB_CLASS_MASS_STORAGE_] = true;
        start(USB(USB_PORT, D_UAS, "") STORAGE, false);
        cr_expect_not(is_authorized(USB_PORT));
        world.class_denied[USB_CLASS_MASS_STORAGE_] = false;
        cr_expect_eq(devices_rejudge(world.devices, false), 0);
        cr_expect(is_authorized(USB_PORT));
        cr_expect_str_eq(told(), "attached 1-1, rejudged 1-1");
}

Test(devices, that_are_phones_are_refused_by_their_class) {
        world.class_denied[USB_CLASS_STILL_IMAGE_] = true;
        start(USB(USB_PORT, D_PHONE, "") INTERFACE(USB_PORT "/1-1:1.0", "06"), false);
        cr_expect_not(is_authorized(USB_PORT));
}

Test(devices, that_are_hubs_are_never_refused) {
        memset(world.class_denied, 1, sizeof(world.class_denied));
        start(USB(USB_PORT, D_HUB, "A: bDeviceClass=09\n") INTERFACE(USB_PORT "/1-1:1.0", "09"), false);
        cr_expect(is_authorized(USB_PORT));
        cr_expect(is_authorized(USB_PORT "/1-1:1.0"));
}

Test(devices, that_only_call_themselves_hubs_are_refused) {
        world.class_denied[USB_CLASS_MASS_STORAGE_] = true;
        start(USB(USB_PORT, D_STORAGE, "A: bDeviceClass=09\n") STORAGE, false);
        cr_expect_not(is_authorized(USB_PORT));
}

Test(devices, behind_a_hub_are_judged_by_themselves) {
        world.class_denied[USB_CLASS_MASS_STORAGE_] = true;
        start(USB(USB_PORT, D_HUB, "") INTERFACE(USB_PORT "/1-1:1.0", "09")
                      USB(USB_PORT "/1-1.2", D_STORAGE, "") INTERFACE(USB_PORT "/1-1.2/1-1.2:1.0", "08"),
              false);
        cr_expect(is_authorized(USB_PORT));
        cr_expect_not(is_authorized(USB_PORT "/1-1.2"));
}

Test(devices, are_all_let_in_where_the_agent_only_watches) {
        world.class_denied[USB_CLASS_MASS_STORAGE_] = true;
        start(COMPOSITE, true);
        cr_expect(is_authorized(STORAGE_INTERFACE));
        cr_expect_eq(devices_rejudge(world.devices, false), 0);
        cr_expect_not(is_authorized(STORAGE_INTERFACE));
        cr_expect_eq(devices_rejudge(world.devices, true), 0);
        cr_expect(is_authorized(STORAGE_INTERFACE));
}

Test(devices, that_come_later_are_judged_when_udev_tells_of_them) {
        world.class_denied[USB_CLASS_MASS_STORAGE_] = true;
        start(ABOVE(PCI, "pci", ""), false);
        plug(COMPOSITE);
        uevent(SYS USB_PORT, "add");
        cr_expect_not(is_authorized(STORAGE_INTERFACE));
        cr_expect_str_eq(told(), "refused 1-1:1.0, attached 1-1");
        uevent(SYS USB_PORT, "remove");
        cr_expect_str_eq(told(), "detached 1-1");
}

Test(devices, that_come_back_as_another_are_told_as_another) {
        start(USB(USB_PORT, D_KEYBOARD, ""), false);
        told();
        umockdev_testbed_set_attribute(world.testbed, SYS USB_PORT, "serial", "another");
        uevent(SYS USB_PORT, "change");
        cr_expect_str_eq(told(), "detached 1-1, attached 1-1");
}

/* The kernel tells that drivers let go of it when its attributes are gone already. */
Test(devices, that_are_being_unplugged_are_not_told_as_others) {
        CLEANUP_FREE char *root = NULL;
        char path[256];

        start(USB(USB_PORT, D_KEYBOARD, ""), false);
        told();
        root = umockdev_testbed_get_root_dir(world.testbed);
        snprintf(path, sizeof(path), "%s" SYS USB_PORT "/idVendor", root);
        cr_assert_eq(unlink(path), 0);
        uevent(SYS USB_PORT, "unbind");
        cr_expect_str_eq(told(), "");
        uevent(SYS USB_PORT, "remove");
        cr_expect_str_eq(told(), "detached 1-1");
}

/* disks */

Test(devices, that_are_disks_are_told_once) {
        start(USB_STICK, false);
        cr_expect_str_eq(told(), "attached 1-1, attached sdb");
        uevent(DISK_DIR, "change");
        plug("P: /devices/" USB_DISK "/block/sdb/sdb1\nN: sdb1\nE: DEVNAME=/dev/sdb1\nE: DEVTYPE=partition\n"
             "E: MAJOR=8\nE: MINOR=17\nE: SUBSYSTEM=block\nA: dev=8:17\nA: partition=1\n\n");
        uevent(DISK_DIR "/sdb1", "add");
        uevent(DISK_DIR "/sdb1", "remove");
        cr_expect_str_eq(told(), "");
        uevent(DISK_DIR, "remove");
        cr_expect_str_eq(told(), "detached sdb");
}

Test(devices, with_another_medium_are_told_as_another) {
        start(USB_STICK, false);
        told();
        umockdev_testbed_set_attribute(world.testbed, DISK_DIR, "diskseq", "8");
        uevent(DISK_DIR, "change");
        cr_expect_str_eq(told(), "detached sdb, attached sdb");
}

Test(devices, are_found_before_udev_tells_of_them) {
        start(ABOVE(PCI, "pci", ""), false);
        cr_expect_null(disk());
        plug(USB_STICK);
        cr_assert_not_null(disk());
        cr_expect_eq(disk()->decision.access, ACCESS_READ_ONLY);
        cr_expect_str_eq(told(), "attached sdb");
        umockdev_testbed_set_attribute(world.testbed, DISK_DIR, "diskseq", "8");
        cr_expect_eq(disk()->id.diskseq, 8, "nor is a medium taken for the one before");
        cr_expect_str_eq(told(), "detached sdb, attached sdb");
}

Test(devices, keep_the_reason_why_they_could_not_be_held) {
        start(USB_STICK, false);
        cr_assert_not_null(disk());
        cr_expect_eq(disk()->enforcement, -ENODEV, "its node is none");
}

Test(devices, that_udev_marks_later_are_the_same_medium) {
        start(DISK_AT("virtual/block", "loop3", 7, 3, FIXED "A: loop/backing_file=/nowhere\n"), false);
        told();
        umockdev_testbed_set_property(world.testbed, LOOP, "SEKISHO_EXTERNAL", "1");
        world.loop = world.usb_disk;
        uevent(LOOP, "change");
        cr_expect_str_eq(told(), "rejudged loop3");
        cr_expect(devices_find_block(world.devices, makedev(7, 3))->id.marked_external);
}

Test(devices, that_are_loops_exist_while_they_have_a_file) {
        start(DISK_AT("virtual/block", "loop3", 7, 3, FIXED), false);
        cr_expect_str_eq(told(), "");
        cr_expect_null(devices_find_block(world.devices, makedev(7, 3)));
        umockdev_testbed_set_attribute(world.testbed, LOOP, "loop/backing_file", "/nowhere");
        uevent(LOOP, "change");
        cr_expect_str_eq(told(), "attached loop3");
        umockdev_testbed_set_attribute(world.testbed, LOOP, "loop/backing_file", "");
        uevent(LOOP, "change");
        cr_expect_str_eq(told(), "detached loop3");
}

#define MAPPING(more) DISK_AT("virtual/block", "dm-0", 253, 0, FIXED more)
#define ON_STICK      "L: slaves/sdb=../../../../" USB_DISK "/block/sdb\n"

Test(devices, that_stand_on_others_get_the_strictest_verdict) {
        static const struct {
                const char *label;
                Decision stick, mapping, expected;
        } cases[] = {
                {"a mapping is inside, the stick is to be read",
                 {.access = ACCESS_READ_ONLY, .external = true},
                 {.access = ACCESS_WRITE},
                 {.access = ACCESS_READ_ONLY, .external = true}},
                {"a mapping is inside, the stick may be written",
                 {.access = ACCESS_WRITE, .external = true},
                 {.access = ACCESS_WRITE},
                 {.access = ACCESS_WRITE, .external = true}},
                {"the stick may be written by some",
                 {.access = ACCESS_WRITE, .external = true, .conditional = true},
                 {.access = ACCESS_WRITE, .external = true},
                 {.access = ACCESS_WRITE, .external = true, .conditional = true}},
                {"the mapping may be written by some",
                 {.access = ACCESS_WRITE, .external = true},
                 {.access = ACCESS_WRITE, .external = true, .conditional = true},
                 {.access = ACCESS_WRITE, .external = true, .conditional = true}},
                {"the mapping is refused",
                 {.access = ACCESS_WRITE, .external = true},
                 {.access = ACCESS_DENY, .external = true},
                 {.access = ACCESS_DENY, .external = true}},
        };

        start(USB_STICK MAPPING(ON_STICK), false);
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                const Device *mapping;

                world.usb_disk = cases[i].stick;
                world.other = cases[i].mapping;
                devices_rejudge(world.devices, false);
                mapping = devices_find_block(world.devices, makedev(253, 0));
                cr_assert_eq(mapping->n_bottom, 1);
                cr_expect_eq(mapping->decision.access, cases[i].expected.access, "%s", cases[i].label);
                cr_expect_eq(mapping->decision.external, cases[i].expected.external, "%s", cases[i].label);
                cr_expect_eq(mapping->decision.conditional, cases[i].expected.conditional, "%s",
                             cases[i].label);
        }
}

Test(devices, that_are_mappings_exist_from_when_they_have_a_table) {
        start(USB_STICK MAPPING(""), false);
        umockdev_testbed_set_attribute(world.testbed, "/sys/devices/virtual/block/dm-0", "size", "0");
        uevent("/sys/devices/virtual/block/dm-0", "change");
        told();
        plug("P: /devices/virtual/block/dm-1\nN: dm-1\nE: DEVNAME=/dev/dm-1\nE: DEVTYPE=disk\nE: MAJOR=253\n"
             "E: MINOR=1\nE: SUBSYSTEM=block\nA: dev=253:1\nA: size=0\nA: diskseq=9\n" ON_STICK "\n");
        uevent("/sys/devices/virtual/block/dm-1", "add");
        cr_expect_str_eq(told(), "");
        umockdev_testbed_set_attribute(world.testbed, "/sys/devices/virtual/block/dm-1", "size", "2048");
        uevent("/sys/devices/virtual/block/dm-1", "change");
        cr_expect_str_eq(told(), "attached dm-1");
        cr_expect_eq(devices_find_block(world.devices, makedev(253, 1))->decision.access, ACCESS_READ_ONLY);
}

#define LUKS2(version) "E: ID_FS_TYPE=crypto_LUKS\nE: ID_FS_VERSION=" version "\n"
#define STICK_WITH(more)                                                                                    \
        USB(USB_PORT, D_STORAGE, "A: removable=removable\n")                                                \
        INTERFACE(USB_PORT "/1-1:1.0", "08")                                                                \
        SCSI(USB_DISK, "Kingston", "DataTraveler 3.0", "") DISK(USB_DISK "/block", "sdb", REMOVABLE more)
#define PARTITION(name, minor, more)                                                                        \
        "P: /devices/" USB_DISK "/block/sdb/" name "\nN: " name "\nE: DEVNAME=/dev/" name                   \
        "\nE: DEVTYPE=partition\nE: MAJOR=8\nE: MINOR=" #minor "\nE: SUBSYSTEM=block\nA: dev=8:" #minor     \
        "\nA: partition=1\n" more "\n"

static void require_encryption(void) {
        world.usb_disk = (Decision){
                .access = ACCESS_READ_ONLY, .reason = REASON_NOT_ENCRYPTED, .external = true, .rule = "r"};
        world.through_luks2 =
                (Decision){.access = ACCESS_WRITE, .reason = REASON_RULE, .external = true, .rule = "r"};
}

Test(devices, that_must_be_encrypted_have_their_closed_luks2_volumes_let_go) {
        static const struct {
                const char *label, *hardware;
                size_t n;
                unsigned minor;
        } cases[] = {
                {"a stick that is not encrypted", STICK_WITH(""), 0, 0},
                {"the whole stick", STICK_WITH(LUKS2("2")), 1, 16},
                {"an older format", STICK_WITH(LUKS2("1")), 0, 0},
                {"a partition beside a plain one",
                 STICK_WITH("") PARTITION("sdb1", 17, "E: ID_FS_TYPE=vfat\n")
                         PARTITION("sdb2", 18, LUKS2("2")),
                 1, 18},
                {"one that is open", STICK_WITH("") PARTITION("sdb1", 17, LUKS2("2") "A: holders/dm-0=\n"),
                 0, 0},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                require_encryption();
                start(cases[i].hardware, false);
                cr_expect_eq(disk()->n_closed, cases[i].n, "%s", cases[i].label);
                if (cases[i].n > 0)
                        cr_expect_eq(disk()->closed[0], makedev(8, cases[i].minor), "%s", cases[i].label);
                cr_expect_eq(note_holds(world.directory, NOTE_RELEASED, DISK_NUMBER, 7) == 1, cases[i].n > 0,
                             "%s", cases[i].label);
                stop();
                memset(&world, 0, sizeof(world));
        }
}

Test(devices, that_need_no_encryption_have_none_of_it_set_apart) {
        start(STICK_WITH(LUKS2("2")), false);
        cr_expect_eq(disk()->n_closed, 0);
}

Test(devices, are_held_whole_while_their_luks2_volume_is_open) {
        require_encryption();
        start(STICK_WITH(LUKS2("2")), false);
        cr_assert_eq(disk()->n_closed, 1);
        told();
        umockdev_testbed_set_attribute(world.testbed, DISK_DIR, "holders/dm-0", "");
        plug(MAPPING("A: dm/uuid=CRYPT-LUKS2-0-vault\n" ON_STICK));
        uevent("/sys/devices/virtual/block/dm-0", "add");
        cr_expect_str_eq(told(), "attached dm-0, unlocked sdb");
        cr_expect_eq(disk()->n_closed, 0);
        cr_expect_neq(note_holds(world.directory, NOTE_RELEASED, DISK_NUMBER, 7), 1);
        cr_expect_eq(devices_find_block(world.devices, makedev(253, 0))->decision.access, ACCESS_WRITE);
}

static int count(void *userdata, const Device *device) {
        (void)device;
        return ++*(int *)userdata == 2 ? 42 : 0;
}

Test(devices, are_gone_through_until_somebody_says_stop) {
        int n = 0;

        start(USB_STICK MAPPING(ON_STICK), false);
        cr_expect_eq(devices_foreach(world.devices, count, &n), 42);
        cr_expect_eq(n, 2);
}

Test(devices, that_come_and_go_leave_nothing_behind) {
        int n = 0;

        start(USB_STICK, false);
        for (int i = 0; i < 50; i++) {
                uevent(DISK_DIR, "remove");
                uevent(DISK_DIR, "add");
                told();
        }
        (void)devices_foreach(world.devices, count, &n);
        cr_expect_eq(n, 2, "the stick and its disk");
}
