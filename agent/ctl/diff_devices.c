/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Devices on which two policies can differ. A verdict is that of the first rule that matches; so if there is
 * a device about which rule A decides in one policy and rule B in the other, then the device that has what A
 * and B ask for, and nothing else, is another one: no rule matches it that does not match the former. It
 * suffices to ask about that, for every A and B that can match the same device, with "no rule" among them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/ctl/diff.h"
#include "policy/serial_hash.h"

enum {
        BUSES = DEVICE_BUS_PLATFORM + 1,
        ANY_BUS = -1
};

/* What some device has; NULL, ANY_BUS: something that no rule names. */
typedef struct Kind {
        const char *vendor, *product, *serial;
        int bus;
        bool built_in; /* on a bus of the terminal, and not to be plugged out */
        bool luks2;
} Kind;

/* Those that were asked about, by hash. */
typedef struct Kinds {
        Kind *slots;
        bool *used;
        size_t n, size;
} Kinds;

typedef struct Devices {
        Diff *diff;
        Kinds seen;
        int other_bus;    /* outside the terminal, and in no rule */
        bool usb_matters; /* a rule or a class keeps USB storage out as such */
} Devices;

static void devices_clear(Devices *devices) {
        free(devices->seen.slots);
        free(devices->seen.used);
}

static uint32_t mix(uint32_t hash, const char *text, bool fold) {
        for (; text && *text; text++)
                hash = (hash ^
                        (unsigned char)(fold && *text >= 'A' && *text <= 'Z' ? *text | 0x20 : *text)) *
                       16777619U;
        return (hash ^ 0x1fU) * 16777619U;
}

static uint32_t kind_hash(const Kind *kind) {
        uint32_t hash = mix(2166136261U, kind->vendor, true);

        hash = mix(mix(hash, kind->product, true), kind->serial, false);
        return (hash ^ (uint32_t)((kind->bus + 1) * 4 + kind->built_in * 2 + kind->luks2)) * 16777619U;
}

static bool same_text(const char *a, const char *b, bool fold) {
        if (!a || !b)
                return a == b;
        return fold ? strcasecmp(a, b) == 0 : strcmp(a, b) == 0;
}

static bool same_kind(const Kind *a, const Kind *b) {
        return a->bus == b->bus && a->built_in == b->built_in && a->luks2 == b->luks2 &&
               same_text(a->vendor, b->vendor, true) && same_text(a->product, b->product, true) &&
               same_text(a->serial, b->serial, false);
}

/* Where KIND is, or would be. */
static size_t slot_of(const Kinds *kinds, const Kind *kind) {
        size_t at = kind_hash(kind) % kinds->size;

        while (kinds->used[at] && !same_kind(&kinds->slots[at], kind))
                at = (at + 1) % kinds->size;
        return at;
}

static int grow(Kinds *kinds) {
        Kinds larger = {.size = kinds->size ? kinds->size * 2 : 256, .n = kinds->n};

        larger.slots = calloc(larger.size, sizeof(*larger.slots));
        larger.used = calloc(larger.size, sizeof(*larger.used));
        if (!larger.slots || !larger.used) {
                free(larger.slots);
                free(larger.used);
                return -ENOMEM;
        }
        for (size_t i = 0; i < kinds->size; i++)
                if (kinds->used[i]) {
                        size_t at = slot_of(&larger, &kinds->slots[i]);

                        larger.slots[at] = kinds->slots[i];
                        larger.used[at] = true;
                }
        free(kinds->slots);
        free(kinds->used);
        *kinds = larger;
        return 0;
}

/* 1 if KIND is new, 0 if it was seen before, -ENOMEM. */
static int see(Kinds *kinds, const Kind *kind) {
        size_t at;

        if (kinds->n * 2 >= kinds->size && grow(kinds) < 0)
                return -ENOMEM;
        at = slot_of(kinds, kind);
        if (kinds->used[at])
                return 0;
        kinds->slots[at] = *kind;
        kinds->used[at] = true;
        kinds->n++;
        return 1;
}

/* asking */

