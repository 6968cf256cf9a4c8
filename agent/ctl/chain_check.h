/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chain_check.h: whether all records of the chains (policy/chain.h) are there, and as they were written.
 * Pure; where records come from is audit.c's business. In a chain a record that is missing shows by its
 * number, one that was changed by its link, and one that was inserted by a number that is taken or by having
 * none.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/chain.h"
#include "policy/event.h"

/* X(constant, word, whether it is a fault) */
#define CHAIN_FINDING_LIST(X)                                                                               \
        X(CHAIN_MISSING, "missing", true)           /* FROM to TO are not there */                          \
        X(CHAIN_LAST_MISSING, "last-missing", true) /* the same, and nothing follows */                     \
        X(CHAIN_CHANGED, "changed", true) /* it is not what was written, or the one before is not */        \
        X(CHAIN_TIME_CHANGED, "time-changed", true) /* the journal's time is not its own */                 \
        X(CHAIN_INSERTED, "inserted", true)         /* its number is another record's */                    \
        X(CHAIN_UNCHAINED, "unchained", true)       /* in the guard's name, and in no chain */              \
        X(CHAIN_LAPSED, "lapsed", false)            /* FROM to TO are older than what the journal keeps */  \
        X(CHAIN_KILLED, "killed", false)            /* FROM: its writer was killed while it wrote */        \
        X(CHAIN_RECOVERED, "recovered", false)      /* its writer had lost where the chain ended */         \
        X(CHAIN_BEGUN, "begun", false)              /* another chain of the agent's */

#define CHAIN_FINDING_CONSTANT_(constant, word, fault) constant,
typedef enum ChainFindingKind {
        CHAIN_FINDING_LIST(CHAIN_FINDING_CONSTANT_)
} ChainFindingKind;

const char *chain_finding_to_string(ChainFindingKind kind);
bool chain_finding_is_fault(ChainFindingKind kind);

/* The known words of SEKISHO_CHAIN_WRITER. */
typedef enum ChainWriter {
        WRITER_UNKNOWN,
        WRITER_AGENT,
        WRITER_KEEPER,
        WRITER_LOGINS, /* all logins of a terminal */
        WRITER_LOGIN   /* one of them, alone */
} ChainWriter;

ChainWriter chain_writer_from_string(const char *word);
const char *chain_writer_to_string(ChainWriter writer);

typedef struct ChainItem {
        char id[CHAIN_ID_TEXT]; /* "" : in no chain */
        ChainWriter writer;
        ChainBegin begin;
        EventKind kind;
        uint64_t sequence, realtime, written; /* the journal's time, and its own */
        uint64_t machine;                     /* which terminal: any number of it */
        size_t order;                         /* set by chain_check_add() */
        unsigned char link[CHAIN_LINK_SIZE], record[CHAIN_LINK_SIZE];
} ChainItem;

typedef struct ChainFinding {
        ChainFindingKind kind;
        const ChainItem *item; /* the record, or the next one that is there, or the last */
        uint64_t from, to;     /* sequences */
} ChainFinding;

typedef struct ChainCheck {
        ChainItem *items;
        size_t n, allocated;
        ChainFinding *findings;
        size_t n_findings, findings_allocated;
        size_t chains, chained, unchained_before; /* the last: from before there were chains */
} ChainCheck;

void chain_check_clear(ChainCheck *check);
#define CLEANUP_CHAIN_CHECK CLEANUP(chain_check_clear)

/* Take in a copy of ITEM. 0 or -ENOMEM. */
int chain_check_add(ChainCheck *check, const ChainItem *item);

/* Look through everything that was taken in: once, and then no more is taken in. FROM_START is whether this
 * is all that the journal has, so that it is worth telling what it does not have any more. 0 or -ENOMEM. */
int chain_check_run(ChainCheck *check, bool from_start);

/* After that: whether the chain HEAD, as its writer left it, ends there. RELIABLE: the journal goes back
 * beyond the last record, so that it must have it. WRITING: the last may not have been written. */
int chain_check_end(ChainCheck *check, const ChainHead *head, ChainWriter writer, bool writing,
                    bool reliable);

size_t chain_check_faults(const ChainCheck *check);
