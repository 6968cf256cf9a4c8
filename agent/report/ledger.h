/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ledger.h: how many denials there were, and of how many the journal knows, in memory that outlives the
 * process: repeats are counted for up to half a minute before they are written, and an agent that is killed
 * would take them along. Its keeper maps the same memory and tells the difference. Only counts; no detail is
 * worth the time of a caller who waits. And whether callers wait for the agent, so that the keeper, which
 * looks after it while they do, can sleep while they do not.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/event.h"

typedef struct Ledger {
        _Atomic uint64_t refused[EVENT_KINDS]; /* submitted */
        _Atomic uint64_t told[EVENT_KINDS];    /* written to the journal */
        _Atomic uint64_t answering;            /* being refused just now, and not in `refused` yet */
        _Atomic uint64_t asked;                /* events being read or answered just now */
        atomic_bool asleep;                    /* the keeper wants to be woken by the next of them */
} Ledger;

/* Before an event is read: true if the keeper has to be woken. Each is followed by a ledger_answered(). */
bool ledger_asked(Ledger *ledger);
void ledger_answered(Ledger *ledger);

/* The keeper's: true if it may sleep until it is woken, false if somebody is being answered. Either side
 * writes its own word before it reads the other's, so that not both can miss each other. */
bool ledger_sleep(Ledger *ledger);

/* New shared memory, all zero, and its descriptor. 0 or -errno. */
int ledger_new(Ledger **ret, int *ret_fd);

/* That of another process. 0 or -errno. */
int ledger_map(int fd, Ledger **ret);

Ledger *ledger_unmap(Ledger *ledger); /* returns NULL */

/* What was refused and not told. */
uint64_t ledger_untold(const Ledger *ledger, EventKind kind);
