/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/device/luks2.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "policy/scope.h"

DEFINE_CLEANUP(struct udev_device, udev_device_unref);

static bool is(struct udev_device *dev, const char *property, const char *value) {
        const char *found = udev_device_get_property_value(dev, property);

        return found && strcmp(found, value) == 0;
}

/* Whether any device stands on the one at this place of sysfs. Where that cannot be told, one does. */
static bool is_open(const char *syspath) {
        const struct dirent *entry;
        char path[PATH_MAX];

        if ((size_t)snprintf(path, sizeof(path), "%s/holders", syspath) >= sizeof(path))
                return true;
        CLEANUP_DIR DIR *dir = opendir(path);
        if (!dir)
                return errno != ENOENT;
        while ((entry = readdir(dir)))
                if (entry->d_name[0] != '.')
                        return true;
        return false;
}

static bool is_closed_luks2(struct udev_device *dev) {
        return is(dev, "ID_FS_TYPE", "crypto_LUKS") && is(dev, "ID_FS_VERSION", "2") &&
               !is_open(udev_device_get_syspath(dev));
}

int luks2_find_closed(struct udev *udev, const char *syspath, dev_t *ret, size_t max) {
        CLEANUP(scope_udev_device_unref)
        struct udev_device *disk = udev_device_new_from_syspath(udev, syspath);
        CLEANUP_DIR DIR *dir = opendir(syspath);
        const struct dirent *entry;
        size_t n = 0;

        if (disk && max > 0 && is_closed_luks2(disk))
                ret[n++] = udev_device_get_devnum(disk);
        while (dir && n < max && (entry = readdir(dir))) {
                CLEANUP(scope_udev_device_unref) struct udev_device *partition = NULL;
                char path[PATH_MAX];

                if (entry->d_name[0] == '.' ||
                    (size_t)snprintf(path, sizeof(path), "%s/%s/partition", syspath, entry->d_name) >=
                            sizeof(path) ||
                    access(path, F_OK) < 0)
                        continue;
                *strrchr(path, '/') = '\0';
                partition = udev_device_new_from_syspath(udev, path);
                if (partition && is_closed_luks2(partition))
                        ret[n++] = udev_device_get_devnum(partition);
        }
        return (int)n;
}
