/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.h: records on their way to the journal. Enforcers submit and go on: nothing here makes a submitter
 * wait for journald, which may itself be waiting on a file the gate has to answer for. One thread takes from
 * a bounded queue, folds repeats and writes. What the queue cannot hold is counted by kind and told.
 */
#pragma once

#include <stdint.h>

#include "agent/report/record.h"
#include "policy/file_names.h"

enum {
        REPORT_QUEUE = 512
};

typedef struct Report Report;

typedef struct ReportCounters {
        uint64_t denied;  /* denials submitted */
        uint64_t written; /* journal entries written */
        uint64_t folded;  /* denials that went out inside another record's count */
        uint64_t
                overflowed; /* records whose detail was lost because the queue was full; they were counted */
        uint64_t failed;    /* attempts to write an entry that failed (they are tried again) */
} ReportCounters;

/* Starts the thread, whose records are chained by the name of WRITER, a constant; where the chain ended is
 * kept in CHAIN_FILE, which may be NULL. 0 or -errno. */
int report_new(const char *writer, const char *chain_file, Report **ret);

/* Whoever submits from a thread that may outlive the owner's report_free() keeps a reference. */
Report *report_ref(Report *report);
void report_unref(Report *report);

/* Writes out what is queued and counted, for at most a second, then ends the thread and gives the owner's
 * reference back. Returns NULL. */
Report *report_free(Report *report);

/* Who else is told of each denial, folded as it goes to the journal and before it does. Called by the
 * reporting thread: it must not wait for anything. */
typedef void (*ReportListener)(void *userdata, const Record *record);

/* Replaces the listener; NULL for none. Once this returns the one before is not called any more. */
void report_listen(Report *report, ReportListener listener, void *userdata);

/* Who adds to a record, as it is submitted, what is known of the person. Called by the thread that submits:
 * it must not wait for anything. */
typedef void (*ReportDescriber)(void *userdata, Record *record);

/* Replaces it; NULL for none. Once this returns the one before is not called any more. */
void report_describe(Report *report, ReportDescriber describer, void *userdata);

/* From now on names of files go out of records as SECRET says, which is copied: for journal and listener. */
void report_hide_names(Report *report, const FileNamesSecret *secret);

/* Hand RECORD (may be NULL: memory was short, counted) over. Never blocks on I/O. Safe from any thread. */
void report_submit(Report *report, Record *record);

/* For a thread that nobody waits for and that has many records: until half of the queue is free, for MSEC
 * milliseconds at most. */
void report_wait_for_room(Report *report, unsigned msec);

/* Denials that could not even be made into records, for want of memory. */
void report_count_lost(Report *report, EventKind kind);

/* A caller is about to be refused, and report_submit() follows, whatever becomes of this process meanwhile.
 */
void report_refusing(Report *report);
void report_refused(Report *report);

/* An event that somebody waits for is about to be read, and has been answered. */
void report_asked(Report *report);
void report_answered(Report *report);

/* What has been refused and told, for whoever has to go on counting when this process is gone: the
 * descriptor of a ledger, borrowed; -1 if there is none. */
int report_ledger_fd(const Report *report);

/* The eventfd that report_asked() wakes a keeper by which sleeps; -1 likewise. */
int report_alarm_fd(const Report *report);

ReportCounters report_counters(Report *report);
