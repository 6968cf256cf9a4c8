/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/device/stack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "agent/device/carrier.h"
#include "agent/file.h"
#include "policy/scope.h"

enum {
        LEVELS_MAX = 16
};

static int read_number(const char *directory, const char *name, dev_t *ret) {
        char path[PATH_MAX], text[32];
        unsigned maj, min;

        if ((size_t)snprintf(path, sizeof(path), "%s/%s", directory, name) >= sizeof(path) ||
            file_read_small(AT_FDCWD, path, text, sizeof(text)) < 0 ||
            sscanf(text, "%u:%u", &maj, &min) != 2)
                return -ENODEV;
        *ret = makedev(maj, min);
        return 0;
}

int stack_disk(dev_t devnum, char path[static PATH_MAX], dev_t *ret_disk) {
        char link[64], partition[PATH_MAX];

        snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(devnum), minor(devnum));
        if (!realpath(link, path))
                return -ENODEV;
        if ((size_t)snprintf(partition, sizeof(partition), "%s/partition", path) >= sizeof(partition))
                return -ENODEV;
        if (access(partition, F_OK) == 0)
                *strrchr(path, '/') = '\0';
        return read_number(path, "dev", ret_disk);
}

typedef struct Walk {
        dev_t *found;
        bool luks2[STACK_MAX + 1]; /* reached through LUKS2, each way that leads there */
        size_t n, max;
        bool every; /* what lies between as well, not the bottom alone */
} Walk;

static int add(Walk *walk, dev_t disk, bool luks2) {
        for (size_t i = 0; i < walk->n; i++)
                if (walk->found[i] == disk) {
                        walk->luks2[i] = walk->luks2[i] && luks2;
                        return 0;
                }
        if (walk->n == walk->max || walk->n == ELEMENTS(walk->luks2))
                return -E2BIG;
        walk->luks2[walk->n] = luks2;
        walk->found[walk->n++] = disk;
        return 0;
}

/* Whether the disk is a mapping that cryptsetup made of a LUKS2 volume. Source: dm_prepare_uuid() in
 * lib/libdevmapper.c of cryptsetup. */
static bool is_luks2(const char *disk_path) {
        static const char prefix[] = "CRYPT-LUKS2-";
        char path[PATH_MAX], text[256];

        return (size_t)snprintf(path, sizeof(path), "%s/dm/uuid", disk_path) < sizeof(path) &&
               file_read_small(AT_FDCWD, path, text, sizeof(text)) > 0 &&
               strncmp(text, prefix, strlen(prefix)) == 0;
}

static int walk_down(Walk *walk, dev_t devnum, int level, bool luks2);

/* 1 if there were slaves, 0 if not, -errno. */
static int walk_slaves(Walk *walk, const char *disk_path, int level, bool luks2) {
        char path[PATH_MAX];
        const struct dirent *entry;
        int any = 0;

        if ((size_t)snprintf(path, sizeof(path), "%s/slaves", disk_path) >= sizeof(path))
                return -ENAMETOOLONG;
        CLEANUP_DIR DIR *dir = opendir(path);
        while (dir && (entry = readdir(dir))) {
                char slave[PATH_MAX];
                dev_t number;
                int r;

                if (entry->d_name[0] == '.')
                        continue;
                any = 1;
                if ((size_t)snprintf(slave, sizeof(slave), "%s/%s", path, entry->d_name) >= sizeof(slave))
                        return -ENAMETOOLONG;
                r = read_number(slave, "dev", &number);
                if (r == 0)
                        r = walk_down(walk, number, level + 1, luks2);
                if (r < 0)
                        return r;
        }
        return any;
}

/* 1 if it is a loop device on a disk, 0 if not, -errno. A file that is on no disk, or out of sight: the loop
 * stands for itself. */
static int walk_backing_file(Walk *walk, const char *disk_path, int level, bool luks2) {
        char path[PATH_MAX], file[PATH_MAX];
        dev_t carriers[STACK_MAX];
        int n, any = 0;

        if ((size_t)snprintf(path, sizeof(path), "%s/loop/backing_file", disk_path) >= sizeof(path) ||
            file_read_small(AT_FDCWD, path, file, sizeof(file)) < 0)
                return 0;
        n = carrier_find(file, carriers, ELEMENTS(carriers));
        if (n < 0)
                return n == -ENODEV ? 0 : n;
        for (int i = 0; i < n; i++) {
                int r = walk_down(walk, carriers[i], level + 1, luks2);

                if (r < 0 && r != -ENODEV)
                        return r;
                any = any || r == 0;
        }
        return any;
}

static int walk_down(Walk *walk, dev_t devnum, int level, bool luks2) {
        char path[PATH_MAX];
        bool below;
        dev_t disk;
        int r;

        if (level > LEVELS_MAX)
                return -ELOOP;
        r = stack_disk(devnum, path, &disk);
        if (r < 0)
                return r;
        if (walk->every) {
                r = add(walk, disk, luks2);
                if (r < 0)
                        return r;
        }
        below = luks2 || is_luks2(path);
        r = walk_slaves(walk, path, level, below);
        if (r == 0)
                r = walk_backing_file(walk, path, level, below);
        return r < 0 ? r : r > 0 ? 0 : add(walk, disk, luks2);
}

int stack_bottom(dev_t devnum, dev_t *ret, bool *ret_luks2, size_t max) {
        Walk walk = {.found = ret, .max = max};
        int r = walk_down(&walk, devnum, 0, false);

        if (r >= 0)
                memcpy(ret_luks2, walk.luks2, walk.n * sizeof(*ret_luks2));
        return r < 0 ? r : (int)walk.n;
}

int stack_below(dev_t devnum, dev_t *ret, bool *ret_luks2, size_t max) {
        dev_t every[STACK_MAX + 1];
        Walk walk = {.found = every, .max = ELEMENTS(every), .every = true};
        int r = walk_down(&walk, devnum, 0, false);

        if (r < 0)
                return r;
        if (walk.n - 1 > max)
                return -E2BIG;
        memcpy(ret, every + 1, (walk.n - 1) * sizeof(*ret)); /* the first one found is its own disk */
        memcpy(ret_luks2, walk.luks2 + 1, (walk.n - 1) * sizeof(*ret_luks2));
        return (int)walk.n - 1;
}

int stack_root(dev_t *ret, size_t max) {
        Walk walk = {.found = ret, .max = max, .every = true};
        dev_t carriers[STACK_MAX];
        int n = carrier_find("/", carriers, ELEMENTS(carriers));

        for (int i = 0; i < n; i++) {
                int r = walk_down(&walk, carriers[i], 0, false);

                if (r < 0)
                        return r;
        }
        return n < 0 ? n : (int)walk.n;
}

int stack_carries_root(dev_t disk) {
        dev_t root[STACK_MAX];
        int n = stack_root(root, ELEMENTS(root));

        for (int i = 0; i < n; i++)
                if (root[i] == disk)
                        return 1;
        return n < 0 ? n : 0;
}

bool stack_root_is_below(const char *syspath) {
        dev_t root[STACK_MAX], disk;
        size_t length = strlen(syspath);
        int n = stack_root(root, ELEMENTS(root));

        for (int i = 0; i < n; i++) {
                char path[PATH_MAX];

                if (stack_disk(root[i], path, &disk) == 0 && strncmp(path, syspath, length) == 0 &&
                    path[length] == '/')
                        return true;
        }
        return false;
}
