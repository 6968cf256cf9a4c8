/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/audit_journal.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/journal_files.h"
#include "agent/ctl/journal_source.h"
#include "agent/ctl/text.h"

enum {
        HEADER_SIZE = 16,
        COMPATIBLE_SEALED = 1,
        DEPTH_MAX = 8 /* a directory of directories by machine */
};

/* With the guard's events alone. */
static int add_matches(sd_journal *journal) {
        int r = 0;

        for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS && r >= 0; kind++) {
                char match[128];

                (void)snprintf(match, sizeof(match), FIELD_EVENT "=%s", event_to_string((EventKind)kind));
                r = sd_journal_add_match(journal, match, 0);
        }
        return r;
}

int audit_journal_open(const Options *options, sd_journal **ret) {
        CLEANUP_JOURNAL sd_journal *journal = NULL;
        int r = journal_open_named(options, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM, &journal);

        if (r != 0)
                return r;
        (void)sd_journal_set_data_threshold(journal, 0);
        r = add_matches(journal);
        if (r >= 0)
                r = journal_match_terminal(journal, options);
        if (r < 0)
                return fail(_("cannot search the journal: %s"), strerror(-r));
        *ret = STEAL_PTR(journal);
        return 0;
}

int audit_journal_read(sd_journal *journal, EventRecord *ret, ChainDigest *digest) {
        int r = journal_source_read(journal, ret, digest);

        return r == -EBADMSG || r == -EADDRNOTAVAIL ? 0 : r < 0 ? r : 1;
}

uint64_t audit_journal_oldest(sd_journal *journal) {
        uint64_t oldest = 0;

        return sd_journal_get_cutoff_realtime_usec(journal, &oldest, NULL) > 0 ? oldest : 0;
}

/* seals */

static void look_at_file(int dir_fd, const char *name, JournalSeals *seals) {
        CLEANUP_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        unsigned char header[HEADER_SIZE];
        uint32_t flags;

        if (fd < 0 || pread(fd, header, sizeof(header), 0) != HEADER_SIZE ||
            memcmp(header, "LPKSHHRH", 8) != 0)
                return;
        memcpy(&flags, header + 8, sizeof(flags));
        seals->files++;
        if (le32toh(flags) & COMPATIBLE_SEALED)
                seals->sealed++;
}

/* What users wrote is in files of their own, which are not ours. */
static bool is_a_journal(const char *name) {
        const char *dot = strrchr(name, '.');

        return dot && (strcmp(dot, ".journal") == 0 || strcmp(dot, ".journal~") == 0) &&
               strncmp(name, "user-", strlen("user-")) != 0;
}

static void look_into(int dir_fd, const char *path, int depth, JournalSeals *seals) {
        int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CLEANUP_DIR DIR *directory = fd < 0 ? NULL : fdopendir(fd);
        const struct dirent *entry;

        if (!directory) {
                scope_close(&fd);
                return;
        }
        while ((entry = readdir(directory))) {
                if (is_a_journal(entry->d_name))
                        look_at_file(fd, entry->d_name, seals);
                else if (entry->d_name[0] != '.' && entry->d_type == DT_DIR && depth > 1)
                        look_into(fd, entry->d_name, depth - 1, seals);
        }
}

JournalSeals audit_journal_seals(const Options *options) {
        JournalSeals seals = {0};

        if (options->value[OPTION_FILE])
                look_at_file(AT_FDCWD, options->value[OPTION_FILE], &seals);
        else if (options->value[OPTION_DIRECTORY])
                look_into(AT_FDCWD, options->value[OPTION_DIRECTORY], DEPTH_MAX, &seals);
        else {
                look_into(AT_FDCWD, "/var/log/journal", DEPTH_MAX, &seals);
                look_into(AT_FDCWD, "/run/log/journal", DEPTH_MAX, &seals);
        }
        return seals;
}
