/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/device/identity.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "agent/device/stack.h"
#include "agent/file.h"
#include "policy/scope.h"

DEFINE_CLEANUP(struct udev_device, udev_device_unref);

enum {
        TEXT_MAX = 255,
        DESCRIPTORS_MAX = 16 * 1024
};

/* Length of the well-formed UTF-8 sequence at P (RFC 3629), 0 if there is none. */
static size_t utf8_sequence(const unsigned char *p) {
        size_t n = p[0] < 0x80                   ? 1
                   : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
                   : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
                   : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                                 : 0;

        for (size_t i = 1; i < n; i++)
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
        if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) ||
            (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
                return 0;
        return n;
}

/* What a device says of itself goes into records and onto screens: trimmed, bounded, no control characters,
 * no broken UTF-8. NULL for nothing (or no memory: an attribute that is not known matches no rule). */
static char *clean(const char *text) {
        char buffer[TEXT_MAX + 1];
        size_t n = 0;

        if (!text)
                return NULL;
        while (*text == ' ')
                text++;
        while (*text && n < TEXT_MAX) {
                size_t length = utf8_sequence((const unsigned char *)text);

                if (length == 0 || (length == 1 && iscntrl((unsigned char)*text)) ||
                    (length == 2 && (unsigned char)text[0] == 0xc2 && (unsigned char)text[1] < 0xa0)) {
                        buffer[n++] = '?';
                        text += length > 0 ? length : 1;
                        continue;
                }
                if (n + length > TEXT_MAX)
                        break;
                memcpy(buffer + n, text, length);
                n += length;
                text += length;
        }
        while (n > 0 && buffer[n - 1] == ' ')
                n--;
        return n > 0 ? strndup(buffer, n) : NULL;
}

static char *attribute(struct udev_device *dev, const char *name) {
        return dev ? clean(udev_device_get_sysattr_value(dev, name)) : NULL;
}

static uint64_t number(struct udev_device *dev, const char *name) {
        const char *text = udev_device_get_sysattr_value(dev, name);

        return text ? strtoull(text, NULL, 10) : 0;
}

