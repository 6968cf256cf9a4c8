/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "agent/lsm/denial.h"
#include "policy/scope.h"

static struct lsm_event *event_of(int kind, const char *entries, size_t length) {
        struct lsm_event *event = calloc(1, sizeof(*event));

        cr_assert_not_null(event);
        event->kind = (__u8)kind;
        event->operation = LSM_OP_RENAME;
        event->dev = (8U << 20) | 1;
        event->pid = 42;
        event->uid = 1000;
        event->loginuid = (__u32)-1;
        memcpy(event->path, entries, length);
        event->path_length = (__u32)length;
        return event;
}

Test(lsm_denial, tells_a_path_from_its_root) {
        static const char entries[] = "file\0directory\0top"; /* the last zero is the string's own */
        CLEANUP_FREE struct lsm_event *event = event_of(LSM_EVENT_FILE, entries, sizeof(entries));
        LsmDenial denial;

        cr_assert_eq(lsm_denial_from_event(event, sizeof(*event), &denial), 0);
        cr_expect_str_eq(denial.path, "/top/directory/file");
        cr_expect_eq(denial.operation, OPERATION_RENAME);
        cr_expect_eq(denial.devnum, makedev(8, 1));
        cr_expect_eq(denial.pid, 42);
        cr_expect_eq(denial.uid, 1000);
        cr_expect_eq(denial.loginuid, (uid_t)-1);
        cr_expect_eq(denial.count, 1);
        cr_expect_str_eq(denial.base, "");
        cr_expect_str_eq(denial.exe, "");
}

Test(lsm_denial, tells_a_name_as_it_was_given) {
        static const char name[] = "../some name";
        CLEANUP_FREE struct lsm_event *event = event_of(LSM_EVENT_NAME, name, sizeof(name));
        LsmDenial denial;

        memcpy(event->base, "sub\0", 4);
        event->base_length = 4;
        cr_assert_eq(lsm_denial_from_event(event, sizeof(*event), &denial), 0);
        cr_expect_str_eq(denial.path, "../some name");
        cr_expect_str_eq(denial.base, "/sub");
}

Test(lsm_denial, keeps_the_end_of_a_path_that_is_too_long) {
        CLEANUP_FREE struct lsm_event *event = event_of(LSM_EVENT_FILE, "", 0);
        LsmDenial denial;
        size_t offset = 0;

        while (offset + 200 <= sizeof(event->path)) { /* five entries of 199 characters */
                memset(event->path + offset, 'a' + (int)(offset / 200), 199);
                offset += 200;
        }
        event->path_length = (__u32)offset;
        cr_assert_eq(lsm_denial_from_event(event, sizeof(*event), &denial), 0);
        cr_expect_eq(strlen(denial.path), offset);
        cr_expect_eq(denial.path[1], 'e');
        cr_expect_eq(denial.path[strlen(denial.path) - 1], 'a');
}

Test(lsm_denial, without_a_zero_at_the_end_stays_within_its_bounds) {
        CLEANUP_FREE struct lsm_event *event = event_of(LSM_EVENT_FILE, "", 0);
        LsmDenial denial;

        memset(event->path, 'x', sizeof(event->path));
        memset(event->base, 'y', sizeof(event->base));
        memset(event->exe, 'z', sizeof(event->exe));
        event->path_length = sizeof(event->path);
        event->base_length = sizeof(event->base);
        event->exe_length = sizeof(event->exe);
        cr_assert_eq(lsm_denial_from_event(event, sizeof(*event), &denial), 0);
        event->kind = LSM_EVENT_NAME;
        cr_assert_eq(lsm_denial_from_event(event, sizeof(*event), &denial), 0);
        cr_expect_eq(strlen(denial.path), sizeof(denial.path) - 1);
}

Test(lsm_denial, that_is_not_ours_is_refused) {
        CLEANUP_FREE struct lsm_event *event = event_of(LSM_EVENT_FILE, "", 0);
        LsmDenial denial;

        cr_expect_eq(lsm_denial_from_event(event, sizeof(*event) - 1, &denial), -EBADMSG);
        event->path_length = sizeof(event->path) + 1;
        cr_expect_eq(lsm_denial_from_event(event, sizeof(*event), &denial), -EBADMSG);
        event->path_length = 0;
        event->operation = LSM_OPS;
        cr_expect_eq(lsm_denial_from_event(event, sizeof(*event), &denial), 0);
        cr_expect_eq(denial.operation, OPERATION_UNKNOWN);
}

Test(lsm_denial, that_was_only_counted_has_nobody) {
        struct lsm_lost lost = {
                .dev = (8U << 20) | 1, .kind = LSM_EVENT_FILE, .operation = LSM_OP_WRITE, .monitor = 1};
        LsmDenial denial;

        lsm_denial_from_count(&lost, 17, &denial);
        cr_expect_eq(denial.count, 17);
        cr_expect_eq(denial.operation, OPERATION_OPEN_WRITE);
        cr_expect_eq(denial.devnum, makedev(8, 1));
        cr_expect_eq(denial.pid, 0);
        cr_expect_eq(denial.uid, (uid_t)-1);
        cr_expect(denial.monitor);
}
