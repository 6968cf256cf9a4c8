/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/device/bus.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "policy/scope.h"

DEFINE_CLEANUP(struct udev_device, udev_device_unref);

/* Buses that a disk's kernel name tells. DEVICE_BUS_UNKNOWN: it does not. */
static DeviceBus bus_from_name(const char *name) {
        static const struct {
                const char *prefix;
                DeviceBus bus;
        } prefixes[] = {
                {"loop", DEVICE_BUS_LOOP},       {"dm-", DEVICE_BUS_DM},        {"md", DEVICE_BUS_MD},
                {"bcache", DEVICE_BUS_DM}, /* stacked in the same way: its slaves decide */
                {"zram", DEVICE_BUS_RAM},        {"ram", DEVICE_BUS_RAM},       {"nbd", DEVICE_BUS_NETWORK},
                {"rbd", DEVICE_BUS_NETWORK},     {"rnbd", DEVICE_BUS_NETWORK},  {"drbd", DEVICE_BUS_NETWORK},
                {"etherd!", DEVICE_BUS_NETWORK}, {"pmem", DEVICE_BUS_PLATFORM}, {"xvd", DEVICE_BUS_PLATFORM},
                {"vd", DEVICE_BUS_VIRTIO},
        };

        for (size_t i = 0; i < ELEMENTS(prefixes); i++)
                if (strncmp(name, prefixes[i].prefix, strlen(prefixes[i].prefix)) == 0)
                        return prefixes[i].bus;
        return DEVICE_BUS_UNKNOWN;
}

/* An eMMC has boot partitions, a card of the old MMC kind has none. They are disks of their own, of the same
 * card: mmcblk0boot0 beside mmcblk0. */
static bool is_soldered_mmc(struct udev_device *disk, struct udev_device *card) {
        const char *type = udev_device_get_sysattr_value(card, "type");
        char path[PATH_MAX];
        unsigned number;

        if (!type || strcmp(type, "MMC") != 0 ||
            sscanf(udev_device_get_sysname(disk), "mmcblk%u", &number) != 1)
                return false;
        for (int i = 0; i < 2; i++) {
                snprintf(path, sizeof(path), "/sys/class/block/mmcblk%uboot%d", number, i);
                if (access(path, F_OK) == 0)
                        return true;
        }
        return false;
}

/* Whether a PCI device above it is one that can be unplugged (Thunderbolt, USB4, ExpressCard): the kernel
 * says so of everything below a port that firmware calls external facing. Source:
 * Documentation/ABI/testing/sysfs-devices-removable; pci_set_removable() in drivers/pci/probe.c. */
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

static struct udev_device *above(struct udev_device *dev, const char *subsystem, const char *type) {
        return udev_device_get_parent_with_subsystem_devtype(dev, subsystem, type);
}

static bool is_nvme_over_fabrics(struct udev_device *controller) {
        return strstr(udev_device_get_syspath(controller), "/nvme-fabrics/") != NULL;
}

struct udev_device *bus_nvme_subsystem(struct udev_device *disk) {
        return above(disk, "nvme-subsystem", NULL);
}

/* A disk with several paths stands below no controller; its subsystem links to all of them, and the
 * outermost counts. Source: nvme_subsys_attrs and nvme_init_subsystem() in drivers/nvme/host/core.c. */
static DeviceBus bus_from_controllers(struct udev_device *subsystem) {
        const char *directory = udev_device_get_syspath(subsystem);
        CLEANUP_DIR DIR *dir = opendir(directory);
        const struct dirent *entry;
        DeviceBus bus = DEVICE_BUS_UNKNOWN;

        while (dir && (entry = readdir(dir))) {
                CLEANUP(scope_udev_device_unref) struct udev_device *controller = NULL;
                char path[PATH_MAX];
                const char *kind;

                if (strncmp(entry->d_name, "nvme", 4) != 0 ||
                    (size_t)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name) >= sizeof(path))
                        continue;
                controller = udev_device_new_from_syspath(udev_device_get_udev(subsystem), path);
                kind = controller ? udev_device_get_subsystem(controller) : NULL;
                if (!kind || strcmp(kind, "nvme") != 0)
                        continue;
                if (is_nvme_over_fabrics(controller))
                        return DEVICE_BUS_NETWORK;
                if (below_removable_pci(controller))
                        bus = DEVICE_BUS_THUNDERBOLT;
                else if (bus == DEVICE_BUS_UNKNOWN)
                        bus = DEVICE_BUS_NVME;
        }
        return bus;
}

/* What can be unplugged comes first: a SATA disk behind a USB bridge, or on a controller in a Thunderbolt
 * case, is one of those. */
static DeviceBus bus_from_parents(struct udev_device *disk) {
        const char *path = udev_device_get_syspath(disk);
        struct udev_device *card, *nvme, *subsystem;

        if (above(disk, "usb", "usb_device"))
                return DEVICE_BUS_USB;
        card = above(disk, "mmc", NULL);
        if (card)
                return is_soldered_mmc(disk, card) ? DEVICE_BUS_PLATFORM : DEVICE_BUS_MMC;
        if (above(disk, "firewire", NULL))
                return DEVICE_BUS_FIREWIRE;
        if (below_removable_pci(disk) || above(disk, "thunderbolt", NULL))
                return DEVICE_BUS_THUNDERBOLT;
        if (above(disk, "iscsi_session", NULL) || (strstr(path, "/session") && strstr(path, "/target")))
                return DEVICE_BUS_NETWORK;
        if (above(disk, "virtio", NULL))
                return DEVICE_BUS_VIRTIO;
        nvme = above(disk, "nvme", NULL);
        if (nvme)
                return is_nvme_over_fabrics(nvme) ? DEVICE_BUS_NETWORK : DEVICE_BUS_NVME;
        subsystem = bus_nvme_subsystem(disk);
        if (subsystem)
                return bus_from_controllers(subsystem);
        if (strstr(path, "/ata"))
                return DEVICE_BUS_ATA;
        /* a SCSI disk on a PCI controller, or Hyper-V's own, is inside; on anything else nobody knows */
        if (above(disk, "scsi", "scsi_device") && (strstr(path, "/pci") || above(disk, "vmbus", NULL)))
                return DEVICE_BUS_SCSI;
        return DEVICE_BUS_UNKNOWN;
}

DeviceBus bus_of_disk(struct udev_device *disk) {
        DeviceBus bus = bus_from_name(udev_device_get_sysname(disk));

        return bus == DEVICE_BUS_UNKNOWN ? bus_from_parents(disk) : bus;
}
