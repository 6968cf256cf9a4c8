/* SPDX-License-Identifier: GPL-2.0-or-later */
/* volume.c: what is attacked, by the mount table and sysfs; and putting back what an attack changed around
 * it. */
#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <pwd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "tests/attacks/harness.h"

typedef struct MountLine {
        char point[PATH_MAX], fstype[32], source[PATH_MAX];
} MountLine;

/* Calls FOUND with each line of the mount table. */
static int each_mount(void (*found)(const MountLine *line, void *arg), void *arg) {
        CLEANUP_FILE FILE *table = fopen("/proc/self/mountinfo", "re");
        CLEANUP_FREE char *text = NULL;
        size_t room = 0;

        if (!table)
                return -errno;
        while (getline(&text, &room, table) > 0) {
                MountLine line;
                const char *rest = strstr(text, " - ");

                if (rest && sscanf(text, "%*s %*s %*s %*s %4095s", line.point) == 1 &&
                    sscanf(rest, " - %31s %4095s", line.fstype, line.source) == 2)
                        found(&line, arg);
        }
        return 0;
}

typedef struct Describing {
        Volume *volume;
        bool found;
} Describing;

static void describe_mount(const MountLine *line, void *arg) {
        Describing *describing = arg;
        Volume *v = describing->volume;

        if (strcmp(line->point, v->mount) != 0)
                return;
        describing->found = true;
        memcpy(v->fstype, line->fstype, sizeof v->fstype);
        if (!*v->node && *line->source == '/')
                memcpy(v->node, line->source, sizeof v->node);
}

static int read_number(const char *directory, const char *file, uint64_t *ret) {
        CLEANUP_FREE char *path = NULL;
        CLEANUP_FILE FILE *f = NULL;
        unsigned long long number;

        if (asprintf(&path, "%s/%s", directory, file) < 0)
                return -ENOMEM;
        f = fopen(path, "re");
        if (!f)
                return -errno;
        if (fscanf(f, "%llu", &number) != 1)
                return -EIO;
        *ret = number;
        return 0;
}

static int describe_node(Volume *v) {
        char link[64], directory[PATH_MAX];
        struct stat st;
        uint64_t sectors = 0, start = 0, partition = 0;
        char *end;

        if (stat(v->node, &st) < 0)
                return -errno;
        if (!S_ISBLK(st.st_mode))
                return -ENOTBLK;
        v->node_number = v->disk_number = st.st_rdev;
        snprintf(link, sizeof link, "/sys/dev/block/%u:%u", major(st.st_rdev), minor(st.st_rdev));
        if (!realpath(link, directory))
                return -errno;
        if (read_number(directory, "size", &sectors) == 0)
                v->size = sectors * SECTOR;
        if (read_number(directory, "partition", &partition) == 0) {
                if (read_number(directory, "start", &start) < 0)
                        return -EIO;
                *strrchr(directory, '/') = 0;
        }
        v->partition = (unsigned)partition;
        v->start = start * SECTOR;
        end = strrchr(directory, '/');
        if (snprintf(v->disk, sizeof v->disk, "/dev%s", end) >= (int)sizeof v->disk ||
            stat(v->disk, &st) < 0)
                return -ENODEV;
        v->disk_number = st.st_rdev;
        return 0;
}

int volume_describe(Volume *volume) {
        Describing describing = {.volume = volume};
        char resolved[PATH_MAX];
        int r;

        if (!realpath(volume->mount, resolved))
                return -errno;
        if (strlen(resolved) > PATH_MAX - 256)
                return -ENAMETOOLONG;
        memcpy(volume->mount, resolved, sizeof volume->mount);
        r = each_mount(describe_mount, &describing);
        if (r < 0)
                return r;
        if (!describing.found)
                return -EINVAL;
        return *volume->node ? describe_node(volume) : -ENOTBLK;
}

