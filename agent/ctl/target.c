/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/target.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"
#include "agent/device/identity.h"
#include "agent/device/stack.h"
#include "agent/mount/beneath.h"
#include "agent/mount/classify.h"
#include "agent/mount/mountinfo.h"
#include "policy/scope.h"

DEFINE_CLEANUP(struct udev, udev_unref);
DEFINE_CLEANUP(struct udev_device, udev_device_unref);

void target_clear(Target *target) {
        device_identity_clear(&target->device);
        for (size_t i = 0; i < target->n_bottom; i++)
                device_identity_clear(&target->bottom[i]);
        free(target->bottom);
        free(target->fstype);
        free(target->source);
        free(target->mount);
        free(target->path);
        *target = (Target){0};
}

static void hand_over(Target *from, Target *to) {
        *to = *from;
        *from = (Target){0};
}

/* devices that are plugged in */

static int read_bottom(struct udev *udev, Target *target) {
        size_t n = 0;
        int r;

        target->bottom = calloc(STACK_MAX, sizeof(*target->bottom));
        if (!target->bottom)
                return -ENOMEM;
        r = device_stack_bottom(udev, target->device.devnum, target->bottom, STACK_MAX, &n);
        if (r == 0)
                target->n_bottom = n;
        return r;
}

/* The disk with that number, and what it stands on. 0 or -errno. */
static int read_disk(struct udev *udev, dev_t devnum, Target *target) {
        int r = device_identity_from_devnum(udev, devnum, &target->device);

        if (r < 0)
                return r;
        target->has_device = target->block = true;
        return read_bottom(udev, target);
}

static int read_device(struct udev *udev, struct udev_device *dev, Target *target) {
        const char *subsystem = udev_device_get_subsystem(dev);
        int r;

        if (subsystem && strcmp(subsystem, "block") == 0)
                return read_disk(udev, udev_device_get_devnum(dev), target);
        r = device_identity_read(dev, &target->device);
        target->has_device = r == 0;
        return r;
}

static int read_from_path(const char *path, Target *target) {
        CLEANUP(scope_udev_unref) struct udev *udev = udev_new();
        CLEANUP(scope_udev_device_unref) struct udev_device *dev = NULL;
        CLEANUP_FREE char *real = NULL;
        struct stat st;

        if (!udev)
                return -ENOMEM;
        if (stat(path, &st) < 0)
                return -errno;
        if (S_ISBLK(st.st_mode))
                return read_disk(udev, st.st_rdev, target);
        if (S_ISCHR(st.st_mode))
                dev = udev_device_new_from_devnum(udev, 'c', st.st_rdev);
        else if (S_ISDIR(st.st_mode)) {
                real = realpath(path, NULL);
                if (real && strncmp(real, "/sys/", 5) == 0)
                        dev = udev_device_new_from_syspath(udev, real);
        }
        return dev ? read_device(udev, dev, target) : -EINVAL;
}

int target_from_device(const char *path, Target *ret) {
        CLEANUP_TARGET Target target = {0};
        int r = read_from_path(path, &target);

        if (r == -EINVAL)
                return fail(_("%s is no disk or USB device: neither its node nor its directory in /sys"),
                            path);
        if (r < 0)
                return fail("%s: %s", path, strerror(-r));
        hand_over(&target, ret);
        return 0;
}

/* devices that are described */

bool target_is_described(const Options *options) {
        return options->value[OPTION_BUS] || options->value[OPTION_VENDOR] ||
               options->value[OPTION_PRODUCT] || options->value[OPTION_SERIAL];
}

/* An attribute is NULL where it is absent, never "". */
static bool take(const char *value, char **to) {
        *to = value && *value ? strdup(value) : NULL;
        return *to || !value || !*value;
}

int target_from_options(const Options *options, Target *ret) {
        const char *bus = options->value[OPTION_BUS] ? options->value[OPTION_BUS] : "usb";
        CLEANUP_TARGET Target target = {.has_device = true, .block = true};
        DeviceIdentity *id = &target.device;
        int value = device_bus_from_string(bus);

        if (value < 0)
                return fail(_("--bus '%s': there is no such bus; expected usb, mmc, thunderbolt, ..."), bus);
        id->bus = (DeviceBus)value;
        id->hotplug = id->bus == DEVICE_BUS_USB || id->bus == DEVICE_BUS_MMC ||
                      id->bus == DEVICE_BUS_THUNDERBOLT || id->bus == DEVICE_BUS_FIREWIRE;
        id->marked_external = options->value[OPTION_EXTERNAL];
        if (!take(options->value[OPTION_VENDOR], &id->vendor) ||
            !take(options->value[OPTION_PRODUCT], &id->product) ||
            !take(options->value[OPTION_SERIAL], &id->serial))
                return fail(_("out of memory"));
        hand_over(&target, ret);
        return 0;
}

int target_from_filesystem(const Options *options, Target *ret) {
        const char *fstype = options->value[OPTION_FSTYPE];
        CLEANUP_TARGET Target target = {0};

        if (target_is_described(options) && target_from_options(options, &target) != 0)
                return 2;
        /* any number that a disk could have, or one that none has */
        target.kind = superblock_classify(fstype, target.has_device ? makedev(8, 0) : makedev(0, 1));
        if (!take(fstype, &target.fstype) || !take(options->value[OPTION_SOURCE], &target.source))
                return fail(_("out of memory"));
        hand_over(&target, ret);
        return 0;
}

