/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/gate/opener.h"
#include "agent/gate/operation.h"

Test(gate_opener, file_system_ids_and_groups_are_read) {
        Opener opener;

        cr_assert_eq(opener_from_status("Name:\tcp\nTgid:\t42\nPid:\t43\nUid:\t1000\t1001\t1002\t1003\n"
                                        "Gid:\t100\t101\t102\t103\nGroups:\t4 24 27 \nCoreDumping:\t0\n",
                                        &opener),
                     0);
        cr_assert_eq(opener.tgid, 42);
        cr_assert_eq(opener.subject.uid, 1003);
        cr_assert_eq(opener.subject.gid, 103);
        cr_assert_eq(opener.subject.n_groups, 3);
        cr_assert_eq(opener.subject.groups[2], 27);
        cr_assert_not(opener.core_dumping);
}

Test(gate_opener, name_that_imitates_a_line_is_not_taken_for_it) {
        Opener opener;

        /* the kernel escapes a newline in a process's name, so a line's start is a line's start */
        cr_assert_eq(opener_from_status(
                             "Name:\tx\\nUid:\t0\t0\t0\t0\nTgid:\t42\nUid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8\n",
                             &opener),
                     0);
        cr_assert_eq(opener.subject.uid, 7);
}

Test(gate_opener, missing_id_means_nobody) {
        Opener opener;

        cr_assert_eq(opener_from_status("Name:\tcp\nTgid:\t42\nGid:\t1\t1\t1\t1\n", &opener), -EBADMSG);
        cr_assert_eq(opener.subject.uid, (uid_t)-1);
        cr_assert_eq(opener_from_status("Tgid:\t42\nUid:\t1\t1\t1\nGid:\t1\t1\t1\t1\n", &opener), -EBADMSG);
        cr_assert_eq(opener_from_status("Tgid:\t42\nUid:\t1\t1\t1\t4294967296\nGid:\t1\t1\t1\t1\n", &opener),
                     -EBADMSG);
        cr_assert_eq(opener_from_status("", &opener), -EBADMSG);
}

Test(gate_opener, more_groups_than_are_looked_at_are_cut) {
        static char text[64 + 8 * (OPENER_GROUPS_MAX + 10)] =
                "Tgid:\t1\nUid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\nGroups:\t";
        Opener *opener = malloc(sizeof(*opener));
        size_t length = strlen(text);

        for (int i = 0; i < OPENER_GROUPS_MAX + 5; i++)
                length += (size_t)sprintf(text + length, "%d ", i);
        cr_assert_eq(opener_from_status(text, opener), 0);
        cr_assert_eq(opener->subject.n_groups, OPENER_GROUPS_MAX);
        free(opener);
}

Test(gate_opener, own_process_is_known) {
        Opener opener;

        cr_assert_eq(opener_read(getpid(), &opener), 0);
        cr_assert_eq(opener.subject.uid, geteuid());
        cr_assert_eq(opener_read(0x7ffffffe, &opener), -ENOENT);
        cr_assert_eq(opener.subject.uid, (uid_t)-1);
}

Test(gate_opener, thread_that_is_not_blocked_counts_as_a_write) {
        cr_assert_eq(operation_read(NULL, getpid()), OPERATION_UNKNOWN);
}
