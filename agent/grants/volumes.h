/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * volumes.h: which volumes are written to under which grant, and how often that happened. A table in memory:
 * no I/O, no lock. A place is given to another volume once its grant or its mount is over and room is
 * needed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/mount/mountinfo.h"
#include "agent/report/record.h"
#include "policy/object.h"

enum {
        WRITES_VOLUMES_MAX = 32
};

/* A volume that is, or was, written to. */
typedef struct WrittenVolume {
        bool on;            /* it is marked, as far as is known */
        dev_t devnum, seen; /* what the mount table says, and what its files say: on btrfs, another number */
        uint32_t id;
        uint64_t policy_serial, count, since;
        char *mount; /* NULL: memory was short */
        DeviceIdentity device;
} WrittenVolume;

typedef struct WrittenVolumes {
        WrittenVolume items[WRITES_VOLUMES_MAX];
        size_t n;
        uint64_t places; /* that were ever given away */
} WrittenVolumes;

void written_volumes_clear(WrittenVolumes *volumes);

/* The one with DEVNUM; NULL if there is none. */
WrittenVolume *written_volumes_find(WrittenVolumes *volumes, dev_t devnum);

/* AS, whose numbers are given, with MOUNT and DEVICE (may be NULL) from now on, or again. TABLE tells what
 * is still mounted. 0; -ENOSPC if all are written to. */
int written_volumes_take(WrittenVolumes *volumes, const MountTable *table, const WrittenVolume *as,
                         const char *mount, const DeviceIdentity *device);

/* One more file was written where files say SEEN: what is known of the volume goes to RECORD. */
void written_volumes_count_file(WrittenVolumes *volumes, dev_t seen, Record *record);

/* How many that were under grant ID. */
uint64_t written_volumes_count(const WrittenVolumes *volumes, uint32_t id);
