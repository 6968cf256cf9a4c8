/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mount/beneath.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "agent/host.h"
#include "agent/mount/classify.h"
#include "policy/scope.h"

static dev_t block_beneath(const MountEntry *entry, SuperblockKind kind) {
        if (major(entry->devnum) != 0)
                return entry->devnum;
        /* btrfs, and fuseblk's like, name their disk as the source */
        return kind == SUPERBLOCK_BLOCK || kind == SUPERBLOCK_USER_SPACE ? host_block_device(entry->source)
                                                                         : 0;
}

/* What an overlay writes to: the file system of its upper directory. NULL if that cannot be told. */
static const MountEntry *upper_of(const MountTable *table, const MountEntry *overlay, const char *upper) {
        struct statx st;

        CLEANUP_CLOSE int fd = upper[0] == '/' ? host_open(upper, O_PATH) : -1;
        if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &st) < 0)
                return NULL;
        for (size_t i = 0; i < table->n; i++)
                if (table->entries[i].devnum == makedev(st.stx_dev_major, st.stx_dev_minor) &&
                    table->entries[i].devnum != overlay->devnum)
                        return &table->entries[i];
        return NULL;
}

/* Whether the superblock is that of the first mount on "/", the one whose parent is out of sight: what is
 * mounted over it later has it for a parent. */
static bool is_own_root(const MountTable *table, dev_t devnum) {
        for (size_t i = 0; i < table->n; i++) {
                const MountEntry *entry = &table->entries[i];
                bool has_parent = false;

                if (entry->devnum != devnum || strcmp(entry->point, "/") != 0)
                        continue;
                for (size_t j = 0; j < table->n && !has_parent; j++)
                        has_parent = table->entries[j].id == entry->parent && j != i;
                if (!has_parent)
                        return true;
        }
        return false;
}

SuperblockKind mount_beneath(const MountTable *table, const MountEntry *entry, dev_t *ret_block) {
        SuperblockKind kind = superblock_classify(entry->fstype, entry->devnum);
        CLEANUP_FREE char *upper = NULL;

        *ret_block = block_beneath(entry, kind);
        if (strcmp(entry->fstype, "overlay") == 0) {
                const MountEntry *written;

                upper = mount_option(entry->super_options, "upperdir");
                if (!upper)
                        return SUPERBLOCK_KERNEL; /* nothing can be written to it */
                written = upper_of(table, entry, upper);
                if (written) {
                        kind = superblock_classify(written->fstype, written->devnum);
                        *ret_block = block_beneath(written, kind);
                }
        }
        if (kind != SUPERBLOCK_BLOCK && *ret_block == 0 && is_own_root(table, entry->devnum))
                kind = SUPERBLOCK_KERNEL;
        return kind;
}
