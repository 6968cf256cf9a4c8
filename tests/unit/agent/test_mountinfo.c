/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/sysmacros.h>

#include "agent/mount/classify.h"
#include "agent/mount/mountinfo.h"
#include "policy/scope.h"

static int parse(const char *text, MountEntry *ret) {
        static char line[4096];

        snprintf(line, sizeof(line), "%s", text);
        return mountinfo_parse_line(line, ret);
}

Test(mountinfo, line_with_optional_fields_is_split) {
        MountEntry e;

        cr_assert_eq(parse("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root "
                           "rw,errors=continue",
                           &e),
                     0);
        cr_assert_eq(e.id, 36);
        cr_assert_eq(e.parent, 35);
        cr_assert_eq(e.devnum, makedev(98, 0));
        cr_assert_str_eq(e.root, "/mnt1");
        cr_assert_str_eq(e.point, "/mnt2");
        cr_assert_str_eq(e.options, "rw,noatime");
        cr_assert_str_eq(e.fstype, "ext3");
        cr_assert_str_eq(e.source, "/dev/root");
        cr_assert_str_eq(e.super_options, "rw,errors=continue");
}

Test(mountinfo, escapes_are_undone) {
        MountEntry e;

        cr_assert_eq(parse("36 35 8:1 / /media/My\\040Stick\\012\\134 rw - vfat /dev/sdb1 rw", &e), 0);
        cr_assert_str_eq(e.point, "/media/My Stick\n\\");
}

Test(mountinfo, empty_source_is_understood) {
        MountEntry e;

        cr_assert_eq(parse("36 35 0:40 / /mnt rw - tmpfs  rw,size=4k", &e), 0);
        cr_assert_str_eq(e.source, "");
        cr_assert_str_eq(e.super_options, "rw,size=4k");
}

static const char *const broken_lines[] = {
        "",
        "36",
        "36 35 98 /mnt1 /mnt2 rw - ext3 /dev/root rw",
        "36 35 98:x / /mnt2 rw - ext3 /dev/root rw",
        "36 35 98:0 / /mnt2 rw ext3 /dev/root rw",
        "36 35 98:0 / /mnt2 rw - ext3 /dev/root",
        "36 35 98:0 / /mnt2 rw - ext3 /dev/root rw extra",
        "-1 35 98:0 / /mnt2 rw - ext3 /dev/root rw",
        "99999999999 35 98:0 / /mnt2 rw - ext3 /dev/root rw",
};

Test(mountinfo, line_that_is_not_understood_is_refused) {
        for (size_t i = 0; i < ELEMENTS(broken_lines); i++) {
                MountEntry e;

                cr_expect_eq(parse(broken_lines[i], &e), -EBADMSG, "\"%s\"", broken_lines[i]);
        }
}

Test(mountinfo, one_broken_line_refuses_the_table) {
        char *text = strdup("22 27 0:21 / /proc rw - proc proc rw\nbroken\n");
        MountTable table = {0};

        cr_assert_eq(mountinfo_parse(text, &table), -EBADMSG);
        cr_assert_null(table.entries);
        free(text);
}

Test(mountinfo, table_of_this_machine_has_a_root) {
        CLEANUP(mount_table_clear) MountTable table = {0};
        bool root = false;

        cr_assert_eq(mountinfo_read(NULL, &table), 0);
        for (size_t i = 0; i < table.n; i++)
                root = root || strcmp(table.entries[i].point, "/") == 0;
        cr_assert(root);
        cr_assert_eq(mountinfo_read("/nonexistent", &table), -ENOENT);
}

Test(mountinfo, option_is_found_by_its_whole_name) {
        char *value = mount_option("rw,upperdirx=/no,upperdir=/up,workdir=/w", "upperdir");

        cr_assert_str_eq(value, "/up");
        free(value);
        cr_assert_null(mount_option("rw,lowerdir=/upperdir=/x", "upperdir"));
        cr_assert_null(mount_option("", "upperdir"));
}

typedef struct KindCase {
        const char *fstype;
        unsigned maj;
        SuperblockKind expected;
} KindCase;

Test(classify, kind_goes_by_the_type) {
        static const KindCase cases[] = {
                {"proc", 0, SUPERBLOCK_KERNEL},
                {"tmpfs", 0, SUPERBLOCK_KERNEL},
                {"ext4", 8, SUPERBLOCK_BLOCK},
                {"vfat", 8, SUPERBLOCK_BLOCK},
                {"btrfs", 0, SUPERBLOCK_BLOCK},
                {"nfs4", 0, SUPERBLOCK_NETWORK},
                {"cifs", 0, SUPERBLOCK_NETWORK},
                {"9p", 0, SUPERBLOCK_NETWORK},
                {"virtiofs", 0, SUPERBLOCK_NETWORK},
                {"fuse", 0, SUPERBLOCK_USER_SPACE},
                {"fuse.sshfs", 0, SUPERBLOCK_USER_SPACE},
                {"fuseblk", 8, SUPERBLOCK_USER_SPACE},
                {"overlay", 0, SUPERBLOCK_STACKED},
                {"zfs", 0, SUPERBLOCK_UNKNOWN},
                {"ext9", 0, SUPERBLOCK_UNKNOWN},
                {"ext9", 8, SUPERBLOCK_BLOCK},
                {"gfs2", 8, SUPERBLOCK_NETWORK},
                {"procx", 0, SUPERBLOCK_UNKNOWN},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++)
                cr_expect_eq(superblock_classify(cases[i].fstype, makedev(cases[i].maj, 1)),
                             cases[i].expected, "%s", cases[i].fstype);
}
