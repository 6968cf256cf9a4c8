/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/report/hide.h"

#include <stdlib.h>
#include <string.h>

/* Of policies, of what the guard keeps, of nodes: nobody's documents. */
static bool is_about_files(const Record *record) {
        return record->kind == EVENT_WRITE_DENIED || record->kind == EVENT_READ_DENIED ||
               record->kind == EVENT_LATE_WRITER || record->kind == EVENT_LABELLED_WRITE ||
               record->kind == EVENT_GRANT_WRITE ||
               (record->kind == EVENT_RAW_WRITE_DENIED && record->text[TEXT_PATH] &&
                strncmp(record->text[TEXT_PATH], "/dev/", strlen("/dev/")) != 0);
}

static void replace(Record *record, RecordText which, int r, char *hidden) {
        free(record->text[which]);
        record->text[which] = r == 0 ? hidden : NULL;
}

void record_hide_names(Record *record, const FileNamesSecret *secret) {
        const char *exe = record->text[TEXT_EXE], *mount = record->text[TEXT_MOUNT];
        char *hidden = NULL;
        int r;

        if (secret->how == FILE_NAMES_PLAIN || record->names_hidden)
                return;
        record->names_hidden = true;
        if (record->text[TEXT_PATH] && is_about_files(record)) {
                r = file_names_hide(secret, record->text[TEXT_PATH], mount, &hidden);
                replace(record, TEXT_PATH, r, hidden);
        }
        if (exe && !file_names_is_program(exe)) {
                r = file_names_hide(secret, exe, mount, &hidden);
                replace(record, TEXT_EXE, r, hidden);
        }
        if (record->text[TEXT_CMDLINE]) {
                r = file_names_hide_command(record->text[TEXT_CMDLINE], &hidden);
                replace(record, TEXT_CMDLINE, r, hidden);
        }
}
