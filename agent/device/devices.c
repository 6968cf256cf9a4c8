/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/device/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sysmacros.h>

#include "agent/device/admission.h"
#include "agent/device/hold.h"
#include "agent/device/identity.h"
#include "agent/device/stack.h"
#include "agent/file.h"
#include "agent/note.h"
#include "policy/scope.h"

DEFINE_CLEANUP(struct udev_device, udev_device_unref);
DEFINE_CLEANUP(struct udev_enumerate, udev_enumerate_unref);

enum {
        MONITOR_BUFFER = 8 * 1024 * 1024
};

struct Devices {
        Admission admission; /* what enforcing needs: callbacks, runtime directory, monitor mode */
        struct udev_monitor *monitor;
        sd_event_source *source;
        Device **items;
        size_t n;
};

static void clear_bottom(Device *device) {
        for (size_t i = 0; i < device->n_bottom; i++)
                device_identity_clear(&device->bottom[i]);
        free(device->bottom);
}

static void device_free(Device *device) {
        clear_bottom(device);
        device_identity_clear(&device->id);
        free(device->syspath);
        free(device);
}

static Device *find(const Devices *all, const char *syspath) {
        for (size_t i = 0; i < all->n; i++)
                if (strcmp(all->items[i]->syspath, syspath) == 0)
                        return all->items[i];
        return NULL;
}

static void forget(Devices *all, Device *device) {
        for (size_t i = 0; i < all->n; i++)
                if (all->items[i] == device)
                        all->items[i] = all->items[--all->n];
        all->admission.callbacks.changed(all->admission.callbacks.userdata, device, DEVICE_DETACHED);
        if (device->block)
                (void)note_drop(all->admission.runtime_dir, NOTE_RELEASED, device->id.devnum);
        device_free(device);
}

/* A disk without a medium of its own (a loop device without a file, a mapping without a table) is no device.
 */
static bool is_empty(const DeviceIdentity *id) {
        return (id->bus == DEVICE_BUS_LOOP && !id->serial) || (id->bus == DEVICE_BUS_DM && id->size == 0);
}

/* What it stands on. Where that cannot be told it is one unknown device, which is external. 0 or -ENOMEM. */
static int read_bottom(Devices *all, const DeviceIdentity *id, DeviceIdentity **ret, size_t *ret_n) {
        DeviceIdentity bottom[STACK_MAX];
        size_t n = 0;
        int r = device_stack_below(all->admission.udev, id->devnum, bottom, ELEMENTS(bottom), &n);

        *ret = NULL;
        *ret_n = 0;
        if (r < 0) {
                bottom[0] = (DeviceIdentity){0};
                n = 1;
        } else if (n == 0) /* a plain disk */
                return 0;
        *ret = calloc(n, sizeof(**ret));
        if (!*ret) {
                for (size_t i = 0; i < n; i++)
                        device_identity_clear(&bottom[i]);
                return -ENOMEM;
        }
        memcpy(*ret, bottom, n * sizeof(*bottom));
        *ret_n = n;
        return 0;
}

/* Takes ID over, unless it fails. */
static int add(Devices *all, bool block, DeviceIdentity *id, Device **ret) {
        Device **grown = reallocarray(all->items, all->n + 1, sizeof(void *));
        Device *device = calloc(1, sizeof(*device));

        if (grown)
                all->items = grown;
        if (!grown || !device || !(device->syspath = strdup(id->syspath)) ||
            (block && read_bottom(all, id, &device->bottom, &device->n_bottom) < 0)) {
                if (device)
                        device_free(device);
                return -ENOMEM;
        }
        device->block = block;
        device->id = *id;
        *id = (DeviceIdentity){0};
        all->items[all->n++] = device;
        *ret = device;
        return 0;
}

static bool same_text(const char *a, const char *b) {
        return a == b || (a && b && strcmp(a, b) == 0);
}

/* By the medium's number; a kernel without one (before 5.15) leaves what can be seen. */
static bool same_medium(const DeviceIdentity *a, const DeviceIdentity *b) {
        if (a->diskseq != 0 || b->diskseq != 0)
                return a->diskseq == b->diskseq;
        return a->size == b->size && same_text(a->serial, b->serial) && same_text(a->vendor, b->vendor) &&
               same_text(a->product, b->product);
}

