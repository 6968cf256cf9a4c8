/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "agent/audit/parse.h"

#define SYSCALL_7                                                                                           \
        "audit(1795240771.155:7): arch=c000003e syscall=257 success=no exit=-30 a0=3 a1=1 a2=c1 a3=1a4 "    \
        "items=1 "                                                                                          \
        "ppid=3471 pid=3472 auid=1001 uid=1000 gid=0 euid=0 suid=0 fsuid=1002 egid=0 sgid=0 fsgid=0 "       \
        "tty=(none) "                                                                                       \
        "ses=3 comm=\"cp\" exe=\"/usr/bin/cp\" key=\"sekisho\""

static AuditParser parser;

Test(audit_parse, attempt_is_put_together_from_its_records) {
        const AuditEvent *event;

        cr_assert_null(audit_parse(&parser, AUDIT_SYSCALL, SYSCALL_7));
        cr_assert_null(audit_parse(&parser, AUDIT_CWD, "audit(1795240771.155:7): cwd=\"/home/a\""));
        cr_assert_null(audit_parse(
                &parser, AUDIT_PATH,
                "audit(1795240771.155:7): item=0 name=\"/media/x\" inode=2 dev=fd:0a mode=040755 "
                "ouid=0 ogid=0 rdev=00:00 nametype=PARENT cap_fp=0"));
        cr_assert_null(audit_parse(&parser, AUDIT_PROCTITLE,
                                   "audit(1795240771.155:7): proctitle=6370002F6574632F70617373776400"));
        event = audit_parse(&parser, AUDIT_EOE, "audit(1795240771.155:7): ");
        cr_assert_not_null(event);
        cr_assert_eq(event->syscall, 257);
        cr_assert_eq(event->exit, -EROFS);
        cr_assert_eq(event->pid, 3472);
        cr_assert_eq(event->uid, 1002);
        cr_assert_eq(event->loginuid, 1001);
        cr_assert_str_eq(event->exe, "/usr/bin/cp");
        cr_assert_str_eq(event->key, "sekisho");
        cr_assert_str_eq(event->cwd, "/home/a");
        cr_assert_str_eq(event->command, "cp /etc/passwd");
        cr_assert_eq(event->n_paths, 1);
        cr_assert_eq(event->paths[0].devnum, makedev(0xfd, 0x0a));
        cr_assert(event->paths[0].parent);
        cr_assert_str_eq(event->paths[0].name, "/media/x");
}

Test(audit_parse, attempts_that_interleave_are_kept_apart) {
        const AuditEvent *event;

        audit_parse(&parser, AUDIT_SYSCALL, SYSCALL_7);
        audit_parse(&parser, AUDIT_SYSCALL,
                    "audit(1795240771.155:8): arch=c000003e syscall=83 success=no exit=-30 pid=9 "
                    "auid=4294967295 "
                    "fsuid=0 exe=\"/usr/bin/mkdir\" key=\"sekisho\"");
        audit_parse(&parser, AUDIT_CWD, "audit(1795240771.155:7): cwd=\"/seven\"");
        audit_parse(&parser, AUDIT_CWD, "audit(1795240771.155:8): cwd=\"/eight\"");
        event = audit_parse(&parser, AUDIT_EOE, "audit(1795240771.155:8): ");
        cr_assert_str_eq(event->cwd, "/eight");
        cr_assert_eq(event->loginuid, (uid_t)-1);
        event = audit_parse(&parser, AUDIT_EOE, "audit(1795240771.155:7): ");
        cr_assert_str_eq(event->cwd, "/seven");
}

Test(audit_parse, name_in_hex_is_decoded_and_made_safe) {
        const AuditEvent *event;

        audit_parse(&parser, AUDIT_SYSCALL, SYSCALL_7);
        audit_parse(&parser, AUDIT_PATH,
                    "audit(1.1:7): item=0 name=E4BD8FE6B0910A1B dev=08:01 nametype=NORMAL");
        event = audit_parse(&parser, AUDIT_EOE, "audit(1795240771.155:7): ");
        cr_assert_str_eq(event->paths[0].name, "住民??");
}

Test(audit_parse, value_inside_a_quoted_name_is_not_taken_for_a_field) {
        const AuditEvent *event;

        /* the kernel writes a name with a space or a quote in hex, so a quoted name has neither */
        audit_parse(&parser, AUDIT_SYSCALL, SYSCALL_7);
        audit_parse(&parser, AUDIT_PATH, "audit(1.1:7): item=0 name=\"/a\" dev=08:01 nametype=NORMAL");
        event = audit_parse(&parser, AUDIT_EOE, "audit(1795240771.155:7): ");
        cr_assert_eq(event->paths[0].devnum, makedev(8, 1));
}

Test(audit_parse, what_is_not_understood_makes_no_attempt) {
        cr_assert_null(audit_parse(&parser, AUDIT_EOE, "audit(1795240771.155:99): "));
        cr_assert_null(audit_parse(&parser, AUDIT_SYSCALL, "nonsense"));
        audit_parse(&parser, AUDIT_SYSCALL, "audit(1.1:5): nothing here");
        cr_assert_null(audit_parse(&parser, AUDIT_EOE, "audit(1.1:5): "));
}

Test(audit_parse, flood_of_unfinished_attempts_is_counted) {
        char text[64];

        for (int i = 1; i <= AUDIT_IN_FLIGHT + 3; i++) {
                snprintf(text, sizeof(text), "audit(1.1:%d): syscall=1 exit=-30", i);
                audit_parse(&parser, AUDIT_SYSCALL, text);
        }
        cr_assert_eq(parser.dropped, 3);
}

Test(audit_parse, calls_have_their_names) {
        cr_assert_eq(audit_operation(SYS_mkdirat), OPERATION_MKDIR);
        cr_assert_eq(audit_operation(SYS_renameat2), OPERATION_RENAME);
        cr_assert_eq(audit_operation(SYS_openat), OPERATION_OPEN_WRITE);
        cr_assert_eq(audit_operation(-1), OPERATION_UNKNOWN);
}
