/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "agent/report/hide.h"
#include "policy/scope.h"

#define NAME "山田太郎"

static Record *record_of(EventKind kind) {
        Record *record = record_new(kind);

        cr_assert_not_null(record);
        for (int i = 0; i < RECORD_TEXTS; i++)
                record_setf(record, (RecordText)i, "text %d", i);
        record_set(record, TEXT_MOUNT, "/media/usb");
        record_set(record, TEXT_PATH, "/media/usb/" NAME ".xlsx");
        record_set(record, TEXT_EXE, "/media/usb/" NAME);
        record_set(record, TEXT_CMDLINE, "/media/usb/" NAME " " NAME);
        return record;
}

Test(report_hide, no_name_of_a_file_is_left_in_any_field_nor_in_the_message) {
        static const EventKind kinds[] = {EVENT_WRITE_DENIED, EVENT_READ_DENIED, EVENT_LATE_WRITER,
                                          EVENT_RAW_WRITE_DENIED, EVENT_GRANT_WRITE};
        static const FileNames ways[] = {FILE_NAMES_MASKED, FILE_NAMES_KEYED};

        for (size_t i = 0; i < ELEMENTS(kinds) * ELEMENTS(ways); i++) {
                FileNamesSecret secret = {.how = ways[i % ELEMENTS(ways)]};
                Record *record = record_of(kinds[i / ELEMENTS(ways)]);
                CLEANUP_FREE char *message = NULL;

                record_hide_names(record, &secret);
                for (int field = 0; field < RECORD_TEXTS; field++)
                        cr_expect(record->text[field] && !strstr(record->text[field], NAME), "%s: %s",
                                  record_text_field((RecordText)field), record->text[field]);
                cr_assert_eq(record_message(record, &message), 0);
                cr_expect_null(strstr(message, NAME));
                cr_expect(record->names_hidden);
                record_free(record);
        }
}

Test(report_hide, a_second_time_changes_nothing) {
        FileNamesSecret secret = {.how = FILE_NAMES_KEYED};
        Record *record = record_of(EVENT_WRITE_DENIED);
        CLEANUP_FREE char *path = NULL;

        record_hide_names(record, &secret);
        path = strdup(record->text[TEXT_PATH]);
        record_hide_names(record, &secret);
        cr_expect_str_eq(record->text[TEXT_PATH], path);
        record_free(record);
}

Test(report_hide, policies_and_nodes_keep_their_names) {
        FileNamesSecret secret = {.how = FILE_NAMES_MASKED};
        Record *loaded = record_new(EVENT_POLICY_LOADED), *raw = record_new(EVENT_RAW_WRITE_DENIED);

        record_set(loaded, TEXT_PATH, "/etc/sekisho/policy.d");
        record_set(raw, TEXT_PATH, "/dev/sdb1");
        record_set(raw, TEXT_EXE, "/usr/bin/dd");
        record_hide_names(loaded, &secret);
        record_hide_names(raw, &secret);
        cr_expect_str_eq(loaded->text[TEXT_PATH], "/etc/sekisho/policy.d");
        cr_expect_str_eq(raw->text[TEXT_PATH], "/dev/sdb1");
        cr_expect_str_eq(raw->text[TEXT_EXE], "/usr/bin/dd");
        record_free(loaded);
        record_free(raw);
}

Test(report_hide, plain_leaves_everything) {
        FileNamesSecret secret = {.how = FILE_NAMES_PLAIN};
        Record *record = record_of(EVENT_WRITE_DENIED);

        record_hide_names(record, &secret);
        cr_expect_str_eq(record->text[TEXT_PATH], "/media/usb/" NAME ".xlsx");
        cr_expect_not(record->names_hidden);
        record_free(record);
}
