/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/nodes.h"

#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/scope.h"

DEFINE_CLEANUP(struct udev_device, udev_device_unref);
DEFINE_CLEANUP(struct udev_enumerate, udev_enumerate_unref);

typedef struct Disk {
        dev_t devnum;
        char *syspath;
        Volume *volume;
        Gate *gate; /* NULL where the kernel does not ask about special files */
} Disk;

struct Nodes {
        Report *report;
        NodesChanged changed;
        void *userdata;
        bool have_gates;
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

static void disk_clear(Disk *disk) {
        gate_free(disk->gate);
        volume_unref(disk->volume);
        free(disk->syspath);
}

/* Call F with the node of a disk and of each of its partitions; the first negative result is returned, the
 * rest are visited all the same. */
static int visit_nodes(Nodes *nodes, const Disk *disk,
                       int (*f)(void *userdata, dev_t disk, const char *path), void *userdata) {
        CLEANUP(scope_udev_device_unref)
        struct udev_device *dev = udev_device_new_from_syspath(nodes->udev, disk->syspath);
        CLEANUP(scope_udev_enumerate_unref) struct udev_enumerate *list = udev_enumerate_new(nodes->udev);
        struct udev_list_entry *entry;
        int first_error = 0;

        if (!dev)
                return -ENODEV;
        /* the parent is among what is found */
        if (!list || udev_enumerate_add_match_subsystem(list, "block") < 0 ||
            udev_enumerate_add_match_parent(list, dev) < 0 || udev_enumerate_scan_devices(list) < 0)
                return -ENOMEM;
        udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(list)) {
                CLEANUP(scope_udev_device_unref)
                struct udev_device *node =
                        udev_device_new_from_syspath(nodes->udev, udev_list_entry_get_name(entry));
                const char *path = node ? udev_device_get_devnode(node) : NULL;
                int r = path ? f(userdata, disk->devnum, path) : 0;

                if (r < 0 && first_error == 0)
                        first_error = r;
        }
        return first_error;
}

static int mark_node(void *userdata, dev_t disk, const char *path) {
        int r = gate_mark_node(userdata, path);

        (void)disk;
        return r == -ENOENT ? 0 : r; /* gone again */
}

static int on_uevent(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Nodes *nodes = userdata;
        CLEANUP(scope_udev_device_unref) struct udev_device *device = NULL;
        struct udev_device *parent;
        const char *path;
        Disk *disk;

        (void)source;
        (void)fd;
        (void)revents;
        device = udev_monitor_receive_device(nodes->monitor);
        if (!device)
                return 0;
        parent = udev_device_get_parent_with_subsystem_devtype(device, "block", "disk");
        disk = parent ? find(nodes, udev_device_get_devnum(parent)) : NULL;
        path = udev_device_get_devnode(device);
        if (!disk || !path)
                return 0;
        if (disk->gate)
                (void)gate_mark_node(disk->gate, path); /* the disk's read-only flag holds underneath */
        nodes->changed(nodes->userdata);
        return 0;
}

typedef struct Probe {
        const char *path;
        int done; /* eventfd: the open has returned */
} Probe;

