/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/witness.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "agent/file.h"
#include "policy/event.h"
#include "policy/floor.h"
#include "policy/scope.h"

enum {
        ENTRIES_MAX = 20000, /* the newest; a start waits for this */
        DIGITS_MAX = 20
};

DEFINE_CLEANUP(sd_journal, sd_journal_close);

static int add_match(sd_journal *journal, const char *field, const char *value) {
        CLEANUP_FREE char *match = NULL;

        if (asprintf(&match, "%s=%s", field, value) < 0) {
                match = NULL;
                return -ENOMEM;
        }
        return sd_journal_add_match(journal, match, 0);
}

/* Fields that begin with an underscore are journald's own word on who wrote the entry. */
static int add_matches(sd_journal *journal, const char *policy_path) {
        CLEANUP_FREE char *unit = NULL;
        char own[PATH_MAX];
        ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);
        int r;

        if (n < 0)
                return -errno;
        own[n] = '\0';
        r = add_match(journal, "_UID", "0");
        if (r >= 0)
                r = add_match(journal, "_EXE", own);
        if (r >= 0 && sd_pid_get_unit(0, &unit) >= 0)
                r = add_match(journal, "_SYSTEMD_UNIT", unit);
        if (r >= 0)
                r = add_match(journal, FIELD_EVENT, event_to_string(EVENT_POLICY_LOADED));
        return r < 0 ? r : add_match(journal, FIELD_PATH, policy_path);
}

/* Of the entry the journal stands on; 0 if it has none. */
static uint64_t serial_here(sd_journal *journal) {
        static const char field[] = FIELD_POLICY_SERIAL "=";
        const size_t before = sizeof(field) - 1;
        char digits[DIGITS_MAX + 1];
        const void *data;
        size_t length;

        if (sd_journal_get_data(journal, FIELD_POLICY_SERIAL, &data, &length) < 0 || length <= before ||
            length - before > DIGITS_MAX)
                return 0;
        memcpy(digits, (const char *)data + before, length - before);
        digits[length - before] = '\0';
        return strspn(digits, "0123456789") == length - before ? strtoull(digits, NULL, 10) : 0;
}

int witness_serial(const char *policy_path, uint64_t *ret) {
        CLEANUP(scope_sd_journal_close) sd_journal *journal = NULL;
        uint64_t highest = 0;
        int r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);

        if (r >= 0)
                r = add_matches(journal, policy_path);
        if (r >= 0)
                r = sd_journal_seek_tail(journal);
        for (int i = 0; r >= 0 && i < ENTRIES_MAX; i++) {
                uint64_t serial;

                r = sd_journal_previous(journal);
                if (r <= 0)
                        break;
                serial = serial_here(journal);
                if (serial > highest)
                        highest = serial;
        }
        if (r < 0)
                return r;
        *ret = highest;
        return highest > 0;
}

int witness_restore_floor(const char *state_dir, const char *policy_path, uint64_t *ret) {
        char path[PATH_MAX], text[FLOOR_TEXT_MAX];
        Floor floor = {0};
        int r;

        if ((size_t)snprintf(path, sizeof(path), "%s/" FLOOR_NAME, state_dir) >= sizeof(path))
                return -ENAMETOOLONG;
        if (access(path, F_OK) == 0 && floor_read(state_dir, &floor) == 0)
                return 0;
        floor = (Floor){0};
        r = witness_serial(policy_path, &floor.serial);
        if (r <= 0)
                return r;
        r = file_replace(path, text, floor_format(&floor, text), 0600);
        if (r < 0)
                return r;
        *ret = floor.serial;
        return 1;
}
