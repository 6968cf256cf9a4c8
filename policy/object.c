/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/object.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/scope.h"

DEFINE_ENUM_STRINGS(DeviceBus, device_bus, DEVICE_BUS_LIST)
DEFINE_ENUM_STRINGS(SuperblockKind, superblock_kind, SUPERBLOCK_KIND_LIST)

static const struct {
        uint8_t code;
        const char *word;
} usb_classes[] = {
#define USB_CLASS_ENTRY_(constant, code, word) {code, word},
        USB_CLASS_LIST(USB_CLASS_ENTRY_)
#undef USB_CLASS_ENTRY_
};

const char *usb_class_to_string(uint8_t class) {
        for (size_t i = 0; i < ELEMENTS(usb_classes); i++)
                if (usb_classes[i].code == class)
                        return usb_classes[i].word;
        return NULL;
}

int usb_class_from_string(const char *word) {
        for (size_t i = 0; i < ELEMENTS(usb_classes); i++)
                if (strcmp(usb_classes[i].word, word) == 0)
                        return usb_classes[i].code;
        return -1;
}

void device_identity_clear(DeviceIdentity *id) {
        free(id->name);
        free(id->syspath);
        free(id->vendor);
        free(id->product);
        free(id->serial);
        free(id->vendor_name);
        free(id->product_name);
        *id = (DeviceIdentity){0};
}

static int copy_text(const char *text, char **ret) {
        if (!text) {
                *ret = NULL;
                return 0;
        }
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}

int device_identity_copy(const DeviceIdentity *id, DeviceIdentity *ret) {
        DeviceIdentity copy = *id;
        int r = 0;

        copy.name = copy.syspath = copy.vendor = copy.product = copy.serial = NULL;
        copy.vendor_name = copy.product_name = NULL;
        if ((r = copy_text(id->name, &copy.name)) < 0 || (r = copy_text(id->syspath, &copy.syspath)) < 0 ||
            (r = copy_text(id->vendor, &copy.vendor)) < 0 ||
            (r = copy_text(id->product, &copy.product)) < 0 ||
            (r = copy_text(id->serial, &copy.serial)) < 0 ||
            (r = copy_text(id->vendor_name, &copy.vendor_name)) < 0 ||
            (r = copy_text(id->product_name, &copy.product_name)) < 0) {
                device_identity_clear(&copy);
                return r;
        }
        *ret = copy;
        return 0;
}

int policy_time_from_wall(time_t now, PolicyTime *ret) {
        struct tm tm;

        tzset(); /* localtime_r need not; POSIX */
        if (!localtime_r(&now, &tm))
                return -EINVAL;
        *ret = (PolicyTime){.weekday = tm.tm_wday, .minute = tm.tm_hour * 60 + tm.tm_min, .expiry_now = now};
        return 0;
}
