/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which block devices a path lies on, by a mount table. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "agent/device/carrier.h"
#include "agent/device/stack.h"
#include "policy/scope.h"

#define ROOT "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"

static const struct {
        const char *label, *table, *path;
        int expected;
        const char *disk;
} cases[] = {
        {"a file on the root file system", ROOT, "/srv/a.img", 1, "254:1"},
        {"the root itself", ROOT, "/", 1, "254:1"},
        {"a file on a stick", ROOT "30 22 8:17 / /media/stick rw - vfat /dev/sdb1 rw\n",
         "/media/stick/a.img", 1, "8:17"},
        {"a file beside it whose name begins alike",
         ROOT "30 22 8:17 / /media/stick rw - vfat /dev/sdb1 rw\n", "/media/stick2/a.img", 1, "254:1"},
        {"a file where two are mounted on one point: the last covers the first",
         ROOT "30 22 8:17 / /mnt rw - vfat /dev/sdb1 rw\n31 30 8:33 / /mnt rw - ext4 /dev/sdc1 rw\n",
         "/mnt/a", 1, "8:33"},
        {"a file below a point with a blank in it",
         ROOT "30 22 8:17 / /mnt/my\\040stick rw - vfat /dev/sdb1 rw\n", "/mnt/my stick/a.img", 1, "8:17"},
        {"a file whose mount has no source", ROOT "30 22 8:17 / /mnt rw - ext4  rw\n", "/mnt/a", 1, "8:17"},
        {"a file of a network file system", ROOT "30 22 0:50 / /home rw - nfs4 srv:/home rw\n",
         "/home/a.img", -ENODEV, NULL},
        {"a file of a user's file system", ROOT "30 22 0:51 / /mnt rw - fuse.sshfs u@h: rw\n", "/mnt/a.img",
         -ENODEV, NULL},
        {"a file of one that FUSE serves from a disk", ROOT "30 22 8:17 / /mnt rw - fuseblk /dev/sdb1 rw\n",
         "/mnt/a.img", 1, "8:17"},
        {"a file in memory", ROOT "30 22 0:30 / /tmp rw - tmpfs tmpfs rw\n", "/tmp/nothing-here", -ENODEV,
         NULL},
        {"a file whose overlay is written to a disk",
         "22 1 0:40 / / rw - overlay overlay rw,lowerdir=/ro,upperdir=/rw/up,workdir=/rw/work\n"
         "23 22 8:17 / /rw rw - ext4 /dev/sdb1 rw\n",
         "/a", 1, "8:17"},
        {"a file whose overlay is written to itself",
         "22 1 0:40 / / rw - overlay overlay rw,lowerdir=/ro,upperdir=/rw/up,workdir=/rw/work\n", "/a",
         -ENODEV, NULL},
        {"a file of a btrfs whose source is gone", ROOT "30 22 0:60 /sub /mnt rw - btrfs /dev/none rw\n",
         "/mnt/a", -ENODEV, NULL},
        {"a file where nothing is mounted", "", "/a", -ENODEV, NULL},
        {"a file by a table that is cut off", "22 1 254:1 / / rw,relat", "/a", -ENODEV, NULL},
        {"a file by a table of another form", "x\n\n - \n22 1 - ext4\n", "/a", -ENODEV, NULL},
};

Test(device_carrier, of_a_path_is_that_of_its_mount) {
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                dev_t found[2] = {0};
                char number[32];
                int r = carrier_find_in(cases[i].table, cases[i].path, found, ELEMENTS(found));

                cr_expect_eq(r, cases[i].expected, "%s: %d", cases[i].label, r);
                snprintf(number, sizeof(number), "%u:%u", major(found[0]), minor(found[0]));
                if (r > 0)
                        cr_expect_str_eq(number, cases[i].disk, "%s is on %s", cases[i].label, number);
        }
}

Test(device_carrier, says_when_there_is_no_room) {
        dev_t none;

        cr_assert_eq(carrier_find_in(ROOT, "/a", &none, 0), -E2BIG);
}

Test(device_carrier, of_the_root_file_system_makes_its_disk_the_system_disk) {
        dev_t carriers[STACK_MAX], disk;
        char path[PATH_MAX];
        struct stat st;
        int n = carrier_find("/", carriers, ELEMENTS(carriers));

        cr_assert_eq(stat("/", &st), 0);
        if (n < 0 || major(st.st_dev) == 0 || stack_disk(carriers[0], path, &disk) < 0)
                cr_skip_test("the root file system of this machine is on no disk");
        cr_expect_eq(carriers[0], st.st_dev);
        cr_expect_eq(stack_carries_root(disk), 1);
        *strrchr(path, '/') = '\0';
        cr_expect(stack_root_is_below(path));
        cr_expect_not(stack_root_is_below("/sys/devices/nothing"));
}