/* What is known of the same medium may grow: udev marks it, a mapping gets another table. Takes ID over,
 * unless it fails. */
static int refresh(Devices *all, Device *device, DeviceIdentity *id) {
        DeviceIdentity *bottom;
        size_t n;
        int r = read_bottom(all, id, &bottom, &n);

        if (r < 0)
                return r;
        clear_bottom(device);
        device_identity_clear(&device->id);
        device->bottom = bottom;
        device->n_bottom = n;
        device->id = *id;
        *id = (DeviceIdentity){0};
        return 0;
}

static bool same_decision(const Decision *a, const Decision *b) {
        return a->access == b->access && a->conditional == b->conditional && a->external == b->external &&
               a->monitor == b->monitor && a->reason == b->reason && same_text(a->rule, b->rule);
}

static bool same_closed(const dev_t *closed, size_t n, const Device *device) {
        return n == device->n_closed && memcmp(closed, device->closed, n * sizeof(*closed)) == 0;
}

static void tell_judged(const Devices *all, const Device *device) {
        if (all->admission.callbacks.judged)
                all->admission.callbacks.judged(all->admission.callbacks.userdata, device);
}

/* Judge and enforce; tells only what is new. */
static int settle(Devices *all, Device *device, bool fresh) {
        Decision before = device->decision;
        int enforcement_before = device->enforcement;
        size_t n_closed = device->n_closed;
        dev_t closed[LUKS2_MAX];
        char rule[256];

        memcpy(closed, device->closed, sizeof(closed));

        if (!fresh && before.rule) { /* it may belong to a policy that is about to go */
                (void)snprintf(rule, sizeof(rule), "%s", before.rule);
                before.rule = rule;
        }
        admission_judge(&all->admission, device);
        tell_judged(all, device);
        device->enforcement = admission_enforce(&all->admission, device, fresh ? NULL : &before);
        tell_judged(all, device);
        if (fresh)
                all->admission.callbacks.changed(all->admission.callbacks.userdata, device, DEVICE_ATTACHED);
        else if (!same_decision(&before, &device->decision) || device->enforcement != enforcement_before)
                all->admission.callbacks.changed(all->admission.callbacks.userdata, device, DEVICE_REJUDGED);
        else if (!same_closed(closed, n_closed, device))
                all->admission.callbacks.changed(all->admission.callbacks.userdata, device, DEVICE_UNLOCKED);
        return device->enforcement;
}

/* A LUKS2 volume was opened or closed: what it lies on is held while it is open. */
static void settle_beneath(Devices *all, const Device *device) {
        for (size_t i = 0; i < device->n_bottom; i++) {
                Device *below = device->bottom[i].luks2 ? find(all, device->bottom[i].syspath) : NULL;

                if (below)
                        (void)settle(all, below, false); /* told, if it failed */
        }
}

static int take_in_block(Devices *all, struct udev_device *dev, Device **ret) {
        CLEANUP(device_identity_clear) DeviceIdentity id = {0};
        Device *known, *device;
        int r = device_identity_read(dev, &id);

        if (ret)
                *ret = NULL;
        if (r < 0)
                return r;
        known = find(all, id.syspath);
        if (known && (is_empty(&id) || !same_medium(&known->id, &id))) {
                forget(all, known);
                known = NULL;
        }
        if (is_empty(&id))
                return 0;
        if (known) { /* a partition came, or something was written: the flag has to be there still */
                r = refresh(all, known, &id);
                if (r < 0)
                        return r;
                r = settle(all, known, false);
                settle_beneath(all, known);
                if (ret)
                        *ret = known;
                return r;
        }
        r = add(all, true, &id, &device);
        if (r < 0)
                return r;
        r = settle(all, device, true);
        settle_beneath(all, device);
        if (ret)
                *ret = device;
        return r;
}

