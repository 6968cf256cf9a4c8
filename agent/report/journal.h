/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal.h: a record as one structured journal entry. The only place in the agent that writes to the
 * journal.
 */
#pragma once

#include "agent/report/chain.h"
#include "agent/report/record.h"

/* Write RECORD by one sd_journal_sendv call, as the next of CHAIN. May block while journald does; call it
 * from the report thread. Returns 0, -ENOTCONN if no journal listens (nothing was written), -errno. Source:
 * sd_journal_sendv(3), systemd.journal-fields(7) for OBJECT_PID. */
int journal_write(const Record *record, RecordChain *chain);
