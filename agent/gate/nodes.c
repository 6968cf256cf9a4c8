/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/nodes.h"

#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "policy/scope.h"

DEFINE_CLEANUP(struct udev_device, udev_device_unref);
DEFINE_CLEANUP(struct udev_enumerate, udev_enumerate_unref);

typedef struct Disk {
        dev_t devnum;
        Gate *gate;
} Disk;

struct Nodes {
        Report *report;
        struct udev *udev;
        struct udev_monitor *monitor;
        sd_event_source *source;
        Disk *disks;
        size_t n;
};

static Disk *find(const Nodes *nodes, dev_t disk) {
        for (size_t i = 0; i < nodes->n; i++)
                if (nodes->disks[i].devnum == disk)
                        return &nodes->disks[i];
        return NULL;
}

static int mark_device(Gate *gate, struct udev_device *device) {
        const char *node = udev_device_get_devnode(device);
        int r = node ? gate_mark_node(gate, node) : 0;

        return r == -ENOENT ? 0 : r; /* gone again */
}

static int mark_all(Nodes *nodes, Gate *gate, const char *syspath) {
        CLEANUP(scope_udev_device_unref)
        struct udev_device *disk = udev_device_new_from_syspath(nodes->udev, syspath);
        CLEANUP(scope_udev_enumerate_unref) struct udev_enumerate *list = udev_enumerate_new(nodes->udev);
        struct udev_list_entry *entry;
        int first_error;

        if (!disk)
                return -ENODEV;
        if (!list || udev_enumerate_add_match_subsystem(list, "block") < 0 ||
            udev_enumerate_add_match_parent(list, disk) < 0 || udev_enumerate_scan_devices(list) < 0)
                return -ENOMEM;
        first_error = mark_device(gate, disk);
        udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(list)) {
                CLEANUP(scope_udev_device_unref)
                struct udev_device *device =
                        udev_device_new_from_syspath(nodes->udev, udev_list_entry_get_name(entry));
                int r = device ? mark_device(gate, device) : 0;

                if (r < 0 && first_error == 0)
                        first_error = r;
        }
        return first_error;
}

static int on_uevent(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Nodes *nodes = userdata;
        CLEANUP(scope_udev_device_unref) struct udev_device *device = NULL;
        struct udev_device *parent;
        Disk *disk;

        (void)source;
        (void)fd;
        (void)revents;
        device = udev_monitor_receive_device(nodes->monitor);
        if (!device)
                return 0;
        parent = udev_device_get_parent_with_subsystem_devtype(device, "block", "disk");
        disk = parent ? find(nodes, udev_device_get_devnum(parent)) : NULL;
        if (disk)
                (void)mark_device(disk->gate, device); /* the disk's read-only flag holds underneath */
        return 0;
}

int nodes_new(sd_event *event, Report *report, Nodes **ret) {
        Nodes *nodes = calloc(1, sizeof(*nodes));
        int r = -ENOMEM;

        if (!nodes)
                return -ENOMEM;
        nodes->report = report;
        nodes->udev = udev_new();
        if (nodes->udev)
                nodes->monitor = udev_monitor_new_from_netlink(nodes->udev, "udev");
        if (nodes->monitor)
                r = udev_monitor_filter_add_match_subsystem_devtype(nodes->monitor, "block", "partition");
        if (r >= 0)
                r = udev_monitor_enable_receiving(nodes->monitor);
        if (r >= 0)
                r = sd_event_add_io(event, &nodes->source, udev_monitor_get_fd(nodes->monitor), EPOLLIN,
                                    on_uevent, nodes);
        if (r < 0) {
                nodes_free(nodes);
                return r;
        }
        *ret = nodes;
        return 0;
}

Nodes *nodes_free(Nodes *nodes) {
        if (!nodes)
                return NULL;
        sd_event_source_disable_unref(nodes->source);
        for (size_t i = 0; i < nodes->n; i++)
                gate_free(nodes->disks[i].gate);
        free(nodes->disks);
        if (nodes->monitor)
                udev_monitor_unref(nodes->monitor);
        if (nodes->udev)
                udev_unref(nodes->udev);
        free(nodes);
        return NULL;
}

int nodes_guard(Nodes *nodes, dev_t devnum, const char *syspath, Volume *volume) {
        Disk *disk = find(nodes, devnum);
        int r;

        if (!disk) {
                Disk *grown = reallocarray(nodes->disks, nodes->n + 1, sizeof(*grown));
                Gate *gate;

                if (!grown)
                        return -ENOMEM;
                nodes->disks = grown;
                r = gate_new(volume, nodes->report, &gate);
                if (r < 0)
                        return r;
                disk = &nodes->disks[nodes->n++];
                *disk = (Disk){.devnum = devnum, .gate = gate};
        } else
                gate_set_volume(disk->gate, volume);
        return mark_all(nodes, disk->gate, syspath);
}

const Gate *nodes_gate(const Nodes *nodes, dev_t devnum) {
        const Disk *disk = find(nodes, devnum);

        return disk ? disk->gate : NULL;
}

void nodes_release(Nodes *nodes, dev_t devnum) {
        Disk *disk = find(nodes, devnum);

        if (!disk)
                return;
        gate_free(disk->gate);
        *disk = nodes->disks[--nodes->n];
}
