/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/device/partitions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/file.h"
#include "policy/scope.h"

dev_t sysfs_devnum(const char *directory, const char *entry) {
        char path[PATH_MAX], text[32];
        unsigned first, second;

        if ((size_t)snprintf(path, sizeof(path), "%s/%s/dev", directory, entry) >= sizeof(path) ||
            file_read_small(AT_FDCWD, path, text, sizeof(text)) < 0 ||
            sscanf(text, "%u:%u", &first, &second) != 2)
                return 0;
        return makedev(first, second);
}

static bool is_partition(const char *disk, const char *entry) {
        char path[PATH_MAX];

        return (size_t)snprintf(path, sizeof(path), "%s/%s/partition", disk, entry) < sizeof(path) &&
               access(path, F_OK) == 0;
}

int disk_numbers(const char *syspath, dev_t *ret, size_t max) {
        CLEANUP_DIR DIR *dir = opendir(syspath);
        const struct dirent *entry;
        size_t n = 0;

        if (!dir)
                return -ENODEV;
        while ((entry = readdir(dir))) {
                bool own = entry->d_name[0] == '.' && !entry->d_name[1];
                dev_t number = own || is_partition(syspath, entry->d_name)
                                       ? sysfs_devnum(syspath, entry->d_name)
                                       : 0;

                if (number == 0)
                        continue;
                if (n == max)
                        return -E2BIG;
                ret[n++] = number;
        }
        return (int)n;
}