/* The interface only reads identities. */
static DeviceIdentity identity_of(const Devices *devices, const Kind *kind) {
        return (DeviceIdentity){.vendor = (char *)kind->vendor,
                                .product = (char *)kind->product,
                                .serial = (char *)kind->serial,
                                .bus = kind->bus == ANY_BUS ? (DeviceBus)devices->other_bus
                                                            : (DeviceBus)kind->bus,
                                .hotplug = !kind->built_in,
                                .luks2 = kind->luks2};
}

static uint32_t ask_device(const void *userdata, const Policy *policy, const Subject *subject,
                           const PolicyTime *now, const char **ret_rule) {
        const DeviceIdentity *device = userdata;
        SuperblockIdentity id = {.kind = SUPERBLOCK_BLOCK, .device = device};
        OpenDecision open;
        uint32_t monitor;
        Decision interface;

        if (device->bus == DEVICE_BUS_USB) {
                decide_usb_interface(policy, device, USB_CLASS_MASS_STORAGE_, now, &interface);
                if (interface.access == ACCESS_DENY && !interface.monitor) {
                        *ret_rule = interface.rule;
                        return ACCESS_DENY;
                }
        }
        decide_open(policy, &id, subject, true, now, &open);
        *ret_rule = open.rule;
        if (open.verdict == VERDICT_ALLOW)
                return ACCESS_WRITE;
        monitor = open.monitor ? DIFF_MONITOR : 0;
        decide_open(policy, &id, subject, false, now, &open);
        return (open.verdict == VERDICT_ALLOW ? ACCESS_READ_ONLY : ACCESS_DENY) | monitor;
}

static bool same_device_rule(const DeviceRule *a, const DeviceRule *b) {
        return a->access == b->access && a->encrypted == b->encrypted &&
               diff_same_scope(&a->scope, &b->scope) && diff_same_monitor(&a->monitor, &b->monitor);
}

static size_t next_usb_rule(const Policy *policy, const DeviceIdentity *device, size_t from) {
        while (from < policy->n_usb_rules && !device_match_covers(&policy->usb_rules[from].match, device))
                from++;
        return from;
}

static bool same_usb_rules(const Diff *diff, const DeviceIdentity *device) {
        const Policy *a = diff->policies[DIFF_BEFORE], *b = diff->policies[DIFF_AFTER];
        size_t i = 0, j = 0;

        if (device->bus != DEVICE_BUS_USB)
                return true;
        for (;; i++, j++) {
                i = next_usb_rule(a, device, i);
                j = next_usb_rule(b, device, j);
                if (i == a->n_usb_rules || j == b->n_usb_rules)
                        break;
                if (a->usb_rules[i].allow != b->usb_rules[j].allow ||
                    a->usb_rules[i].expires != b->usb_rules[j].expires ||
                    !diff_same_monitor(&a->usb_rules[i].monitor, &b->usb_rules[j].monitor))
                        return false;
        }
        return i == a->n_usb_rules && j == b->n_usb_rules &&
               a->usb_class_named[USB_CLASS_MASS_STORAGE_] == b->usb_class_named[USB_CLASS_MASS_STORAGE_] &&
               a->usb_class_allow[USB_CLASS_MASS_STORAGE_] == b->usb_class_allow[USB_CLASS_MASS_STORAGE_];
}

/* Both policies have the same rules about DEVICE: nothing to ask. */
static bool same_rules(const Diff *diff, const DeviceIdentity *device) {
        const Policy *a = diff->policies[DIFF_BEFORE], *b = diff->policies[DIFF_AFTER];
        size_t i = 0, j = 0;

        for (;; i++, j++) {
                i = policy_next_device_rule(a, device, i);
                j = policy_next_device_rule(b, device, j);
                if (i == a->n_devices || j == b->n_devices)
                        break;
                if (!same_device_rule(&a->devices[i], &b->devices[j]))
                        return false;
        }
        return i == a->n_devices && j == b->n_devices && a->removable_default == b->removable_default &&
               diff_same_monitor(&a->removable_monitor, &b->removable_monitor) &&
               policy_holds_conditions(a) == policy_holds_conditions(b) &&
               a->bus_external[device->bus] == b->bus_external[device->bus] && same_usb_rules(diff, device);
}

