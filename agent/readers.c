/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who reads the nodes of disks that nobody may write, where the kernel has no BPF LSM: the programs of the
 * system that find out what a medium is, and mount it. None of them takes a read-only flag away, sends a
 * SCSI command of the caller's choice, or changes partitions of what it cannot write. Whoever can have one
 * of them do so (root), or has udisksd hand over its descriptor, gets through: docs/threat-model.md.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent_private.h"
#include "agent/mount/mountinfo.h"
#include "policy/scope.h"

static const struct {
        const char *path; /* absolute, or from the directory of the agent's own */
        bool family;      /* and what it starts, as udisks does */
} programs[] = {
        {"/usr/lib/systemd/systemd-udevd", false}, /* udevadm as well, which starts whatever it is told to */
        {"/usr/lib/udev/ata_id", false},           /* started by rules, as the next ones */
        {"/usr/lib/udev/cdrom_id", false},
        {"/usr/lib/udev/mtd_probe", false},
        {"/usr/lib/udev/probe-bcache", false},
        {"/usr/lib/udev/scsi_id", false},
        {"sekisho-hold", false},
        {"../lib/udev/sekisho-hold", false}, /* where it is installed */
        {"/usr/sbin/mdadm", false},
        {"/usr/libexec/udisks2/udisksd", true},
        {"/usr/lib/udisks2/udisksd", true},
        {"/usr/lib/systemd/systemd-cryptsetup", false},
        {"/usr/lib/systemd/systemd-shutdown", false}, /* takes loop devices down */
        {"/usr/bin/mount", false},
        {"/usr/bin/umount", false},
        {"/usr/bin/ntfs-3g", false}, /* serves a file system, from the node */
        {"/usr/bin/lowntfs-3g", false},
        {"/usr/sbin/mount.exfat-fuse", false},
        {"/usr/sbin/blkid", false},
        {"/usr/bin/lsblk", false},
        {"/usr/bin/findmnt", false},
        {"/usr/sbin/findfs", false},
        {"/usr/sbin/losetup", false},
        {"/usr/bin/eject", false},
        {"/usr/sbin/fdisk", false},
        {"/usr/sbin/sfdisk", false},
        {"/usr/sbin/fsck", false},
        {"/usr/sbin/e2fsck", false}, /* the next three are the same file, by other names */
        {"/usr/sbin/fsck.ext2", false},
        {"/usr/sbin/fsck.ext3", false},
        {"/usr/sbin/fsck.ext4", false},
        {"/usr/sbin/fsck.fat", false},
        {"/usr/sbin/fsck.exfat", false},
        {"/usr/sbin/cryptsetup", false},
        {"/usr/sbin/dmsetup", false},
        {"/usr/sbin/lvm", false}, /* looks at every disk */
        {"/proc/self/exe", false},
};

/* Where the file is, without symbolic links. 0 or -errno. */
static int find_file(const char *path, char ret[static PATH_MAX]) {
        char own[PATH_MAX], sibling[PATH_MAX];
        char *slash;

        if (path[0] == '/')
                return realpath(path, ret) ? 0 : -errno;
        slash = realpath("/proc/self/exe", own) ? strrchr(own, '/') : NULL;
        if (!slash)
                return -ENOENT;
        if ((size_t)snprintf(sibling, sizeof(sibling), "%.*s/%s", (int)(slash - own), own, path) >=
            sizeof(sibling))
                return -ENAMETOOLONG;
        return realpath(sibling, ret) ? 0 : -errno;
}

static bool lies_below(const char *point, const char *path) {
        size_t length = strcmp(point, "/") == 0 ? 0 : strlen(point);

        return strncmp(path, point, length) == 0 && path[length] == '/';
}

/* The mount that shows PATH: of those on the same point the last is on top. */
static const MountEntry *find_mount(const MountTable *table, const char *path) {
        const MountEntry *found = NULL;

        for (size_t i = 0; i < table->n; i++) {
                const MountEntry *entry = &table->entries[i];

                if (lies_below(entry->point, path) &&
                    (!found || strlen(entry->point) >= strlen(found->point)))
                        found = entry;
        }
        return found;
}

/* 0, -ENOENT if there is no such file, or another -errno. */
static int find_reader(const MountTable *table, const char *program, LsmReader *ret) {
        char path[PATH_MAX];
        const MountEntry *entry;
        const char *root;
        int r = find_file(program, path);

        if (r < 0)
                return r == -ENOTDIR ? -ENOENT : r;
        entry = find_mount(table, path);
        if (!entry)
                return -ENOENT;
        root = strcmp(entry->root, "/") == 0 ? "" : entry->root;
        ret->devnum = entry->devnum;
        if (asprintf(&ret->path, "%s%s", root,
                     path + (strcmp(entry->point, "/") == 0 ? 0 : strlen(entry->point))) < 0)
                return -ENOMEM;
        return 0;
}

void agent_admit_readers(Agent *agent) {
        CLEANUP(mount_table_clear) MountTable table = {0};
        LsmReader readers[ELEMENTS(programs)] = {0};
        size_t n = 0;
        int r = mountinfo_read(NULL, &table);

        for (size_t i = 0; i < ELEMENTS(programs) && r == 0; i++) {
                readers[n].family = programs[i].family;
                r = find_reader(&table, programs[i].path, &readers[n]);
                if (r == 0)
                        n++;
                else if (r == -ENOENT)
                        r = 0;
        }
        if (r == 0)
                r = lsm_readers(agent->lsm, readers, n);
        for (size_t i = 0; i < n; i++)
                free(readers[i].path);
        if (r < 0)
                agent_tell_failure(agent, NULL, NULL, N_("programs that may read device nodes"), r);
}