static bool starts(const char *text, const char *prefix) {
        return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Buses that a disk's kernel name tells. DEVICE_BUS_UNKNOWN: it does not. */
static DeviceBus bus_from_name(const char *name) {
        static const struct {
                const char *prefix;
                DeviceBus bus;
        } prefixes[] = {
                {"loop", DEVICE_BUS_LOOP},    {"dm-", DEVICE_BUS_DM},       {"md", DEVICE_BUS_MD},
                {"zram", DEVICE_BUS_RAM},     {"ram", DEVICE_BUS_RAM},      {"nbd", DEVICE_BUS_NETWORK},
                {"rbd", DEVICE_BUS_NETWORK},  {"drbd", DEVICE_BUS_NETWORK}, {"pmem", DEVICE_BUS_PLATFORM},
                {"xvd", DEVICE_BUS_PLATFORM}, {"vd", DEVICE_BUS_VIRTIO},
        };

        for (size_t i = 0; i < ELEMENTS(prefixes); i++)
                if (starts(name, prefixes[i].prefix))
                        return prefixes[i].bus;
        return DEVICE_BUS_UNKNOWN;
}

static bool is_soldered_mmc(struct udev_device *disk, struct udev_device *card) {
        const char *type = udev_device_get_sysattr_value(card, "type");
        char path[PATH_MAX];

        /* an eMMC has boot partitions, a card of the old MMC kind has none */
        if (!type || strcmp(type, "MMC") != 0)
                return false;
        snprintf(path, sizeof(path), "/sys/class/block/%sboot0", udev_device_get_sysname(disk));
        return access(path, F_OK) == 0;
}

/* Whether a PCI device above it is one that can be unplugged (Thunderbolt, USB4, ExpressCard), as firmware
 * told the kernel (Documentation/ABI/testing/sysfs-devices-removable). */
static bool below_removable_pci(struct udev_device *dev) {
        for (struct udev_device *up = dev; up; up = udev_device_get_parent(up)) {
                const char *subsystem = udev_device_get_subsystem(up);
                const char *removable;

                if (!subsystem || strcmp(subsystem, "pci") != 0)
                        continue;
                removable = udev_device_get_sysattr_value(up, "removable");
                if (removable && strcmp(removable, "removable") == 0)
                        return true;
        }
        return false;
}

static DeviceBus bus_from_parents(struct udev_device *disk) {
        const char *path = udev_device_get_syspath(disk);
        struct udev_device *card;

        if (udev_device_get_parent_with_subsystem_devtype(disk, "usb", "usb_device"))
                return DEVICE_BUS_USB;
        card = udev_device_get_parent_with_subsystem_devtype(disk, "mmc", NULL);
        if (card)
                return is_soldered_mmc(disk, card) ? DEVICE_BUS_PLATFORM : DEVICE_BUS_MMC;
        if (udev_device_get_parent_with_subsystem_devtype(disk, "firewire", NULL))
                return DEVICE_BUS_FIREWIRE;
        if (below_removable_pci(disk) ||
            udev_device_get_parent_with_subsystem_devtype(disk, "thunderbolt", NULL))
                return DEVICE_BUS_THUNDERBOLT;
        if (strstr(path, "/nvme-fabrics/") ||
            udev_device_get_parent_with_subsystem_devtype(disk, "iscsi_session", NULL) ||
            (strstr(path, "/session") && strstr(path, "/target")))
                return DEVICE_BUS_NETWORK;
        if (udev_device_get_parent_with_subsystem_devtype(disk, "virtio", NULL))
                return DEVICE_BUS_VIRTIO;
        if (udev_device_get_parent_with_subsystem_devtype(disk, "nvme", NULL))
                return DEVICE_BUS_NVME;
        if (strstr(path, "/ata"))
                return DEVICE_BUS_ATA;
        /* a SCSI disk on a PCI controller is inside; on anything else (scsi_debug's pseudo bus) nobody knows
         */
        if (udev_device_get_parent_with_subsystem_devtype(disk, "scsi", "scsi_device") &&
            strstr(path, "/pci"))
                return DEVICE_BUS_SCSI;
        return DEVICE_BUS_UNKNOWN;
}

/* Interface classes out of the raw descriptors, which stay readable while a device is not authorised.
 * Source: USB 2.0 section 9.6: each descriptor begins with its length and type; type 4 is an interface, its
 * class the sixth byte. */
static void read_interface_classes(struct udev_device *usb, DeviceIdentity *id) {
        char path[PATH_MAX];
        unsigned char bytes[DESCRIPTORS_MAX];
        ssize_t n;

        snprintf(path, sizeof(path), "%s/descriptors", udev_device_get_syspath(usb));
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd >= 0 ? read(fd, bytes, sizeof(bytes)) : 0;
        for (ssize_t i = 0; i + 1 < n && bytes[i] >= 2; i += bytes[i]) {
                bool known = false;

                if (bytes[i + 1] != 0x04 || bytes[i] < 9 || i + 9 > n)
                        continue;
                for (size_t k = 0; k < id->n_interfaces; k++)
                        known = known || id->interface_classes[k] == bytes[i + 5];
                if (!known && id->n_interfaces < USB_INTERFACES_MAX)
                        id->interface_classes[id->n_interfaces++] = bytes[i + 5];
        }
}

static void read_usb(struct udev_device *usb, DeviceIdentity *id) {
        id->vendor = attribute(usb, "idVendor");
        id->product = attribute(usb, "idProduct");
        id->serial = attribute(usb, "serial");
        id->vendor_name = attribute(usb, "manufacturer");
        id->product_name = attribute(usb, "product");
        read_interface_classes(usb, id);
}

static void read_other(struct udev_device *disk, DeviceIdentity *id) {
        struct udev_device *card = udev_device_get_parent_with_subsystem_devtype(disk, "mmc", NULL);
        struct udev_device *nvme = udev_device_get_parent_with_subsystem_devtype(disk, "nvme", NULL);
        struct udev_device *scsi =
                udev_device_get_parent_with_subsystem_devtype(disk, "scsi", "scsi_device");

        if (id->bus == DEVICE_BUS_LOOP)
                id->serial = attribute(disk, "loop/backing_file");
        else if (card) {
                id->vendor = attribute(card, "manfid");
                id->product = attribute(card, "name");
                id->serial = attribute(card, "serial");
        } else if (nvme) {
                id->product = attribute(nvme, "model");
                id->serial = attribute(nvme, "serial");
        } else if (scsi) {
                id->vendor = attribute(scsi, "vendor");
                id->product = attribute(scsi, "model");
                id->serial = clean(udev_device_get_property_value(disk, "ID_SERIAL_SHORT"));
        } else
                id->serial = attribute(disk, "serial");
}

static int read_disk(struct udev_device *disk, DeviceIdentity *id) {
        const char *mark = udev_device_get_property_value(disk, "SEKISHO_EXTERNAL");

        id->devnum = udev_device_get_devnum(disk);
        if (major(id->devnum) == 0)
                return -ENODEV;
        id->bus = bus_from_name(id->name);
        if (id->bus == DEVICE_BUS_UNKNOWN)
                id->bus = bus_from_parents(disk);
        id->diskseq = number(disk, "diskseq");
        id->size = number(disk, "size") * 512;
        id->removable = number(disk, "removable") == 1;
        id->hotplug = id->bus == DEVICE_BUS_USB || id->bus == DEVICE_BUS_MMC ||
                      id->bus == DEVICE_BUS_THUNDERBOLT || id->bus == DEVICE_BUS_FIREWIRE;
        id->system = stack_carries_root(id->devnum);
        id->marked_external = mark && strcmp(mark, "1") == 0;
        if (id->bus == DEVICE_BUS_USB)
                read_usb(udev_device_get_parent_with_subsystem_devtype(disk, "usb", "usb_device"), id);
        else
                read_other(disk, id);
        return 0;
}

int device_identity_read(struct udev_device *dev, DeviceIdentity *ret) {
        const char *subsystem = udev_device_get_subsystem(dev), *type = udev_device_get_devtype(dev);
        CLEANUP(device_identity_clear) DeviceIdentity id = {0};
        bool block = subsystem && strcmp(subsystem, "block") == 0;
        int r = 0;

        if (block && type && strcmp(type, "partition") == 0) {
                dev = udev_device_get_parent_with_subsystem_devtype(dev, "block", "disk");
                if (!dev)
                        return -ENODEV;
        } else if (!block &&
                   !(subsystem && type && strcmp(subsystem, "usb") == 0 && strcmp(type, "usb_device") == 0))
                return -EINVAL;
        id.name = strdup(udev_device_get_sysname(dev));
        id.syspath = strdup(udev_device_get_syspath(dev));
        if (!id.name || !id.syspath)
                return -ENOMEM;
        if (block)
                r = read_disk(dev, &id);
        else {
                id.bus = DEVICE_BUS_USB;
                id.hotplug = true;
                read_usb(dev, &id);
        }
        if (r < 0)
                return r;
        *ret = id;
        id = (DeviceIdentity){0};
        return 0;
}

int device_identity_from_devnum(struct udev *udev, dev_t devnum, DeviceIdentity *ret) {
        CLEANUP(scope_udev_device_unref)
        struct udev_device *dev = udev_device_new_from_devnum(udev, 'b', devnum);

        return dev ? device_identity_read(dev, ret) : -ENODEV;
}

int device_stack_bottom(struct udev *udev, dev_t devnum, DeviceIdentity *ret, size_t max, size_t *ret_n) {
        dev_t bottom[STACK_MAX];
        int n = stack_bottom(devnum, bottom, max < STACK_MAX ? max : STACK_MAX);

        if (n < 0)
                return n;
        for (int i = 0; i < n; i++) {
                int r = device_identity_from_devnum(udev, bottom[i], &ret[i]);

                if (r < 0) {
                        while (i-- > 0)
                                device_identity_clear(&ret[i]);
                        return r;
                }
        }
        *ret_n = (size_t)n;
        return 0;
}
