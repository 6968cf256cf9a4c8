/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sekisho-hold: run by udev for every event of a block device, before anybody else is told of it. An
 * external disk gets the kernel's read-only flag, unless the agent has let this very medium go. Needs no
 * agent and no policy: what is external under every policy is held, and what a rule of the site has marked
 * with SEKISHO_EXTERNAL=1. Prints the properties that udev keeps with the device (udev(7), IMPORT{program}).
 *
 * It fails closed: a disk that cannot be told apart is held. The one exception is the disk that carries the
 * root file system, since a terminal that cannot start protects nobody. Which one that is may be unknown
 * itself (ZFS, a root file system of the network): then a disk that is known to be external is held, and one
 * of which nothing is known is not, since it may be the one.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "agent/device/hold.h"
#include "agent/device/identity.h"
#include "agent/device/stack.h"
#include "agent/note.h"
#include "policy/decide.h"
#include "policy/scope.h"

DEFINE_CLEANUP(struct udev, udev_unref);
DEFINE_CLEANUP(struct udev_device, udev_device_unref);

enum {
        EXIT_USAGE = 2
};

/* Whether anything that the disk stands on is external. What cannot be read is. */
static bool stands_on_external(struct udev *udev, const DeviceIdentity *disk) {
        DeviceIdentity bottom[STACK_MAX];
        bool external = false;
        size_t n = 0;

        if (device_stack_below(udev, disk->devnum, bottom, ELEMENTS(bottom), &n) < 0)
                return true;
        for (size_t i = 0; i < n; i++) {
                external = external || device_is_external(NULL, &bottom[i]);
                device_identity_clear(&bottom[i]);
        }
        return external;
}

static bool is_marked(void) {
        const char *mark = getenv("SEKISHO_EXTERNAL");

        return mark && strcmp(mark, "1") == 0;
}

/* A loop device without its file, a mapping without its table: there is nothing on it. */
static bool is_empty(const DeviceIdentity *disk) {
        return (disk->bus == DEVICE_BUS_LOOP && !disk->serial) ||
               (disk->bus == DEVICE_BUS_DM && disk->size == 0);
}

/* A disk of which nothing is known, not even the memory to ask. */
static int hold_unknown(struct udev *udev, struct udev_device *dev, int error) {
        char path[PATH_MAX];
        dev_t disk;
        int r = stack_disk(udev_device_get_devnum(dev), path, &disk);

        if (r < 0 || stack_carries_root(disk) != 0)
                return error;
        return hold_set_read_only(udev, disk, true);
}

/* 0 where nothing is to be held, 1 if the disk is held now, -errno. */
static int hold(struct udev *udev, struct udev_device *dev, bool marked, const char *runtime_dir) {
        CLEANUP(device_identity_clear) DeviceIdentity disk = {0};
        int r = device_identity_read(dev, &disk);

        if (r == -ENODEV)
                return 0; /* gone already */
        if (r < 0)
                return hold_unknown(udev, dev, r);
        if (udev_device_get_devnum(dev) == disk.devnum)
                /* not what udev's database still has of the event before */
                disk.marked_external = marked;
        if (is_empty(&disk) || disk.system)
                return 0;
        /* only what is external by itself: for the agent this is the mark of the site, and what merely
         * stands on a stick is judged by that stick */
        if (device_is_external(NULL, &disk))
                puts("SEKISHO_EXTERNAL=1");
        else if (!stands_on_external(udev, &disk))
                return 0;
        if (note_holds(runtime_dir, NOTE_RELEASED, disk.devnum, disk.diskseq) == 1)
                return 0;
        r = hold_set_read_only(udev, disk.devnum, true);
        return r < 0 && r != -ENODEV ? r : 1;
}

int main(int argc, char **argv) {
        static const struct option options[] = {{"runtime-dir", required_argument, NULL, 'r'}, {0}};
        const char *runtime_dir = "/run/sekisho";
        CLEANUP(scope_udev_device_unref) struct udev_device *dev = NULL;
        CLEANUP(scope_udev_unref) struct udev *udev = NULL;
        int option, r;
        bool marked;

        while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
                switch (option) {
                case 'r':
                        runtime_dir = optarg;
                        break;
                default:
                        return EXIT_USAGE;
                }
        if (optind < argc) {
                fprintf(stderr, "sekisho-hold: unexpected argument '%s'\n", argv[optind]);
                return EXIT_USAGE;
        }
        marked = is_marked(); /* before libudev takes the environment apart */
        udev = udev_new();
        dev = udev ? udev_device_new_from_environment(udev) : NULL;
        if (!dev) {
                fputs("sekisho-hold: to be run by udev: no device in the environment\n", stderr);
                return EXIT_FAILURE;
        }
        r = hold(udev, dev, marked, runtime_dir);
        if (r < 0) {
                fprintf(stderr, "sekisho-hold: %s: cannot make it read-only: %s\n",
                        udev_device_get_sysname(dev), strerror(-r));
                return EXIT_FAILURE;
        }
        if (r == 1)
                puts("SEKISHO_HELD=1");
        return EXIT_SUCCESS;
}