/* file systems that are mounted */

/* The mount of PATH, or of its directory where PATH is not there. 0 or -errno. */
static int mount_of(const char *path, uint64_t *ret_id, mode_t *ret_mode, dev_t *ret_rdev) {
        CLEANUP_FREE char *copy = strdup(path);
        struct statx st;

        if (!copy)
                return -ENOMEM;
        if (statx(AT_FDCWD, path, 0, STATX_TYPE | STATX_MNT_ID, &st) < 0) {
                if (errno != ENOENT)
                        return -errno;
                if (statx(AT_FDCWD, dirname(copy), 0, STATX_TYPE | STATX_MNT_ID, &st) < 0)
                        return -errno;
        }
        if (!(st.stx_mask & STATX_MNT_ID))
                return -EOPNOTSUPP;
        *ret_id = st.stx_mnt_id;
        *ret_mode = st.stx_mode;
        *ret_rdev = makedev(st.stx_rdev_major, st.stx_rdev_minor);
        return 0;
}

static const MountEntry *find_mount(const MountTable *table, uint64_t id) {
        for (size_t i = 0; i < table->n; i++)
                if ((uint64_t)table->entries[i].id == id)
                        return &table->entries[i];
        return NULL;
}

static int read_mount(uint64_t id, Target *target) {
        CLEANUP(scope_udev_unref) struct udev *udev = udev_new();
        CLEANUP(mount_table_clear) MountTable table = {0};
        const MountEntry *entry;
        dev_t devnum;
        int r = udev ? mountinfo_read(NULL, &table) : -ENOMEM;

        if (r < 0)
                return r;
        entry = find_mount(&table, id);
        if (!entry)
                return -ENOENT;
        target->kind = mount_beneath(&table, entry, &devnum);
        if (!take(entry->fstype, &target->fstype) || !take(entry->source, &target->source) ||
            !take(entry->point, &target->mount))
                return -ENOMEM;
        if (devnum == 0)
                return 0;
        r = read_disk(udev, devnum, target);
        return r == -ENODEV ? 0 : r; /* a device that sysfs does not know is unapproved */
}

static int read_disk_of_node(dev_t devnum, Target *target) {
        CLEANUP(scope_udev_unref) struct udev *udev = udev_new();

        target->raw = true;
        target->kind = SUPERBLOCK_BLOCK;
        return udev ? read_disk(udev, devnum, target) : -ENOMEM;
}

int target_from_path(const char *path, Target *ret) {
        CLEANUP_TARGET Target target = {0};
        uint64_t id = 0;
        mode_t mode = 0;
        dev_t rdev = 0;
        int r = mount_of(path, &id, &mode, &rdev);

        if (r == 0)
                r = S_ISBLK(mode) ? read_disk_of_node(rdev, &target) : read_mount(id, &target);
        if (r == 0 && !take(path, &target.path))
                r = -ENOMEM;
        if (r < 0)
                return fail("%s: %s", path, strerror(-r));
        hand_over(&target, ret);
        return 0;
}

/* words and verdicts */

char *target_device_name(const DeviceIdentity *device) {
        const char *bus = device_bus_to_string(device->bus);
        char *text = NULL;
        size_t size = 0;
        FILE *to = open_memstream(&text, &size);

        if (!to)
                return NULL;
        fprintf(to, "%s (%s", device->name ? device->name : _("device"), bus ? bus : "?");
        if (device->vendor || device->product)
                fprintf(to, " %s:%s", device->vendor ? device->vendor : "-",
                        device->product ? device->product : "-");
        if (device->serial)
                fprintf(to, _(", serial %s"), device->serial);
        fputc(')', to);
        if (fclose(to) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

void target_decide_device(const Policy *policy, const Target *target, const PolicyTime *now, Decision *ret) {
        decide_device(policy, &target->device, now, ret);
        for (size_t i = 0; i < target->n_bottom; i++) {
                Decision other;

                decide_device(policy, &target->bottom[i], now, &other);
                if (decision_is_stricter(&other, ret) || (other.external && !ret->external))
                        *ret = other;
        }
}

void target_decide_open(const Policy *policy, const Target *target, const Subject *subject, bool for_writing,
                        const PolicyTime *now, OpenDecision *ret, Decision *ret_decision) {
        SuperblockIdentity id = {.kind = target->kind,
                                 .fstype = target->fstype,
                                 .source = target->source,
                                 .device = target->has_device ? &target->device : NULL};
        const DeviceIdentity *strictest = id.device;

        decide_superblock(policy, &id, now, ret_decision);
        for (size_t i = 0; i < target->n_bottom; i++) {
                Decision other;

                id.device = &target->bottom[i];
                decide_superblock(policy, &id, now, &other);
                if (decision_is_stricter(&other, ret_decision)) {
                        *ret_decision = other;
                        strictest = id.device;
                }
        }
        id.device = strictest;
        decide_open(policy, &id, subject, for_writing, now, ret);
        if (target->raw && !for_writing)
                ret->verdict = VERDICT_ALLOW; /* the guard never keeps a disk's node from being read */
}
