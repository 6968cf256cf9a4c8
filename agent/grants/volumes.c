/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/grants/volumes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void clear(WrittenVolume *volume) {
        device_identity_clear(&volume->device);
        free(volume->mount);
        *volume = (WrittenVolume){0};
}

void written_volumes_clear(WrittenVolumes *volumes) {
        while (volumes->n > 0)
                clear(&volumes->items[--volumes->n]);
}

WrittenVolume *written_volumes_find(WrittenVolumes *volumes, dev_t devnum) {
        for (size_t i = 0; i < volumes->n; i++)
                if (volumes->items[i].devnum == devnum)
                        return &volumes->items[i];
        return NULL;
}

static bool is_mounted(const MountTable *table, dev_t devnum) {
        for (size_t i = 0; i < table->n; i++)
                if (table->entries[i].devnum == devnum)
                        return true;
        return false;
}

/* The place that was given away first, of those whose grant or whose mount is over. */
static WrittenVolume *find_oldest(WrittenVolumes *volumes, const MountTable *table) {
        WrittenVolume *found = NULL;

        for (size_t i = 0; i < volumes->n; i++) {
                WrittenVolume *volume = &volumes->items[i];

                if ((!volume->on || !is_mounted(table, volume->devnum)) &&
                    (!found || volume->since < found->since))
                        found = volume;
        }
        return found;
}

/* What was counted at VOLUME goes to another place under the same grant. */
static void hand_on_count(WrittenVolumes *volumes, const WrittenVolume *volume) {
        for (size_t i = 0; i < volumes->n; i++)
                if (&volumes->items[i] != volume && volumes->items[i].id == volume->id) {
                        volumes->items[i].count += volume->count;
                        return;
                }
}

static void become(WrittenVolumes *volumes, WrittenVolume *volume, const WrittenVolume *as,
                   const DeviceIdentity *device) {
        uint64_t count = 0;

        if (volume->id == as->id)
                count = volume->count;
        else
                hand_on_count(volumes, volume);
        clear(volume);
        *volume = *as;
        volume->mount = NULL;
        volume->count = count;
        volume->since = ++volumes->places;
        if (device && device_identity_copy(device, &volume->device) < 0)
                volume->device = (DeviceIdentity){0};
}

int written_volumes_take(WrittenVolumes *volumes, const MountTable *table, const WrittenVolume *as,
                         const char *mount, const DeviceIdentity *device) {
        WrittenVolume *volume = written_volumes_find(volumes, as->devnum);

        if (!volume)
                volume = volumes->n < WRITES_VOLUMES_MAX ? &volumes->items[volumes->n++]
                                                         : find_oldest(volumes, table);
        if (!volume)
                return -ENOSPC;
        if (volume->id != as->id || volume->devnum != as->devnum)
                become(volumes, volume, as, device);
        volume->seen = as->seen;
        if (!volume->mount || strcmp(volume->mount, mount) != 0) {
                free(volume->mount);
                volume->mount = strdup(mount);
        }
        volume->on = true;
        return 0;
}

void written_volumes_count_file(WrittenVolumes *volumes, dev_t seen, Record *record) {
        for (size_t i = volumes->n; i-- > 0;) {
                WrittenVolume *volume = &volumes->items[i];

                if (volume->seen != seen)
                        continue;
                volume->count++;
                record->policy_serial = volume->policy_serial;
                record_setf(record, TEXT_GRANT, "%" PRIu32, volume->id);
                record_set(record, TEXT_MOUNT, volume->mount);
                record_set_device(record, &volume->device);
                return;
        }
}

uint64_t written_volumes_count(const WrittenVolumes *volumes, uint32_t id) {
        uint64_t count = 0;

        for (size_t i = 0; i < volumes->n; i++)
                if (volumes->items[i].id == id)
                        count += volumes->items[i].count;
        return count;
}
