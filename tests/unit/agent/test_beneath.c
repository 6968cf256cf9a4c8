/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "agent/mount/beneath.h"
#include "policy/scope.h"

/* What mount_beneath() makes of the last line. */
typedef struct Case {
        const char *what, *table;
        SuperblockKind kind;
        dev_t block;
} Case;

#define ROOT "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"

Test(mount_beneath, tells_what_a_mount_stands_on) {
        const Case cases[] = {
                {"a disk", ROOT "30 20 8:17 / /mnt rw - vfat /dev/sdb1 rw\n", SUPERBLOCK_BLOCK,
                 makedev(8, 17)},
                {"a server", ROOT "30 20 0:50 / /mnt rw - cifs //s/x rw\n", SUPERBLOCK_NETWORK, 0},
                {"a type that nobody knows", ROOT "30 20 0:50 / /mnt rw - newfs x rw\n", SUPERBLOCK_UNKNOWN,
                 0},
                {"an overlay that cannot be written",
                 ROOT "30 20 0:50 / /mnt rw - overlay o rw,lowerdir=/a\n", SUPERBLOCK_KERNEL, 0},
                {"an overlay whose layers are out of sight",
                 ROOT "30 20 0:50 / /mnt rw - overlay o rw,upperdir=/nowhere/to/be/seen\n",
                 SUPERBLOCK_STACKED, 0},
                {"a root whose layers are out of sight",
                 "20 1 0:50 / / rw - overlay o rw,upperdir=/nowhere/to/be/seen\n", SUPERBLOCK_KERNEL, 0},
                {"a root over the network", "20 1 0:50 / / rw - nfs4 s:/root rw\n", SUPERBLOCK_KERNEL, 0},
                {"the same file system at another place",
                 "20 1 0:50 / / rw - nfs4 s:/root rw\n30 20 0:50 /x /mnt rw - nfs4 s:/root rw\n",
                 SUPERBLOCK_KERNEL, 0},
                {"a root on a disk, which goes by the disk", ROOT, SUPERBLOCK_BLOCK, makedev(8, 1)},
                {"a server mounted over the root", ROOT "30 20 0:50 / / rw - cifs //s/x rw\n",
                 SUPERBLOCK_NETWORK, 0},
                {"a user-space file system mounted over the root", ROOT "30 20 0:51 / / rw - fuse.x x rw\n",
                 SUPERBLOCK_USER_SPACE, 0},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP(mount_table_clear) MountTable table = {0};
                dev_t block = makedev(255, 255);

                cr_assert_eq(mountinfo_parse(strdup(cases[i].table), &table), 0, "%s", cases[i].what);
                cr_expect_eq(mount_beneath(&table, &table.entries[table.n - 1], &block), cases[i].kind, "%s",
                             cases[i].what);
                cr_expect_eq(block, cases[i].block, "%s", cases[i].what);
        }
}