static int take_in_usb(Devices *all, struct udev_device *dev) {
        const char *type = udev_device_get_devtype(dev);
        CLEANUP(device_identity_clear) DeviceIdentity id = {0};
        Device *device;
        int r;

        if (type && strcmp(type, "usb_interface") == 0) {
                dev = udev_device_get_parent_with_subsystem_devtype(dev, "usb", "usb_device");
                if (!dev)
                        return 0;
        }
        if (strncmp(udev_device_get_sysname(dev), "usb", 3) == 0)
                return 0; /* a root hub */
        r = device_identity_read(dev, &id);
        if (r < 0)
                return r;
        if (!id.vendor)
                return -ENODEV; /* it is being unplugged: drivers let go of it, then comes its removal */
        device = find(all, id.syspath);
        if (device &&
            (!same_text(device->id.vendor, id.vendor) || !same_text(device->id.product, id.product) ||
             !same_text(device->id.serial, id.serial) || device->id.n_interfaces != id.n_interfaces ||
             memcmp(device->id.interface_classes, id.interface_classes, sizeof(id.interface_classes)) !=
                     0)) {
                forget(all, device); /* it came back as another one */
                device = NULL;
        }
        if (device)
                return settle(all, device, false);
        r = add(all, false, &id, &device);
        return r < 0 ? r : settle(all, device, true);
}

static int take_in(Devices *all, struct udev_device *dev) {
        const char *subsystem = udev_device_get_subsystem(dev);

        if (!subsystem)
                return 0;
        return strcmp(subsystem, "block") == 0 ? take_in_block(all, dev, NULL) : take_in_usb(all, dev);
}

static void drop(Devices *all, struct udev_device *dev) {
        Device *known = find(all, udev_device_get_syspath(dev));

        if (!known)
                return;
        settle_beneath(all, known);
        forget(all, known);
}

/* After events were lost: what is no longer there. */
static void prune(Devices *all) {
        for (size_t i = all->n; i-- > 0;)
                if (access(all->items[i]->syspath, F_OK) < 0 && errno == ENOENT)
                        forget(all, all->items[i]);
}

/* Everything that sysfs shows, also what udev has not told of yet. */
static int enumerate(Devices *all) {
        CLEANUP(scope_udev_enumerate_unref)
        struct udev_enumerate *list = udev_enumerate_new(all->admission.udev);
        struct udev_list_entry *entry;

        if (!list || udev_enumerate_add_match_subsystem(list, "block") < 0 ||
            udev_enumerate_add_match_subsystem(list, "usb") < 0 || udev_enumerate_scan_devices(list) < 0)
                return -ENOMEM;
        udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(list)) {
                CLEANUP(scope_udev_device_unref)
                struct udev_device *dev =
                        udev_device_new_from_syspath(all->admission.udev, udev_list_entry_get_name(entry));
                const char *type = dev ? udev_device_get_devtype(dev) : NULL;

                /* disks bring their partitions, USB devices their interfaces */
                if (dev && !(type && (strcmp(type, "partition") == 0 || strcmp(type, "usb_interface") == 0)))
                        (void)take_in(all, dev); /* gone again, or told as not enforced */
        }
        return 0;
}

static int on_uevent(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Devices *all = userdata;

        (void)source;
        (void)fd;
        (void)revents;
        for (;;) {
                CLEANUP(scope_udev_device_unref) struct udev_device *dev = NULL;
                const char *action;

                errno = 0;
                dev = udev_monitor_receive_device(all->monitor);
                if (!dev) {
                        if (errno == ENOBUFS) { /* events were lost: look at everything */
                                prune(all);
                                (void)enumerate(all);
                                continue;
                        }
                        return 0;
                }
                action = udev_device_get_action(dev);
                if (action && strcmp(action, "remove") == 0)
                        drop(all, dev);
                else
                        (void)take_in(all, dev);
        }
}

