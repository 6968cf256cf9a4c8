/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * retention.h: whether the journal can keep records for as long as the policy asks (records: keep-days), by
 * journald's settings and by how fast it has filled so far. Source: journald.conf(5), systemd.time(7).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Of journald.conf what limits how long entries are there; the last file that sets something counts. */
typedef struct JournalLimits {
        bool is_volatile;       /* Storage=volatile or none */
        uint64_t max_retention; /* seconds; 0: not by time */
        uint64_t max_use;       /* bytes; 0: journald's default */
} JournalLimits;

/* Take in the TEXT of one file. What is not understood leaves what was before, as journald does. */
void journal_limits_take(JournalLimits *limits, const char *text);

/* This terminal's: its journald.conf and what is beside it in journald.conf.d. */
void journal_limits_read(JournalLimits *ret);

typedef enum Retention {
        RETENTION_ENOUGH,
        RETENTION_VOLATILE, /* gone at the next start */
        RETENTION_BY_TIME,  /* MaxRetentionSec= is shorter */
        RETENTION_BY_SIZE   /* at the present rate the journal is full before */
} Retention;

/* Whether KEEP_DAYS can be kept: the journal holds BYTES that were written over AGE seconds, and may hold
 * MAX_USE. RET_DAYS is for how many days it can, where there is a limit. */
Retention retention_judge(const JournalLimits *limits, unsigned keep_days, uint64_t bytes, uint64_t age,
                          uint64_t max_use, uint64_t *ret_days);

/* retention_words.c: in a sentence, a new string, how a journal of BYTES whose oldest entry is of OLDEST
 * (microseconds since 1970; 0: there is none) falls short of KEEP_DAYS on this terminal. NULL if it does
 * not. */
char *retention_words(unsigned keep_days, uint64_t bytes, uint64_t oldest, uint64_t now);
/* The same by the journal that is there. */
char *retention_words_here(unsigned keep_days);

/* How many bytes the persistent journal may hold: SystemMaxUse=, or journald's default by the size of its
 * file system. 0 if that cannot be told. */
uint64_t journal_limits_max_use(const JournalLimits *limits);
