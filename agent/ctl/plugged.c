/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/plugged.h"

#include <errno.h>
#include <libudev.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/target.h"
#include "agent/ctl/text.h"
#include "agent/device/identity.h"
#include "policy/scope.h"

DEFINE_CLEANUP(struct udev, udev_unref);
DEFINE_CLEANUP(struct udev_device, udev_device_unref);
DEFINE_CLEANUP(struct udev_enumerate, udev_enumerate_unref);

enum {
        PLUGGED_MAX = 64
};

typedef struct Plugged {
        DeviceIdentity items[PLUGGED_MAX];
        size_t n;
} Plugged;

static void plugged_clear(Plugged *plugged) {
        for (size_t i = 0; i < plugged->n; i++)
                device_identity_clear(&plugged->items[i]);
}

static bool has_storage(const DeviceIdentity *usb) {
        for (size_t i = 0; i < usb->n_interfaces; i++)
                if (usb->interface_classes[i] == USB_CLASS_MASS_STORAGE_)
                        return true;
        return false;
}

/* Whether it is a medium that can be approved by itself; a reader without a card is not. */
static bool is_medium(const DeviceIdentity *disk) {
        return disk->size > 0 && disk->bus != DEVICE_BUS_DM && disk->bus != DEVICE_BUS_MD &&
               !(disk->bus == DEVICE_BUS_LOOP && !disk->serial) && device_is_external(NULL, disk);
}

/* A node or a directory in /sys; of a USB device with storage as well. */
static int take_named(const char *path, DeviceIdentity *ret) {
        CLEANUP_TARGET Target target = {0};

        if (target_from_device(path, &target) != 0)
                return EXIT_TROUBLE;
        if (!target.block && !has_storage(&target.device))
                return fail(_("%s is no medium: there is no storage in it"), path);
        if (target.block && (target.device.bus == DEVICE_BUS_DM || target.device.bus == DEVICE_BUS_MD))
                return fail(_("%s stands on another device: that is the one to register"), path);
        *ret = target.device;
        target.device = (DeviceIdentity){0};
        return 0;
}

static int enumerate(struct udev *udev, Plugged *ret) {
        CLEANUP(scope_udev_enumerate_unref) struct udev_enumerate *list = udev_enumerate_new(udev);
        struct udev_list_entry *entry;

        if (!list || udev_enumerate_add_match_subsystem(list, "block") < 0 ||
            udev_enumerate_scan_devices(list) < 0)
                return -ENOMEM;
        udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(list)) {
                CLEANUP(scope_udev_device_unref)
                struct udev_device *dev =
                        udev_device_new_from_syspath(udev, udev_list_entry_get_name(entry));
                CLEANUP(device_identity_clear) DeviceIdentity id = {0};
                const char *type = dev ? udev_device_get_devtype(dev) : NULL;

                if (!type || strcmp(type, "disk") != 0 || ret->n >= PLUGGED_MAX ||
                    device_identity_read(dev, &id) < 0 || !is_medium(&id))
                        continue;
                ret->items[ret->n++] = id;
                id = (DeviceIdentity){0};
        }
        return 0;
}

static int fail_several(const Plugged *plugged) {
        (void)fail(_("several external devices are plugged in; say which with --device:"));
        for (size_t i = 0; i < plugged->n; i++) {
                CLEANUP_FREE char *name = target_device_name(&plugged->items[i]);

                fputs("  /dev/", stderr);
                text_print(name ? name : plugged->items[i].name, stderr);
                fputc('\n', stderr);
        }
        return EXIT_TROUBLE;
}

int plugged_find(const Options *options, DeviceIdentity *ret) {
        CLEANUP(scope_udev_unref) struct udev *udev = NULL;
        CLEANUP(plugged_clear) Plugged plugged = {.n = 0};

        if (options->value[OPTION_DEVICE])
                return take_named(options->value[OPTION_DEVICE], ret);
        udev = udev_new();
        if (!udev || enumerate(udev, &plugged) < 0)
                return fail(_("out of memory"));
        if (plugged.n == 0)
                return fail(_("no external device is plugged in; plug in the one to register"));
        if (plugged.n > 1)
                return fail_several(&plugged);
        *ret = plugged.items[0];
        plugged.items[0] = (DeviceIdentity){0};
        return 0;
}
