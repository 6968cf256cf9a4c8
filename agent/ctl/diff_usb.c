/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interfaces of USB devices, but for storage, which goes by the devices' own verdicts. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "agent/ctl/diff.h"

enum {
        CLASSES = 256,
        CLASS_TEXT_MAX = 8
};

/* A device that has what a rule of each policy asks for, and one of its interfaces. */
typedef struct Interface {
        DeviceIdentity device;
        uint8_t class;
} Interface;

static uint32_t ask_interface(const void *userdata, const Policy *policy, const Subject *subject,
                              const PolicyTime *now, const char **ret_rule) {
        const Interface *interface = userdata;
        Decision decision;

        (void)subject;
        decide_usb_interface(policy, &interface->device, interface->class, now, &decision);
        *ret_rule = decision.rule;
        if (decision.access != ACCESS_DENY)
                return VERDICT_ALLOW;
        return VERDICT_DENY | (decision.monitor ? DIFF_MONITOR : 0);
}

static struct json_object *describe(const Interface *interface, bool named) {
        struct json_object *what = json_object_new_object();
        const char *word = usb_class_to_string(interface->class);
        char code[CLASS_TEXT_MAX];

        snprintf(code, sizeof(code), "%02x", interface->class);
        json_put_text(what, "class", named ? (word ? word : code) : NULL);
        json_put_text(what, "vendor", interface->device.vendor);
        json_put_text(what, "product", interface->device.product);
        json_put_text(what, "serial", interface->device.serial);
        return what;
}

static int consider_class(Diff *diff, const DiffGrid *grid, const Interface *interface, bool named) {
        CLEANUP_JSON struct json_object *what = describe(interface, named);
        const DiffObject object = {.section = "usb",
                                   .what = what,
                                   .ask = ask_interface,
                                   .word = diff_verdict_word,
                                   .userdata = interface};

        return diff_compare(diff, grid, &object);
}

static bool is_named(const Diff *diff, int class) {
        return usb_class_to_string((uint8_t) class) || diff->policies[DIFF_BEFORE]->usb_class_named[class] ||
               diff->policies[DIFF_AFTER]->usb_class_named[class];
}

/* Each class that has a name, and one of those that have none. */
static int consider(Diff *diff, const DiffGrid *grid, Interface *interface) {
        bool other = false;
        int r = 0;

        for (int class = 0; r == 0 && class < CLASSES; class ++) {
                bool named = is_named(diff, class);

                if (class == USB_CLASS_MASS_STORAGE_ || (!named && other))
                        continue;
                other = other || !named;
                interface->class = (uint8_t) class;
                r = consider_class(diff, grid, interface, named);
        }
        return r;
}

static bool merge_text(const char *wanted, char **to, bool fold) {
        if (wanted && *to && (fold ? strcasecmp(wanted, *to) : strcmp(wanted, *to)) != 0)
                return false;
        if (wanted)
                *to = (char *)wanted;
        return true;
}

/* A rule that names another bus never matches a USB device. */
static bool merge(const UsbRule *rule, DeviceIdentity *device) {
        return (!rule->match.bus_set || rule->match.bus == DEVICE_BUS_USB) &&
               merge_text(rule->match.vendor, &device->vendor, true) &&
               merge_text(rule->match.product, &device->product, true) &&
               merge_text(rule->match.serial, &device->serial, false);
}

static int add_moments(DiffGrid *grid, const Policy *policy, const DeviceIdentity *device) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < policy->n_usb_rules; i++)
                if (device_match_covers(&policy->usb_rules[i].match, device))
                        r = diff_grid_add_moment(grid, policy->usb_rules[i].expires);
        return r;
}

/* As diff_devices.c has it: what the rules A and B ask for together; NULL: no rule. */
static int consider_both(Diff *diff, const UsbRule *a, const UsbRule *b) {
        Interface interface = {.device = {.bus = DEVICE_BUS_USB, .hotplug = true}};
        CLEANUP_DIFF_GRID DiffGrid grid = {0};
        int r;

        if ((a && !merge(a, &interface.device)) || (b && !merge(b, &interface.device)))
                return 0;
        r = diff_grid_begin(diff, &grid);
        for (int side = 0; r == 0 && side < DIFF_SIDES; side++)
                r = add_moments(&grid, diff->policies[side], &interface.device);
        return r < 0 ? r : consider(diff, &grid, &interface);
}

int diff_usb(Diff *diff) {
        const Policy *before = diff->policies[DIFF_BEFORE], *after = diff->policies[DIFF_AFTER];
        int r = 0;

        for (size_t i = 0; i <= before->n_usb_rules; i++)
                for (size_t j = 0; r == 0 && !diff->cut && j <= after->n_usb_rules; j++)
                        r = consider_both(diff, i < before->n_usb_rules ? &before->usb_rules[i] : NULL,
                                          j < after->n_usb_rules ? &after->usb_rules[j] : NULL);
        return r;
}
