/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal_source.h: where records are read from: the journal of this machine, a directory of journal files,
 * or one file.
 */
#pragma once

#include <systemd/sd-journal.h>

#include "agent/ctl/event_record.h"
#include "agent/ctl/options.h"
#include "policy/chain.h"

/* Opens what --directory or --file name, else this machine's journal, for entries that FILTER may let in. 0,
 * or 2 after one line on stderr. */
int journal_source_open(const Options *options, const EventFilter *filter, sd_journal **ret);

/* The entry the journal stands on; with DIGEST (may be NULL) of what it says. 0, -EBADMSG or -EADDRNOTAVAIL
 * if it is damaged, -errno. */
int journal_source_read(sd_journal *journal, EventRecord *ret, ChainDigest *digest);

/* Fills in what --since and --until say. 0, or 2 after one line on stderr. */
int journal_source_times(const Options *options, EventFilter *filter);
