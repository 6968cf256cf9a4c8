/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/device/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/device/bus.h"
#include "agent/device/stack.h"
#include "policy/scope.h"
#include "policy/utf8.h"

DEFINE_CLEANUP(struct udev_device, udev_device_unref);

enum {
        TEXT_MAX = 255,
        DESCRIPTORS_MAX = 64 * 1024,
        USB_INTERFACE_DESCRIPTOR = 4
};

/* What a device says of itself goes into records and onto screens: bounded, no control characters, no broken
 * UTF-8. NULL for nothing (or no memory: an attribute that is not known matches no rule). */
static char *clean(const char *text) {
        char buffer[TEXT_MAX + 1];
        size_t n = 0, left = text ? strlen(text) : 0;

        while (left > 0 && n < TEXT_MAX) {
                uint32_t c = 0;
                size_t length = utf8_next(text, left, &c);
                size_t used = length > 0 ? length : 1;

                if (length == 0 || utf8_is_control(c))
                        buffer[n++] = '?';
                else if (n + length > TEXT_MAX)
                        break;
                else {
                        memcpy(buffer + n, text, length);
                        n += length;
                }
                text += used;
                left -= used;
        }
        return n > 0 ? strndup(buffer, n) : NULL;
}

/* Likewise, without the blanks that fill fields of a fixed length (SCSI, ATA). */
static char *clean_and_trim(const char *text) {
        const char *end;
        CLEANUP_FREE char *trimmed = NULL;

        if (!text)
                return NULL;
        text += strspn(text, " ");
        end = text + strlen(text);
        while (end > text && end[-1] == ' ')
                end--;
        trimmed = strndup(text, (size_t)(end - text));
        return clean(trimmed);
}

static char *attribute(struct udev_device *dev, const char *name) {
        return dev ? clean_and_trim(udev_device_get_sysattr_value(dev, name)) : NULL;
}

static uint64_t number(struct udev_device *dev, const char *name) {
        const char *text = udev_device_get_sysattr_value(dev, name);

        return text ? strtoull(text, NULL, 10) : 0;
}

/* All of a binary attribute, which the kernel gives page by page. Returns how much, 0 if there is none. */
static size_t read_binary(struct udev_device *dev, const char *name, unsigned char *bytes, size_t size) {
        char path[PATH_MAX];
        size_t length = 0;

        if ((size_t)snprintf(path, sizeof(path), "%s/%s", udev_device_get_syspath(dev), name) >=
            sizeof(path))
                return 0;
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        while (fd >= 0 && length < size) {
                ssize_t n = read(fd, bytes + length, size - length);

                if (n <= 0)
                        break;
                length += (size_t)n;
        }
        return length;
}

/* Interface classes out of the raw descriptors of all configurations, which can be read while a device is
 * not authorised too: a verdict on it does not depend on whether it is let in. An alternate setting counts
 * where its class differs. Source: USB 2.0 section 9.6: each descriptor begins with its length and type; an
 * interface has its number in the third byte and its class in the sixth. */