int devices_new(sd_event *event, const char *runtime_dir, bool monitor_only,
                const DevicesCallbacks *callbacks, Devices **ret) {
        Devices *all = calloc(1, sizeof(*all));
        int r = -ENOMEM;

        if (!all)
                return -ENOMEM;
        all->admission = (Admission){.callbacks = *callbacks, .monitor_only = monitor_only};
        all->admission.runtime_dir = strdup(runtime_dir);
        all->admission.udev = udev_new();
        if (all->admission.runtime_dir && all->admission.udev)
                all->monitor = udev_monitor_new_from_netlink(all->admission.udev, "udev");
        if (all->monitor) {
                (void)udev_monitor_set_receive_buffer_size(all->monitor, MONITOR_BUFFER);
                r = udev_monitor_filter_add_match_subsystem_devtype(all->monitor, "block", NULL);
        }
        if (r >= 0)
                r = udev_monitor_filter_add_match_subsystem_devtype(all->monitor, "usb", NULL);
        if (r >= 0)
                r = udev_monitor_enable_receiving(all->monitor);
        if (r >= 0)
                r = sd_event_add_io(event, &all->source, udev_monitor_get_fd(all->monitor), EPOLLIN,
                                    on_uevent, all);
        if (r >= 0)
                r = sd_event_source_set_priority(all->source, SD_EVENT_PRIORITY_IMPORTANT - 10);
        if (r >= 0)
                r = enumerate(all);
        if (r < 0) {
                devices_free(all);
                return r;
        }
        *ret = all;
        return 0;
}

void devices_free(Devices *all) {
        if (!all)
                return;
        sd_event_source_disable_unref(all->source);
        for (size_t i = 0; i < all->n; i++)
                device_free(all->items[i]);
        free(all->items);
        if (all->monitor)
                udev_monitor_unref(all->monitor);
        if (all->admission.udev)
                udev_unref(all->admission.udev);
        free(all->admission.runtime_dir);
        free(all);
}

int devices_rejudge(Devices *all, bool monitor_only) {
        int first_error = 0;

        all->admission.monitor_only = monitor_only;
        for (size_t i = 0; i < all->n; i++) {
                int r = settle(all, all->items[i], false);

                if (r < 0 && first_error == 0)
                        first_error = r;
        }
        return first_error;
}

static uint64_t read_diskseq(const char *syspath) {
        char path[PATH_MAX], text[32];

        if ((size_t)snprintf(path, sizeof(path), "%s/diskseq", syspath) >= sizeof(path) ||
            file_read_small(AT_FDCWD, path, text, sizeof(text)) < 0)
                return 0;
        return strtoull(text, NULL, 10);
}

/* The medium may be another one already, and what a device is stacked on too: only a plain disk with its
 * number unchanged is taken as it was. */
const Device *devices_find_block(Devices *all, dev_t devnum) {
        CLEANUP(scope_udev_device_unref) struct udev_device *dev = NULL;
        char path[PATH_MAX];
        Device *device;
        dev_t disk;

        if (stack_disk(devnum, path, &disk) < 0)
                return NULL;
        device = find(all, path);
        if (device && device->n_bottom == 0 && device->id.diskseq != 0 &&
            read_diskseq(path) == device->id.diskseq)
                return device;
        dev = udev_device_new_from_syspath(all->admission.udev, path);
        if (!dev)
                return NULL;
        (void)take_in_block(all, dev, &device);
        return device;
}

const Device *devices_look_again(Devices *all, dev_t devnum) {
        CLEANUP(scope_udev_device_unref)
        struct udev_device *dev = udev_device_new_from_devnum(all->admission.udev, 'b', devnum);
        Device *device = NULL;

        if (dev)
                (void)take_in_block(all, dev, &device);
        return device;
}

int devices_foreach(Devices *all, int (*f)(void *userdata, const Device *device), void *userdata) {
        for (size_t i = 0; i < all->n; i++) {
                int r = f(userdata, all->items[i]);

                if (r != 0)
                        return r;
        }
        return 0;
}

int devices_hold_conditional(Devices *all) {
        int first_error = 0;

        if (all->admission.monitor_only)
                return 0;
        for (size_t i = 0; i < all->n; i++) {
                const Device *device = all->items[i];
                int r;

                if (!device->block || device->decision.monitor ||
                    (!device->decision.conditional && device->n_closed == 0))
                        continue;
                r = admission_hold(&all->admission, device);
                if (r < 0 && r != -ENODEV && first_error == 0)
                        first_error = r;
        }
        return first_error;
}