static int add_rules(DiffGrid *grid, const Policy *policy, const DeviceIdentity *device,
                     struct json_object *names, bool *encrypted) {
        int r = 0;

        for (size_t i = 0; r == 0 && (i = policy_next_device_rule(policy, device, i)) < policy->n_devices;
             i++) {
                const DeviceRule *rule = &policy->devices[i];

                json_append_text(names, rule->name);
                *encrypted = *encrypted || rule->encrypted;
                r = diff_grid_add_scope(grid, &rule->scope);
        }
        for (size_t i = 0; r == 0 && device->bus == DEVICE_BUS_USB &&
                           (i = next_usb_rule(policy, device, i)) < policy->n_usb_rules;
             i++)
                r = diff_grid_add_moment(grid, policy->usb_rules[i].expires);
        return r;
}

static void put_kind(struct json_object *what, const Kind *kind) {
        json_put_text(what, "vendor", kind->vendor);
        json_put_text(what, "product", kind->product);
        json_put_text(what, "serial", kind->serial);
        json_put_text(what, "bus", kind->bus == ANY_BUS ? NULL : device_bus_to_string((DeviceBus)kind->bus));
        json_put_flag(what, "built_in", kind->built_in);
}

static int compare(Devices *devices, const Kind *kind, DiffGrid *grid, struct json_object *names,
                   bool encrypted) {
        CLEANUP_JSON struct json_object *what = json_object_new_object();
        DeviceIdentity device = identity_of(devices, kind);
        DiffObject object = {.section = "devices",
                             .what = what,
                             .ask = ask_device,
                             .word = diff_access_word,
                             .userdata = &device};

        put_kind(what, kind);
        json_object_object_add(what, "encrypted", encrypted ? json_object_new_boolean(kind->luks2) : NULL);
        json_object_object_add(what, "names", json_object_get(names));
        return diff_compare(devices->diff, grid, &object);
}

static int consider_one(Devices *devices, Kind kind) {
        DeviceIdentity device = identity_of(devices, &kind);
        CLEANUP_DIFF_GRID DiffGrid grid = {0};
        CLEANUP_JSON struct json_object *names = json_object_new_array();
        bool encrypted = false;
        int r = see(&devices->seen, &kind);

        if (r <= 0 || same_rules(devices->diff, &device))
                return r < 0 ? r : 0;
        r = diff_grid_begin(devices->diff, &grid);
        for (int side = 0; r == 0 && side < DIFF_SIDES; side++)
                r = add_rules(&grid, devices->diff->policies[side], &device, names, &encrypted);
        if (r == 0)
                r = compare(devices, &kind, &grid, names, encrypted);
        if (r == 0 && encrypted) {
                kind.luks2 = true;
                r = compare(devices, &kind, &grid, names, encrypted);
        }
        return r;
}

static Kind with_bus(Kind kind, int bus) {
        kind.bus = bus;
        return kind;
}

/* Whether what is built in on BUS counts as external in one policy and not in the other. */
static bool taken_for_external(const Diff *diff, int bus) {
        const DeviceIdentity device = {.bus = (DeviceBus)bus};

        return device_is_external(diff->policies[DIFF_BEFORE], &device) !=
               device_is_external(diff->policies[DIFF_AFTER], &device);
}

/* A device of this kind; where no rule says on which bus, on one that none names, and on USB if that is
 * something of its own. And as one that is built in, where that makes a difference. */
static int consider(Devices *devices, Kind kind) {
        int r = consider_one(devices, kind);

        if (r == 0 && kind.bus == ANY_BUS && devices->usb_matters)
                r = consider_one(devices, with_bus(kind, DEVICE_BUS_USB));
        for (int bus = 0; r == 0 && bus < BUSES; bus++) {
                Kind built_in = with_bus(kind, bus);

                if (!taken_for_external(devices->diff, bus) || (kind.bus != ANY_BUS && kind.bus != bus))
                        continue;
                built_in.built_in = true;
                r = consider_one(devices, built_in);
        }
        return r;
}

