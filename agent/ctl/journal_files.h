/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal_files.h: the journal files of a directory and of everything below it, as a collector of many
 * terminals has them. What sd-journal leaves out without a word when there are too many files is an error
 * here: a record that is not shown would count as one that never was. And what a collector took in twice,
 * because a terminal sent it again after the line was cut, is told once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-journal.h>

#include "agent/ctl/event_record.h"
#include "agent/ctl/options.h"
#include "policy/chain.h"

/* Opens all journal files below DIRECTORY. 0; -ENOENT: there are none; -EMFILE: too many to be open at once;
 * -errno. */
int journal_files_open(const char *directory, sd_journal **ret);

/* Opens what OPTIONS name: --directory, --file, or the journal of this machine by FLAGS. 0, or 2 after one
 * line on stderr. */
int journal_open_named(const Options *options, int flags, sd_journal **ret);

/* Has JOURNAL show the records of --terminal alone, if that is given. 0 or -errno. */
int journal_match_terminal(sd_journal *journal, const Options *options);

enum {
        REPEAT_KEY_SIZE = 16
};

/* What was taken in already. Zeroed to begin with. */
typedef struct Repeats {
        unsigned char (*keys)[REPEAT_KEY_SIZE];
        size_t n, allocated;
} Repeats;

void repeats_clear(Repeats *repeats);

/* Whether RECORD, with the digest of everything that counts in it, was there before: the same place in the
 * same chain, the same time, and the same words. A record without a chain never was. 1, 0 or -ENOMEM. */
int repeats_take(Repeats *repeats, const EventRecord *record, ChainDigest *digest);
