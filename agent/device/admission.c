/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/device/admission.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/device/hold.h"
#include "agent/device/usb.h"
#include "agent/note.h"
#include "policy/scope.h"

DEFINE_CLEANUP(struct udev_device, udev_device_unref);
DEFINE_CLEANUP(struct udev_enumerate, udev_enumerate_unref);

static void judge_block(const Admission *admission, Device *device) {
        const DevicesCallbacks *callbacks = &admission->callbacks;

        callbacks->judge(callbacks->userdata, &device->id, &device->decision);
        for (size_t i = 0; i < device->n_bottom; i++) {
                Decision other;

                callbacks->judge(callbacks->userdata, &device->bottom[i], &other);
                if (decision_is_stricter(&other, &device->decision) ||
                    (other.external && !device->decision.external))
                        device->decision = other;
        }
}

/* The decision on a USB device as a whole: let in if any interface is; else as its first interface. One
 * without interfaces is nothing that could be refused. A hub is let in for what hangs on it; its other
 * interfaces, if it has any, are refused one by one. What the device says of itself as a whole
 * (bDeviceClass) counts for nothing: drivers bind to interfaces. */
static void judge_usb(const Admission *admission, Device *device) {
        const DevicesCallbacks *callbacks = &admission->callbacks;

        device->decision = (Decision){.access = ACCESS_WRITE,
                                      .reason = REASON_DEFAULT,
                                      .external = true,
                                      .rule = "usb.default",
                                      .origin = "built-in"};
        for (size_t i = 0; i < device->id.n_interfaces; i++)
                if (device->id.interface_classes[i] == USB_CLASS_HUB_)
                        return;
        for (size_t i = 0; i < device->id.n_interfaces; i++) {
                Decision decision;

                callbacks->judge_interface(callbacks->userdata, &device->id, device->id.interface_classes[i],
                                           &decision);
                if (i == 0 || decision.access != ACCESS_DENY || decision.monitor)
                        device->decision = decision;
                if (decision.access != ACCESS_DENY || decision.monitor)
                        return;
        }
}

void admission_judge(const Admission *admission, Device *device) {
        if (device->block)
                judge_block(admission, device);
        else
                judge_usb(admission, device);
}

int admission_hold(const Admission *admission, const Device *device) {
        int note = note_drop(admission->runtime_dir, NOTE_RELEASED, device->id.devnum);
        int r = hold_set_read_only(admission->udev, device->id.devnum, true);

        return r < 0 ? r : note;
}

static int let_go(const Admission *admission, const Device *device) {
        int r = note_write(admission->runtime_dir, NOTE_RELEASED, device->id.devnum, device->id.diskseq);

        return r < 0 ? r : hold_set_read_only(admission->udev, device->id.devnum, false);
}

/* A rule lets only a LUKS2 volume on it be written to: what waits to be opened is let go, the rest is held.
 */
static int hold_but_closed(const Admission *admission, Device *device) {
        int n = luks2_find_closed(admission->udev, device->syspath, device->closed, LUKS2_MAX), r;

        device->n_closed = n > 0 ? (size_t)n : 0;
        if (device->n_closed == 0)
                return admission_hold(admission, device);
        r = note_write(admission->runtime_dir, NOTE_RELEASED, device->id.devnum, device->id.diskseq);
        return r < 0 ? r
                     : hold_all_but(admission->udev, device->id.devnum, device->closed, device->n_closed);
}

/* Nothing of it is refused. */
static bool is_only_recorded(const Admission *admission, const Decision *decision) {
        return admission->monitor_only || decision->monitor;
}

static int enforce_block(const Admission *admission, Device *device, const Decision *before) {
        bool write =
                device->decision.access == ACCESS_WRITE || is_only_recorded(admission, &device->decision);

        device->n_closed = 0;
        if (!device->decision.external)
                /* one of our own disks is touched only if it was taken for an external one before */
                return before && before->external ? let_go(admission, device) : 0;
        if (!write && device->decision.reason == REASON_NOT_ENCRYPTED)
                return hold_but_closed(admission, device);
        if (!write)
                return admission_hold(admission, device);
        /* let go once, not at every event: what is written closes a descriptor, which makes an event */
        if (before && (before->access == ACCESS_WRITE || before->monitor) &&
            hold_is_read_only(admission->udev, device->id.devnum) == 0)
                return 0;
        return let_go(admission, device);
}

static int enforce_interface(const Admission *admission, const Device *device,
                             struct udev_device *interface) {
        const DevicesCallbacks *callbacks = &admission->callbacks;
        const char *text = udev_device_get_sysattr_value(interface, "bInterfaceClass");
        uint8_t class = text ? (uint8_t)strtoul(text, NULL, 16) : USB_CLASS_VENDOR_;
        Decision decision;
        bool let_in;
        int r;

        if (class == USB_CLASS_HUB_)
                return 0; /* what hangs on it is judged by itself */
        callbacks->judge_interface(callbacks->userdata, &device->id, class, &decision);
        let_in = decision.access != ACCESS_DENY || is_only_recorded(admission, &decision);
        r = usb_authorize(interface, let_in);
        if (r == 1 && let_in)
                (void)usb_probe(interface); /* no driver wants it: nothing is lost */
        if (r == -ENODEV)
                return 0;
        if (r != 0)
                callbacks->interface_changed(callbacks->userdata, &device->id,
                                             udev_device_get_sysname(interface), class, &decision,
                                             r < 0 ? r : 0);
        return r < 0 ? r : 0;
}

static int enforce_usb(const Admission *admission, const Device *device) {
        CLEANUP(scope_udev_device_unref)
        struct udev_device *dev = udev_device_new_from_syspath(admission->udev, device->syspath);
        CLEANUP(scope_udev_enumerate_unref)
        struct udev_enumerate *list = udev_enumerate_new(admission->udev);
        struct udev_list_entry *entry;
        bool let_in =
                device->decision.access != ACCESS_DENY || is_only_recorded(admission, &device->decision);
        int r, first_error = 0;

        if (!dev)
                return 0; /* gone again */
        r = usb_authorize(dev, let_in);
        if (r < 0)
                return r == -ENODEV ? 0 : r;
        if (!let_in)
                return 0;
        /* an interface that appears by this comes with an event of its own */
        if (!list || udev_enumerate_add_match_parent(list, dev) < 0 ||
            udev_enumerate_add_match_subsystem(list, "usb") < 0 || udev_enumerate_scan_devices(list) < 0)
                return -ENOMEM;
        udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(list)) {
                CLEANUP(scope_udev_device_unref)
                struct udev_device *child =
                        udev_device_new_from_syspath(admission->udev, udev_list_entry_get_name(entry));
                const char *type = child ? udev_device_get_devtype(child) : NULL;
                struct udev_device *parent;

                if (!type || strcmp(type, "usb_interface") != 0)
                        continue;
                parent = udev_device_get_parent_with_subsystem_devtype(child, "usb", "usb_device");
                if (!parent || strcmp(udev_device_get_syspath(parent), device->syspath) != 0)
                        continue; /* of a device further down */
                r = enforce_interface(admission, device, child);
                if (r < 0 && first_error == 0)
                        first_error = r;
        }
        return first_error;
}

int admission_enforce(const Admission *admission, Device *device, const Decision *before) {
        return device->block ? enforce_block(admission, device, before) : enforce_usb(admission, device);
}
