/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chain.h: the chain on which this process writes its records (policy/chain.h). The agent's goes on from one
 * process to the next: by the file of the last one, or, where that is lost or old, from the end of the chain
 * in the journal. Belongs to one thread.
 */
#pragma once

#include "policy/chain.h"

typedef struct RecordChain {
        const char *writer; /* a constant: agent or keeper */
        char *path;         /* where it ended is kept; NULL: it ends with the process */
        int fd;
        ChainHead head;
        ChainBegin begin; /* CHAIN_GOES_ON once this process has written a record */
        bool is_open;
} RecordChain;

/* PATH (copied) may be NULL. If memory is short it is as if it were. */
void record_chain_init(RecordChain *chain, const char *writer, const char *path);
void record_chain_clear(RecordChain *chain);

/* Find out where it ended, at the first call. May read the journal; never fails: in the worst case there is
 * a new chain, and its first record says so. */
void record_chain_open(RecordChain *chain);

/* NEXT is about to be written; it was, or was not. */
void record_chain_writing(RecordChain *chain, const ChainHead *next);
void record_chain_written(RecordChain *chain, const ChainHead *next);
void record_chain_failed(RecordChain *chain);

/* The last record of WRITER in this machine's journal, of the chain ID if that is not NULL. 1, 0 if there is
 * none, -errno. Source: sd_journal_add_match(3). */
int record_chain_find(const char *writer, const char *id, ChainHead *ret);
