/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices.h: every block and USB device of the machine, found at start and followed by a udev monitor;
 * each new one is judged, the verdict enforced at once (USB authorisation, read-only flag), and told.
 * Asks for verdicts through DevicesCallbacks and never sees the policy. Runs in the event loop's thread.
 */
#pragma once

#include <libudev.h>
#include <systemd/sd-event.h>

#include "agent/device/luks2.h"
#include "policy/object.h"
#include "policy/verdict.h"

typedef struct Devices Devices;

typedef struct Device {
        char *syspath;
        bool block;             /* a whole disk (its partitions belong to it); else a usb_device */
        DeviceIdentity id;      /* for a stacked device: its own name and devnum ... */
        DeviceIdentity *bottom; /* ... and what it stands on, at every level, NULL for a plain one */
        size_t n_bottom;
        Decision decision; /* the strictest over all of them; its strings are borrowed from the policy */
        dev_t closed[LUKS2_MAX]; /* LUKS2 volumes of it that wait to be opened: let go, the rest is held */
        size_t n_closed;
        int enforcement; /* 0, or the -errno with which enforcing failed */
} Device;

typedef enum DeviceChange {
        DEVICE_ATTACHED, /* new (or new medium), judged and enforced */
        DEVICE_REJUDGED, /* the verdict changed: other policy, expiry */
        DEVICE_UNLOCKED, /* the verdict stands; a LUKS2 volume on it was opened or closed */
        DEVICE_DETACHED,
} DeviceChange;

typedef struct DevicesCallbacks {
        /* the verdict on one device; must fill RET */
        void (*judge)(void *userdata, const DeviceIdentity *id, Decision *ret);
        /* the verdict on one USB interface of a device */
        void (*judge_interface)(void *userdata, const DeviceIdentity *id, uint8_t class, Decision *ret);
        /* DEVICE has been judged and is about to be enforced, and again once it has been: for whoever keeps
         * its verdict elsewhere. Also when nothing has changed. NULL: nobody does */
        void (*judged)(void *userdata, const Device *device);
        /* DEVICE was attached, rejudged or is about to be forgotten. Enforcement has been tried. */
        void (*changed)(void *userdata, const Device *device, DeviceChange change);
        /* an interface was refused or let in anew */
        void (*interface_changed)(void *userdata, const DeviceIdentity *id, const char *interface,
                                  uint8_t class, const Decision *decision, int enforcement);
        void *userdata;
} DevicesCallbacks;

/* Starts following devices: subscribes first, then enumerates, so that none is missed. RUNTIME_DIR holds the
 * release notes. With MONITOR_ONLY nothing is held or deauthorised, what is held is let go.
 * Returns 0 or -errno. The caller frees with devices_free. */
int devices_new(sd_event *event, const char *runtime_dir, bool monitor_only,
                const DevicesCallbacks *callbacks, Devices **ret);
void devices_free(Devices *devices);

/* Judge everything anew (policy changed, something expired, mode changed) and enforce. Decisions held in
 * Device refer to the new policy afterwards. 0, or the first -errno met while enforcing (all are tried). */
int devices_rejudge(Devices *devices, bool monitor_only);

/* The disk that holds block device number DEVNUM (disk or partition), judged and enforced: if udev has not
 * told of it yet it is read from sysfs, judged, enforced and remembered now. NULL if there is none.
 * Borrowed, until the next call into Devices or the next turn of the event loop. */
const Device *devices_find_block(Devices *devices, dev_t devnum);

/* Look at the disk DEVNUM now, whatever udev tells of it later: it is read from sysfs, judged and enforced
 * anew; one that has no medium any more is forgotten. The disk (borrowed as above), or NULL. */
const Device *devices_look_again(Devices *devices, dev_t devnum);

/* Call F for every device; stops at the first non-zero and returns it. */
int devices_foreach(Devices *devices, int (*f)(void *userdata, const Device *device), void *userdata);

/* On clean shutdown: hold again every disk whose verdict is conditional, since nobody will ask from now on.
 */
int devices_hold_conditional(Devices *devices);