int volume_find_groups(Volume *volume) {
        struct passwd *user = getpwuid(volume->uid);
        int n = (int)(GROUPS_MAX - volume->n_groups);

        volume->gid = volume->uid;
        if (!user)
                return 0;
        volume->gid = user->pw_gid;
        if (getgrouplist(user->pw_name, user->pw_gid, volume->groups + volume->n_groups, &n) < 0)
                return -E2BIG;
        volume->n_groups += (size_t)n;
        return 0;
}

bool volume_node_is_open(const Volume *volume) {
        struct stat st;

        if (volume->uid == 0)
                return true;
        if (stat(volume->node, &st) < 0)
                return false;
        for (size_t i = 0; i < volume->n_groups; i++)
                if (volume->groups[i] == st.st_gid && st.st_mode & S_IWGRP)
                        return true;
        return st.st_mode & S_IWOTH;
}

static int read_only_flag(const char *node) {
        CLEANUP_CLOSE int fd = sys(open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        int flag;

        return fd < 0 || ioctl(fd, BLKROGET, &flag) < 0 ? -1 : flag != 0;
}

static void set_read_only_flag(const char *node, int flag) {
        CLEANUP_CLOSE int fd = sys(open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC));

        if (fd >= 0 && ioctl(fd, BLKROSET, &flag) < 0)
                fprintf(stderr, "sekisho-attacks: cannot put back the read-only flag of %s: %m\n", node);
}

static void is_mounted(const MountLine *line, void *arg) {
        Describing *describing = arg;

        if (strcmp(line->point, describing->volume->mount) == 0)
                describing->found = true;
}

void volume_state(const Volume *volume, VolumeState *ret) {
        Describing describing = {.volume = (Volume *)volume};
        struct statvfs st;

        *ret = (VolumeState){.node_read_only = read_only_flag(volume->node),
                             .disk_read_only = read_only_flag(volume->disk)};
        if (each_mount(is_mounted, &describing) == 0)
                ret->mounted = describing.found;
        if (ret->mounted && statvfs(volume->mount, &st) == 0)
                ret->mount_read_only = st.f_flag & ST_RDONLY;
}

/* Mounts that an attack left below the scratch directory: in reverse, as they lie on each other. */
static void note_mount_below(const MountLine *line, void *arg) {
        MountLine *last = arg;
        size_t n = strlen(last->source);

        if (strncmp(line->point, last->source, n) == 0 && line->point[n] == '/')
                memcpy(last->point, line->point, sizeof last->point);
}

static void unmount_scratch(const Volume *volume) {
        for (unsigned i = 0; i < 64; i++) {
                MountLine last = {0};

                snprintf(last.source, sizeof last.source, "%s", volume->scratch);
                if (each_mount(note_mount_below, &last) < 0 || !*last.point)
                        return;
                if (umount2(last.point, 0) < 0 && umount2(last.point, MNT_DETACH) < 0)
                        return;
        }
}

void volume_restore(const Volume *volume, const VolumeState *state) {
        VolumeState now;

        unmount_scratch(volume);
        volume_state(volume, &now);
        /* What the guard made read-only meanwhile stays so; what an attack made so does not. */
        if (now.mounted && now.mount_read_only != state->mount_read_only &&
            (state->mount_read_only || volume->unguarded) &&
            mount(NULL, volume->mount, NULL, MS_REMOUNT | (state->mount_read_only ? MS_RDONLY : 0), NULL) <
                    0)
                fprintf(stderr, "sekisho-attacks: cannot put back how %s is mounted: %m\n", volume->mount);
        if (now.node_read_only != state->node_read_only && (state->node_read_only == 1 || volume->unguarded))
                set_read_only_flag(volume->node, state->node_read_only);
        if (now.disk_read_only != state->disk_read_only && (state->disk_read_only == 1 || volume->unguarded))
                set_read_only_flag(volume->disk, state->disk_read_only);
}