static void read_interface_classes(struct udev_device *usb, DeviceIdentity *id) {
        CLEANUP_FREE unsigned char *bytes = malloc(DESCRIPTORS_MAX);
        unsigned char numbers[USB_INTERFACES_MAX];
        size_t n = bytes ? read_binary(usb, "descriptors", bytes, DESCRIPTORS_MAX) : 0;

        for (size_t i = 0; i + 1 < n && bytes[i] >= 2; i += bytes[i]) {
                bool known = false;

                if (bytes[i + 1] != USB_INTERFACE_DESCRIPTOR || bytes[i] < 9 || i + 9 > n)
                        continue;
                for (size_t k = 0; k < id->n_interfaces; k++)
                        known = known ||
                                (numbers[k] == bytes[i + 2] && id->interface_classes[k] == bytes[i + 5]);
                if (known || id->n_interfaces == USB_INTERFACES_MAX)
                        continue;
                numbers[id->n_interfaces] = bytes[i + 2];
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

/* The serial number as the disk itself tells it: the vital product data page 80h, else what udev found out.
 * Source: SPC-4 section 7.8.15: four bytes of header, the length in the last two. */
static char *read_scsi_serial(struct udev_device *scsi, struct udev_device *disk) {
        unsigned char page[4 + TEXT_MAX];
        size_t n = read_binary(scsi, "vpd_pg80", page, sizeof(page)), length;

        if (n > 4 && page[1] == 0x80) {
                CLEANUP_FREE char *text = NULL;
                char *serial;

                length = (size_t)page[2] << 8 | page[3];
                text = strndup((const char *)page + 4, length < n - 4 ? length : n - 4);
                serial = clean_and_trim(text);
                if (serial)
                        return serial;
        }
        return clean_and_trim(udev_device_get_property_value(disk, "ID_SERIAL_SHORT"));
}

static void read_other(struct udev_device *disk, DeviceIdentity *id) {
        struct udev_device *card = udev_device_get_parent_with_subsystem_devtype(disk, "mmc", NULL);
        struct udev_device *nvme = udev_device_get_parent_with_subsystem_devtype(disk, "nvme", NULL);
        struct udev_device *scsi =
                udev_device_get_parent_with_subsystem_devtype(disk, "scsi", "scsi_device");

        if (!nvme)
                nvme = bus_nvme_subsystem(disk);
        if (id->bus == DEVICE_BUS_LOOP)
                id->serial = clean(udev_device_get_sysattr_value(disk, "loop/backing_file"));
        else if (id->bus == DEVICE_BUS_DM)
                id->product_name = attribute(disk, "dm/name");
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
                id->serial = read_scsi_serial(scsi, disk);
        } else
                id->serial = attribute(disk, "serial");
}

/* What can be plugged in without opening the terminal. A SATA port that firmware calls external or
 * hot-pluggable makes its disk a removable one. Source: ata_scsiop_inq_std() in drivers/ata/libata-scsi.c.
 */
static bool is_hotplug(const DeviceIdentity *id) {
        switch (id->bus) {
        case DEVICE_BUS_USB:
        case DEVICE_BUS_MMC:
        case DEVICE_BUS_THUNDERBOLT:
        case DEVICE_BUS_FIREWIRE:
                return true;
        case DEVICE_BUS_ATA:
                return id->removable && strncmp(id->name, "sd", 2) == 0; /* not a drive for discs */
        case DEVICE_BUS_UNKNOWN:
        case DEVICE_BUS_NETWORK:
        case DEVICE_BUS_LOOP:
        case DEVICE_BUS_DM:
        case DEVICE_BUS_MD:
        case DEVICE_BUS_RAM:
        case DEVICE_BUS_VIRTIO:
        case DEVICE_BUS_SCSI:
        case DEVICE_BUS_NVME:
        case DEVICE_BUS_PLATFORM:
                break;
        }
        return false;
}

static int read_disk(struct udev_device *disk, DeviceIdentity *id) {
        const char *mark = udev_device_get_property_value(disk, "SEKISHO_EXTERNAL");

        id->devnum = udev_device_get_devnum(disk);
        if (major(id->devnum) == 0)
                return -ENODEV;
        id->bus = bus_of_disk(disk);
        id->diskseq = number(disk, "diskseq");
        id->size = number(disk, "size") * 512;
        id->removable = number(disk, "removable") == 1;
        id->hotplug = is_hotplug(id);
        id->system = stack_carries_root(id->devnum) == 1;
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
                id.system = stack_root_is_below(id.syspath);
                read_usb(dev, &id);
        }
        if (r < 0)
                return r;
        /* What goes takes along what it hangs on, children first: if it is still there, nothing was read of
         * something that stands further up. */
        if (access(id.syspath, F_OK) < 0 && errno == ENOENT)
                return -ENODEV;
        *ret = id;
        id = (DeviceIdentity){0};
        return 0;
}

int device_identity_from_devnum(struct udev *udev, dev_t devnum, DeviceIdentity *ret) {
        CLEANUP(scope_udev_device_unref)
        struct udev_device *dev = udev_device_new_from_devnum(udev, 'b', devnum);

        return dev ? device_identity_read(dev, ret) : -ENODEV;
}

/* The identities of N devices. */
static int read_all(struct udev *udev, const dev_t *numbers, const bool *luks2, int n, DeviceIdentity *ret,
                    size_t *ret_n) {
        for (int i = 0; i < n; i++) {
                int r = device_identity_from_devnum(udev, numbers[i], &ret[i]);

                if (r < 0) {
                        while (i-- > 0)
                                device_identity_clear(&ret[i]);
                        return r;
                }
                ret[i].luks2 = luks2[i];
        }
        *ret_n = (size_t)n;
        return 0;
}

int device_stack_bottom(struct udev *udev, dev_t devnum, DeviceIdentity *ret, size_t max, size_t *ret_n) {
        dev_t numbers[STACK_MAX];
        bool luks2[STACK_MAX];
        int n = stack_bottom(devnum, numbers, luks2, max < STACK_MAX ? max : STACK_MAX);

        return n < 0 ? n : read_all(udev, numbers, luks2, n, ret, ret_n);
}

int device_stack_below(struct udev *udev, dev_t devnum, DeviceIdentity *ret, size_t max, size_t *ret_n) {
        dev_t numbers[STACK_MAX];
        bool luks2[STACK_MAX];
        int n = stack_below(devnum, numbers, luks2, max < STACK_MAX ? max : STACK_MAX);

        return n < 0 ? n : read_all(udev, numbers, luks2, n, ret, ret_n);
}
