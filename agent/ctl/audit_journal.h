/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audit_journal.h: the journal that a command was told to read: this terminal's, the files in a directory
 * (--directory), or one file (--file). And what its files say of themselves.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-journal.h>

#include "agent/ctl/event_record.h"
#include "agent/ctl/options.h"
#include "policy/chain.h"
#include "policy/scope.h"

DEFINE_CLEANUP(sd_journal, sd_journal_close);
#define CLEANUP_JOURNAL CLEANUP(scope_sd_journal_close)

/* Opened with a match for the guard's events alone. 0, or 2 after one line on stderr. */
int audit_journal_open(const Options *options, sd_journal **ret);

/* The entry that it stands on; with DIGEST (may be NULL) of everything that it says. 1, 0 for one that is
 * damaged and is passed over, or -errno. */
int audit_journal_read(sd_journal *journal, EventRecord *ret, ChainDigest *digest);

/* When the oldest entry of all was written; 0 if there is none. */
uint64_t audit_journal_oldest(sd_journal *journal);

/* How many journal files there are, and how many of them are sealed (FSS). Source: the header's compatible
 * flags, systemd.io/JOURNAL_FILE_FORMAT. */
typedef struct JournalSeals {
        size_t files, sealed;
} JournalSeals;
JournalSeals audit_journal_seals(const Options *options);
