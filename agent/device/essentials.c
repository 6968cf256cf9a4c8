/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/device/essentials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/device/identity.h"
#include "policy/scope.h"

DEFINE_CLEANUP(struct udev_device, udev_device_unref);
DEFINE_CLEANUP(struct udev_enumerate, udev_enumerate_unref);

typedef struct Search {
        struct udev *udev;
        Essential *found;
        char *places[ESSENTIALS_MAX]; /* syspaths of the interfaces found, so that none counts twice */
        size_t n, max;
} Search;

static void search_clear(Search *search) {
        for (size_t i = 0; i < ESSENTIALS_MAX; i++)
                free(search->places[i]);
        essentials_clear(search->found, search->n);
}

void essentials_clear(Essential *items, size_t n) {
        for (size_t i = 0; i < n; i++)
                device_identity_clear(&items[i].id);
}

static int hexadecimal(struct udev_device *dev, const char *name) {
        const char *text = udev_device_get_sysattr_value(dev, name);

        return text ? (int)strtoul(text, NULL, 16) : -1;
}

/* Takes ID over, unless it fails or is not needed. */
static int add(Search *search, const char *place, const Essential *item, DeviceIdentity *id) {
        for (size_t i = 0; i < search->n; i++)
                if (strcmp(search->places[i], place) == 0 && search->found[i].kind == item->kind)
                        return 0;
        if (search->n >= search->max || search->n >= ESSENTIALS_MAX)
                return 0;
        search->places[search->n] = strdup(place);
        if (!search->places[search->n])
                return -ENOMEM;
        search->found[search->n] = *item;
        search->found[search->n++].id = *id;
        *id = (DeviceIdentity){0};
        return 0;
}

static int add_interface(Search *search, struct udev_device *interface, EssentialKind kind) {
        struct udev_device *usb =
                udev_device_get_parent_with_subsystem_devtype(interface, "usb", "usb_device");
        int class = hexadecimal(interface, "bInterfaceClass"), r;
        CLEANUP(device_identity_clear) DeviceIdentity id = {0};
        Essential item = {
                .kind = kind, .usb = true, .class = class < 0 ? USB_CLASS_VENDOR_ : (uint8_t) class};

        if (!usb)
                return 0;
        r = device_identity_read(usb, &id);
        if (r < 0)
                return r == -ENODEV ? 0 : r;
        return add(search, udev_device_get_syspath(interface), &item, &id);
}

static int take_usb(Search *search, struct udev_device *dev) {
        const char *type = udev_device_get_devtype(dev);
        int class;

        if (!type || strcmp(type, "usb_interface") != 0)
                return 0;
        class = hexadecimal(dev, "bInterfaceClass");
        if (class == USB_CLASS_SMART_CARD_)
                return add_interface(search, dev, ESSENTIAL_CARD_READER);
        if (class == USB_CLASS_HID_ && hexadecimal(dev, "bInterfaceSubClass") == 1 &&
            hexadecimal(dev, "bInterfaceProtocol") == 1)
                return add_interface(search, dev, ESSENTIAL_KEYBOARD);
        return 0;
}

static int take_input(Search *search, struct udev_device *dev) {
        const char *keyboard = udev_device_get_property_value(dev, "ID_INPUT_KEYBOARD");
        CLEANUP(device_identity_clear) DeviceIdentity id = {0};
        Essential item = {.kind = ESSENTIAL_KEYBOARD};
        struct udev_device *interface;

        if (!keyboard || strcmp(keyboard, "1") != 0 ||
            strncmp(udev_device_get_syspath(dev), "/sys/devices/virtual/", 21) == 0)
                return 0;
        interface = udev_device_get_parent_with_subsystem_devtype(dev, "usb", "usb_interface");
        if (interface)
                return add_interface(search, interface, ESSENTIAL_KEYBOARD);
        id.name = strdup(udev_device_get_sysname(dev));
        return id.name ? add(search, udev_device_get_syspath(dev), &item, &id) : -ENOMEM;
}

static int enumerate(Search *search, const char *subsystem,
                     int (*take)(Search *search, struct udev_device *dev)) {
        CLEANUP(scope_udev_enumerate_unref) struct udev_enumerate *list = udev_enumerate_new(search->udev);
        struct udev_list_entry *entry;

        if (!list || udev_enumerate_add_match_subsystem(list, subsystem) < 0 ||
            udev_enumerate_scan_devices(list) < 0)
                return -ENOMEM;
        udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(list)) {
                CLEANUP(scope_udev_device_unref)
                struct udev_device *dev =
                        udev_device_new_from_syspath(search->udev, udev_list_entry_get_name(entry));
                int r = dev ? take(search, dev) : 0; /* gone again */

                if (r < 0)
                        return r;
        }
        return 0;
}

int essentials_find(struct udev *udev, Essential *ret, size_t max, size_t *ret_n) {
        CLEANUP(search_clear) Search search = {.udev = udev, .found = ret, .max = max};
        int r = enumerate(&search, "usb", take_usb);

        if (r == 0)
                r = enumerate(&search, "input", take_input);
        if (r < 0)
                return r;
        *ret_n = search.n;
        search.n = 0; /* the caller's now */
        return 0;
}
