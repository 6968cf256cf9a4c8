/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/device/carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "agent/file.h"
#include "agent/host.h"
#include "policy/scope.h"

enum {
        OVERLAYS_MAX = 4
};

/* One line of the mount table. Source: Documentation/filesystems/proc.rst, 3.5. The strings are owned. */
typedef struct Mount {
        dev_t devnum;
        char *point, *fstype, *source, *options; /* of the superblock */
} Mount;

static void mount_clear(Mount *mount) {
        free(mount->point);
        free(mount->fstype);
        free(mount->source);
        free(mount->options);
        *mount = (Mount){0};
}

static Mount mount_take(Mount *mount) {
        Mount taken = *mount;

        *mount = (Mount){0};
        return taken;
}

/* In place: \040 and the like are how the kernel writes blanks. */
static void unescape(char *text) {
        char *to = text;

        for (const char *from = text; *from; to++) {
                if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
                    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
                        *to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
                        from += 4;
                } else
                        *to = *from++;
        }
        *to = '\0';
}

/* 1 if LINE is a mount, 0 if it is not one, -ENOMEM. */
static int mount_parse(const char *line, Mount *ret) {
        CLEANUP(mount_clear) Mount mount = {0};
        const char *rest = strstr(line, " - ");
        unsigned maj, min;

        if (!rest || sscanf(line, "%*u %*u %u:%u %*s %ms", &maj, &min, &mount.point) != 3)
                return 0;
        /* a source may be empty: then the options are read as the source, which names no device */
        if (sscanf(rest, " - %ms %ms %ms", &mount.fstype, &mount.source, &mount.options) < 1)
                return 0;
        mount.devnum = makedev(maj, min);
        unescape(mount.point);
        if (mount.source)
                unescape(mount.source);
        if (mount.options)
                unescape(mount.options);
        *ret = mount_take(&mount);
        return 1;
}

static bool lies_below(const char *path, const char *point) {
        size_t length = strlen(point);

        if (length == 1)
                return true; /* "/" */
        return strncmp(path, point, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* The mount with the longest point above PATH; of several on one point the last covers the others. */
static int find_mount(const char *table, const char *path, Mount *ret) {
        CLEANUP(mount_clear) Mount best = {0};

        for (const char *line = table; *line;) {
                CLEANUP(mount_clear) Mount mount = {0};
                size_t length = strcspn(line, "\n");
                CLEANUP_FREE char *copy = strndup(line, length);
                int r = copy ? mount_parse(copy, &mount) : -ENOMEM;

                if (r < 0)
                        return r;
                if (r == 1 && lies_below(path, mount.point) &&
                    (!best.point || strlen(mount.point) >= strlen(best.point))) {
                        mount_clear(&best);
                        best = mount_take(&mount);
                }
                line += length + (line[length] == '\n');
        }
        if (!best.point)
                return -ENODEV;
        *ret = mount_take(&best);
        return 0;
}

static bool is_type(const Mount *mount, const char *type) {
        return strcmp(mount->fstype, type) == 0;
}

/* Whether to look at a file there can wait for somebody else than the kernel and its disks. */
static bool is_quick(const Mount *mount) {
        if (strncmp(mount->fstype, "fuse", 4) == 0)
                return false;
        return major(mount->devnum) != 0 || is_type(mount, "devtmpfs") || is_type(mount, "tmpfs") ||
               is_type(mount, "ramfs") || is_type(mount, "btrfs");
}

/* The devices listed in directory DEVICES of a btrfs, if NAME is among them; 0 if it is not. */
static int list_btrfs(const char *devices, const char *name, dev_t *ret, size_t max) {
        CLEANUP_DIR DIR *dir = opendir(devices);
        const struct dirent *entry;
        bool found = false;
        size_t n = 0;

        while (dir && (entry = readdir(dir))) {
                char path[PATH_MAX], text[32];
                unsigned maj, min;

                if (entry->d_name[0] == '.')
                        continue;
                if ((size_t)snprintf(path, sizeof(path), "%s/%s/dev", devices, entry->d_name) >=
                            sizeof(path) ||
                    file_read_small(AT_FDCWD, path, text, sizeof(text)) < 0 ||
                    sscanf(text, "%u:%u", &maj, &min) != 2)
                        continue;
                if (n == max)
                        return -E2BIG;
                found = found || strcmp(entry->d_name, name) == 0;
                ret[n++] = makedev(maj, min);
        }
        return found ? (int)n : 0;
}

/* All devices of the btrfs that has DEVNUM for one of its own. Source: fs/btrfs/sysfs.c. */
static int find_btrfs(dev_t devnum, dev_t *ret, size_t max) {
        CLEANUP_DIR DIR *dir = opendir("/sys/fs/btrfs");
        const struct dirent *entry;
        char link[64], target[PATH_MAX];

        if (max == 0)
                return -E2BIG;
        snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(devnum), minor(devnum));
        while (dir && realpath(link, target) && (entry = readdir(dir))) {
                char devices[PATH_MAX];
                int n;

                if (entry->d_name[0] == '.' ||
                    (size_t)snprintf(devices, sizeof(devices), "/sys/fs/btrfs/%s/devices", entry->d_name) >=
                            sizeof(devices))
                        continue;
                n = list_btrfs(devices, strrchr(target, '/') + 1, ret, max);
                if (n != 0)
                        return n;
        }
        ret[0] = devnum;
        return 1;
}

static int find_source(const Mount *mount, dev_t *ret, size_t max) {
        dev_t node = host_block_device(mount->source ? mount->source : "");

        return node != 0 ? find_btrfs(node, ret, max) : -ENODEV;
}

static int find(const char *table, const char *path, dev_t *ret, size_t max, int level);

static int find_upper(const char *table, const Mount *mount, dev_t *ret, size_t max, int level) {
        const char *upper = mount->options ? strstr(mount->options, "upperdir=") : NULL;
        char path[PATH_MAX];

        if (!upper || level >= OVERLAYS_MAX)
                return -ENODEV;
        upper += strlen("upperdir=");
        if ((size_t)snprintf(path, sizeof(path), "%.*s", (int)strcspn(upper, ","), upper) >= sizeof(path) ||
            path[0] != '/')
                return -ENODEV;
        return find(table, path, ret, max, level + 1);
}

static int find(const char *table, const char *path, dev_t *ret, size_t max, int level) {
        CLEANUP(mount_clear) Mount mount = {0};
        int r = find_mount(table, path, &mount);
        dev_t node;

        if (r < 0)
                return r;
        if (max == 0)
                return -E2BIG;
        node = is_quick(&mount) ? host_block_device(path) : 0;
        if (node != 0) {
                ret[0] = node;
                return 1;
        }
        if (major(mount.devnum) != 0) {
                ret[0] = mount.devnum;
                return 1;
        }
        if (is_type(&mount, "btrfs"))
                return find_source(&mount, ret, max);
        if (is_type(&mount, "overlay"))
                return find_upper(table, &mount, ret, max, level);
        return -ENODEV;
}

int carrier_find_in(const char *table, const char *path, dev_t *ret, size_t max) {
        return find(table, path, ret, max, 0);
}

int carrier_find(const char *path, dev_t *ret, size_t max) {
        CLEANUP_FILE FILE *f = fopen(host_mountinfo(), "re");
        CLEANUP_FREE char *table = NULL;
        size_t size = 0;

        if (!f)
                return -errno;
        if (getdelim(&table, &size, '\0', f) < 0)
                return ferror(f) ? -EIO : -ENODEV;
        return carrier_find_in(table, path, ret, max);
}
