/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/device/stack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "agent/file.h"
#include "policy/scope.h"

enum {
        LEVELS_MAX = 16,
        LINE_MAX_LENGTH = 8192
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
        size_t n, max;
} Walk;

static int add(Walk *walk, dev_t disk) {
        for (size_t i = 0; i < walk->n; i++)
                if (walk->found[i] == disk)
                        return 0;
        if (walk->n == walk->max)
                return -E2BIG;
        walk->found[walk->n++] = disk;
        return 0;
}

static int walk_down(Walk *walk, dev_t devnum, int level);

/* 1 if there were slaves, 0 if not, -errno. */
static int walk_slaves(Walk *walk, const char *disk_path, int level) {
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
                        r = walk_down(walk, number, level + 1);
                if (r < 0)
                        return r;
        }
        return any;
}

/* 1 if it is a loop device on a disk, 0 if not, -errno. */
static int walk_backing_file(Walk *walk, const char *disk_path, int level) {
        char path[PATH_MAX], file[PATH_MAX];
        struct stat st;
        int r;

        if ((size_t)snprintf(path, sizeof(path), "%s/loop/backing_file", disk_path) >= sizeof(path) ||
            file_read_small(AT_FDCWD, path, file, sizeof(file)) < 0)
                return 0;
        /* a file that was removed or is out of sight: its disk cannot be told, the loop stands for itself */
        if (stat(file, &st) < 0)
                return 0;
        r = walk_down(walk, S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev, level + 1);
        return r == -ENODEV ? 0 : r < 0 ? r : 1;
}

static int walk_down(Walk *walk, dev_t devnum, int level) {
        char path[PATH_MAX];
        dev_t disk;
        int r;

        if (level > LEVELS_MAX)
                return -ELOOP;
        r = stack_disk(devnum, path, &disk);
        if (r < 0)
                return r;
        r = walk_slaves(walk, path, level);
        if (r == 0)
                r = walk_backing_file(walk, path, level);
        return r < 0 ? r : r > 0 ? 0 : add(walk, disk);
}

int stack_bottom(dev_t devnum, dev_t *ret, size_t max) {
        Walk walk = {.found = ret, .max = max};
        int r = walk_down(&walk, devnum, 0);

        return r < 0 ? r : (int)walk.n;
}

/* The block device that mountinfo names as the source of "/": for file systems with a number of their own.
 */
static int root_source(dev_t *ret) {
        CLEANUP_FILE FILE *f = fopen("/proc/self/mountinfo", "re");
        CLEANUP_FREE char *line = NULL;
        size_t size = 0;

        while (f && getline(&line, &size, f) > 0) {
                char point[PATH_MAX], source[PATH_MAX];
                const char *rest = strstr(line, " - ");
                struct stat st;

                if (!rest || sscanf(line, "%*d %*d %*s %*s %4095s", point) != 1 || strcmp(point, "/") != 0 ||
                    sscanf(rest, " - %*s %4095s", source) != 1)
                        continue;
                if (stat(source, &st) < 0 || !S_ISBLK(st.st_mode))
                        continue;
                *ret = st.st_rdev;
                return 0;
        }
        return -ENODEV;
}

bool stack_carries_root(dev_t disk) {
        dev_t root, bottom[STACK_MAX], direct;
        char path[PATH_MAX];
        struct stat st;
        int n;

        if (stat("/", &st) < 0)
                return false;
        root = st.st_dev;
        if (major(root) == 0 && root_source(&root) < 0)
                return false;
        if (stack_disk(root, path, &direct) == 0 && direct == disk)
                return true;
        n = stack_bottom(root, bottom, ELEMENTS(bottom));
        for (int i = 0; i < n; i++)
                if (bottom[i] == disk)
                        return true;
        return false;
}