/* which there are */

static bool merge_text(const char *wanted, const char **to, bool fold) {
        if (wanted && *to && !same_text(wanted, *to, fold))
                return false;
        *to = wanted ? wanted : *to;
        return true;
}

/* What has what both ask for, if anything can. */
static bool merge(const DeviceMatch *match, Kind *kind) {
        if (match->bus_set && kind->bus != ANY_BUS && kind->bus != (int)match->bus)
                return false;
        if (match->bus_set)
                kind->bus = (int)match->bus;
        return merge_text(match->serial, &kind->serial, false) &&
               merge_text(match->vendor, &kind->vendor, true) &&
               merge_text(match->product, &kind->product, true);
}

/* KIND, and what of it also fits a USB rule of each policy. */
static int consider_with_usb(Devices *devices, const Kind *kind) {
        const Policy *a = devices->diff->policies[DIFF_BEFORE], *b = devices->diff->policies[DIFF_AFTER];
        int r = consider(devices, *kind);

        if (kind->bus != ANY_BUS && kind->bus != DEVICE_BUS_USB)
                return r;
        for (size_t i = 0; r == 0 && i <= a->n_usb_rules; i++)
                for (size_t j = 0; r == 0 && j <= b->n_usb_rules; j++) {
                        Kind both = *kind;

                        both.bus = DEVICE_BUS_USB;
                        if (i + j < a->n_usb_rules + b->n_usb_rules &&
                            (i == a->n_usb_rules || merge(&a->usb_rules[i].match, &both)) &&
                            (j == b->n_usb_rules || merge(&b->usb_rules[j].match, &both)) &&
                            both.bus == DEVICE_BUS_USB)
                                r = consider_one(devices, both);
                }
        return r;
}

/* What KIND and each rule of the policy AFTER ask for together. */
static int consider_with_after(Devices *devices, const Kind *kind) {
        const Policy *after = devices->diff->policies[DIFF_AFTER];
        uint32_t serial = serial_hash(kind->serial);
        int r = consider_with_usb(devices, kind);

        for (size_t i = 0; r == 0 && i < after->n_devices; i++) {
                Kind both = *kind;

                if (serial != 0 && after->device_serials && after->device_serials[i] != 0 &&
                    after->device_serials[i] != serial)
                        continue;
                if (merge(&after->devices[i].match, &both))
                        r = consider_with_usb(devices, &both);
        }
        return r;
}

static bool bus_is_named(const Policy *policy, DeviceBus bus) {
        for (size_t i = 0; i < policy->n_devices; i++)
                if (policy->devices[i].match.bus_set && policy->devices[i].match.bus == bus)
                        return true;
        return false;
}

/* One that no rule names, if there is any. */
static int find_other_bus(const Diff *diff) {
        for (int bus = BUSES - 1; bus >= 0; bus--)
                if (bus != DEVICE_BUS_USB && !bus_is_named(diff->policies[DIFF_BEFORE], (DeviceBus)bus) &&
                    !bus_is_named(diff->policies[DIFF_AFTER], (DeviceBus)bus))
                        return bus;
        return DEVICE_BUS_UNKNOWN;
}

static bool usb_matters(const Policy *policy) {
        return policy->n_usb_rules > 0 || policy->usb_class_named[USB_CLASS_MASS_STORAGE_];
}

int diff_devices(Diff *diff) {
        const Policy *before = diff->policies[DIFF_BEFORE];
        CLEANUP(devices_clear)
        Devices devices = {.diff = diff,
                           .other_bus = find_other_bus(diff),
                           .usb_matters = usb_matters(before) || usb_matters(diff->policies[DIFF_AFTER])};
        Kind kind = {.bus = ANY_BUS};
        int r = consider_with_after(&devices, &kind);

        for (size_t i = 0; r == 0 && !diff->cut && i < before->n_devices; i++) {
                kind = (Kind){.bus = ANY_BUS};
                if (merge(&before->devices[i].match, &kind))
                        r = consider_with_after(&devices, &kind);
        }
        return r;
}
