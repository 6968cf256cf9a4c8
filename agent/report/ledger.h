/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ledger.h: how many denials there were, and of how many the journal knows, in memory that outlives the
 * process: repeats are counted for up to half a minute before they are written, and an agent that is killed
 * would take them along. Its keeper maps the same memory and tells the difference. Only counts; no detail is
 * worth the time of a caller who waits.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "policy/event.h"

typedef struct Ledger {
        _Atomic uint64_t refused[EVENT_KINDS]; /* submitted */
        _Atomic uint64_t told[EVENT_KINDS];    /* written to the journal */
        _Atomic uint64_t answering;            /* being refused just now, and not in `refused` yet */
} Ledger;

/* New shared memory, all zero, and its descriptor. 0 or -errno. */
int ledger_new(Ledger **ret, int *ret_fd);

/* That of another process. 0 or -errno. */
int ledger_map(int fd, Ledger **ret);

Ledger *ledger_unmap(Ledger *ledger); /* returns NULL */

/* What was refused and not told. */
uint64_t ledger_untold(const Ledger *ledger, EventKind kind);
