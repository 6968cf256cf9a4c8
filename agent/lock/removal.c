/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lock/removal.h"

#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "policy/scope.h"

enum {
        EVENTS_AT_ONCE = 64
};

struct Removal {
        RemovalCallbacks callbacks;
        struct udev *udev;
        struct udev_monitor *monitor;
        sd_event_source *source;
};

/* "11/0/0": class, subclass, protocol (drivers/usb/core/driver.c, usb_uevent). */
static bool is_reader(struct udev_device *device) {
        const char *interface = udev_device_get_property_value(device, "INTERFACE");

        return interface && strncmp(interface, "11/", 3) == 0;
}

static int on_event(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Removal *removal = userdata;

        (void)source;
        (void)fd;
        (void)revents;
        for (int i = 0; i < EVENTS_AT_ONCE; i++) {
                struct udev_device *device;
                const char *action;

                errno = 0;
                device = udev_monitor_receive_device(removal->monitor);
                if (!device) {
                        if (errno == ENOBUFS)
                                removal->callbacks.removed(removal->callbacks.userdata, NULL, false);
                        break;
                }
                action = udev_device_get_action(device);
                if (action && strcmp(action, "remove") == 0)
                        removal->callbacks.removed(removal->callbacks.userdata,
                                                   udev_device_get_syspath(device), is_reader(device));
                udev_device_unref(device);
        }
        return 0;
}

int removal_new(sd_event *event, int priority, const RemovalCallbacks *callbacks, Removal **ret) {
        Removal *removal = calloc(1, sizeof(*removal));
        int r;

        if (!removal)
                return -ENOMEM;
        removal->callbacks = *callbacks;
        removal->udev = udev_new();
        removal->monitor = removal->udev ? udev_monitor_new_from_netlink(removal->udev, "kernel") : NULL;
        r = removal->monitor ? udev_monitor_enable_receiving(removal->monitor) : -ENOMEM;
        if (r >= 0)
                r = sd_event_add_io(event, &removal->source, udev_monitor_get_fd(removal->monitor), EPOLLIN,
                                    on_event, removal);
        if (r >= 0)
                r = sd_event_source_set_priority(removal->source, priority);
        if (r < 0) {
                removal_free(removal);
                return r;
        }
        *ret = removal;
        return 0;
}

Removal *removal_free(Removal *removal) {
        if (!removal)
                return NULL;
        sd_event_source_disable_unref(removal->source);
        if (removal->monitor)
                udev_monitor_unref(removal->monitor);
        if (removal->udev)
                udev_unref(removal->udev);
        free(removal);
        return NULL;
}