static void *open_fifo(void *userdata) {
        const Probe *probe = userdata;
        int fd = open(probe->path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
        uint64_t one = 1;

        if (fd >= 0)
                close(fd);
        (void)!write(probe->done, &one, sizeof(one));
        return NULL;
}

/* Whether the open of PATH by another thread is asked about before it returns. */
static bool is_asked(int group, Probe *probe) {
        struct pollfd fds[] = {{.fd = group, .events = POLLIN}, {.fd = probe->done, .events = POLLIN}};
        struct fanotify_event_metadata event;
        bool asked = false;
        pthread_t opener;

        if (pthread_create(&opener, NULL, open_fifo, probe) != 0)
                return false;
        while (poll(fds, ELEMENTS(fds), -1) < 0 && errno == EINTR)
                ;
        if (fds[0].revents && read(group, &event, sizeof(event)) == sizeof(event)) {
                struct fanotify_response response = {.fd = event.fd, .response = FAN_ALLOW};

                asked = true;
                (void)!write(group, &response, sizeof(response));
                if (event.fd >= 0)
                        close(event.fd);
        }
        /* a caller that waits still would be let go by this */
        (void)fanotify_mark(group, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
        pthread_join(opener, NULL);
        return asked;
}

/* Whether the kernel asks about special files, tried with a FIFO. */
static bool probe_special_files(const char *runtime_dir) {
        CLEANUP_CLOSE int group = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK,
                                                O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        CLEANUP_CLOSE int done = eventfd(0, EFD_CLOEXEC);
        char path[PATH_MAX];
        Probe probe = {.path = path, .done = done};
        bool asked;

        if (group < 0 || done < 0 ||
            (size_t)snprintf(path, sizeof(path), "%s/probe.fifo", runtime_dir) >= sizeof(path))
                return false;
        (void)unlink(path);
        if (mkfifo(path, 0600) < 0)
                return false;
        asked = fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN_PERM, AT_FDCWD, path) == 0 &&
                is_asked(group, &probe);
        (void)unlink(path);
        return asked;
}

int nodes_new(sd_event *event, Report *report, const char *runtime_dir, NodesChanged changed, void *userdata,
              Nodes **ret) {
        Nodes *nodes = calloc(1, sizeof(*nodes));
        int r = -ENOMEM;

        if (!nodes)
                return -ENOMEM;
        nodes->report = report;
        nodes->changed = changed;
        nodes->userdata = userdata;
        nodes->have_gates = probe_special_files(runtime_dir);
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
                disk_clear(&nodes->disks[i]);
        free(nodes->disks);
        if (nodes->monitor)
                udev_monitor_unref(nodes->monitor);
        if (nodes->udev)
                udev_unref(nodes->udev);
        free(nodes);
        return NULL;
}

bool nodes_have_gates(const Nodes *nodes) {
        return nodes->have_gates;
}

static int add_disk(Nodes *nodes, dev_t devnum, const char *syspath, Disk **ret) {
        Disk *grown = reallocarray(nodes->disks, nodes->n + 1, sizeof(*grown));
        char *path = strdup(syspath);

        if (grown)
                nodes->disks = grown;
        if (!grown || !path) {
                free(path);
                return -ENOMEM;
        }
        *ret = &nodes->disks[nodes->n++];
        **ret = (Disk){.devnum = devnum, .syspath = path};
        return 0;
}

int nodes_guard(Nodes *nodes, dev_t devnum, const char *syspath, Volume *volume) {
        Disk *disk = find(nodes, devnum);
        int r = disk ? 0 : add_disk(nodes, devnum, syspath, &disk);

        if (r < 0)
                return r;
        volume_unref(disk->volume);
        disk->volume = volume_ref(volume);
        if (!nodes->have_gates)
                return 0;
        if (disk->gate)
                gate_set_volume(disk->gate, volume);
        else
                r = gate_new(volume, nodes->report, &disk->gate);
        return r < 0 ? r : visit_nodes(nodes, disk, mark_node, disk->gate);
}

const Gate *nodes_gate(const Nodes *nodes, dev_t devnum) {
        const Disk *disk = find(nodes, devnum);

        return disk ? disk->gate : NULL;
}

const Volume *nodes_volume(const Nodes *nodes, dev_t devnum) {
        const Disk *disk = find(nodes, devnum);

        return disk ? disk->volume : NULL;
}

int nodes_foreach(Nodes *nodes, int (*f)(void *userdata, dev_t disk, const char *path), void *userdata) {
        for (size_t i = 0; i < nodes->n; i++) {
                int r = visit_nodes(nodes, &nodes->disks[i], f, userdata);

                if (r < 0 && r != -ENODEV)
                        return r;
        }
        return 0;
}

bool nodes_hand_over(Nodes *nodes) {
        bool ended = true;

        for (size_t i = 0; nodes && i < nodes->n; i++)
                if (nodes->disks[i].gate)
                        ended = gate_hand_over(nodes->disks[i].gate) && ended;
        return ended;
}

void nodes_release(Nodes *nodes, dev_t devnum) {
        Disk *disk = find(nodes, devnum);

        if (!disk)
                return;
        disk_clear(disk);
        *disk = nodes->disks[--nodes->n];
}
