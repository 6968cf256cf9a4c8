/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/report/report.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "agent/report/fold.h"
#include "agent/report/hide.h"
#include "agent/report/journal.h"
#include "agent/report/ledger.h"
#include "agent/thread.h"
#include "policy/scope.h"
#include "policy/translate.h"

#define RETRY_USEC    UINT64_C(250000)
#define OVERFLOW_USEC UINT64_C(1000000) /* what lost its details is told of this often at most */
#define FAREWELL_SEC  1

enum {
        STACK_SIZE = 256 * 1024
};

struct Report {
        pthread_mutex_t lock; /* guards everything down to the blank line; never held during I/O */
        pthread_cond_t wake, done, room;
        Record *queue[REPORT_QUEUE];
        size_t head, n;
        uint64_t overflow[EVENT_KINDS];
        bool overflowed;
        bool stopping, stopped;
        ReportCounters counters;
        unsigned holders; /* owner, thread, submitters; the last one frees */

        Ledger *ledger; /* NULL: memory was short, and nobody goes on counting */
        int ledger_fd;
        int alarm; /* eventfd; -1: none */

        pthread_mutex_t listening; /* guards these two; held while the listener runs */
        ReportListener listener;
        void *listener_data;

        pthread_mutex_t hiding; /* guards the next */
        FileNamesSecret secret;

        pthread_mutex_t describing; /* guards these two; held while the describer runs */
        ReportDescriber describer;
        void *describer_data;

        Fold *fold; /* the thread's own from here on */
        RecordChain chain;
        uint64_t overflow_due;
        Record *unwritten[REPORT_QUEUE];
        size_t n_unwritten;
};

static uint64_t now_usec(void) {
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static struct timespec to_timespec(uint64_t usec) {
        return (struct timespec){.tv_sec = (time_t)(usec / 1000000),
                                 .tv_nsec = (long)(usec % 1000000) * 1000};
}

Report *report_ref(Report *report) {
        if (!report)
                return NULL;
        pthread_mutex_lock(&report->lock);
        report->holders++;
        pthread_mutex_unlock(&report->lock);
        return report;
}

void report_unref(Report *report) {
        bool last;

        if (!report)
                return;

        pthread_mutex_lock(&report->lock);
        last = --report->holders == 0;
        pthread_mutex_unlock(&report->lock);
        if (!last)
                return;
        for (size_t i = 0; i < report->n; i++)
                record_free(report->queue[(report->head + i) % REPORT_QUEUE]);
        for (size_t i = 0; i < report->n_unwritten; i++)
                record_free(report->unwritten[i]);
        fold_free(report->fold);
        record_chain_clear(&report->chain);
        ledger_unmap(report->ledger);
        if (report->ledger_fd >= 0)
                close(report->ledger_fd);
        if (report->alarm >= 0)
                close(report->alarm);
        pthread_cond_destroy(&report->wake);
        pthread_cond_destroy(&report->done);
        pthread_cond_destroy(&report->room);
        pthread_mutex_destroy(&report->lock);
        pthread_mutex_destroy(&report->listening);
        pthread_mutex_destroy(&report->describing);
        pthread_mutex_destroy(&report->hiding);
        explicit_bzero(&report->secret, sizeof(report->secret));
        free(report);
}

static void count_told(Report *report, const Record *record) {
        report->counters.written++;
        report->counters.folded += record->count - 1;
        if (report->ledger)
                report->ledger->told[record->kind] += record->count;
}

static void count_overflow(Report *report, EventKind kind, uint64_t count) {
        pthread_mutex_lock(&report->lock);
        report->overflow[kind] += count;
        report->overflowed = true;
        report->counters.overflowed++;
        pthread_mutex_unlock(&report->lock);
}

void report_listen(Report *report, ReportListener listener, void *userdata) {
        pthread_mutex_lock(&report->listening);
        report->listener = listener;
        report->listener_data = userdata;
        pthread_mutex_unlock(&report->listening);
}

static void tell_listener(Report *report, const Record *record) {
        pthread_mutex_lock(&report->listening);
        if (report->listener && (record_is_denial(record) || record->for_seat))
                report->listener(report->listener_data, record);
        pthread_mutex_unlock(&report->listening);
}

void report_hide_names(Report *report, const FileNamesSecret *secret) {
        pthread_mutex_lock(&report->hiding);
        report->secret = *secret;
        pthread_mutex_unlock(&report->hiding);
}

static void hide(Report *report, Record *record) {
        pthread_mutex_lock(&report->hiding);
        record_hide_names(record, &report->secret);
        pthread_mutex_unlock(&report->hiding);
}

/* Write one record now; what the journal does not take is kept for later, as far as there is room. */
static void write_out(Report *report, Record *record) {
        int r;

        hide(report, record);          /* before anybody else sees it */
        tell_listener(report, record); /* first: the journal may be slow */
        r = report->n_unwritten > 0 ? -ENOTCONN : journal_write(record, &report->chain);
        pthread_mutex_lock(&report->lock);
        if (r == 0) {
                count_told(report, record);
        } else
                report->counters.failed++;
        pthread_mutex_unlock(&report->lock);
        if (r == 0 || r == -ENOMEM) {
                if (r < 0)
                        count_overflow(report, record->kind, record->count);
                record_free(record);
        } else if (report->n_unwritten < REPORT_QUEUE)
                report->unwritten[report->n_unwritten++] = record;
        else {
                count_overflow(report, record->kind, record->count);
                record_free(record);
        }
}

static void retry_unwritten(Report *report) {
        size_t done = 0;

        while (done < report->n_unwritten && journal_write(report->unwritten[done], &report->chain) == 0) {
                pthread_mutex_lock(&report->lock);
                count_told(report, report->unwritten[done]);
                pthread_mutex_unlock(&report->lock);
                record_free(report->unwritten[done++]);
        }
        report->n_unwritten -= done;
        for (size_t i = 0; i < report->n_unwritten; i++)
                report->unwritten[i] = report->unwritten[i + done];
}

/* Tell of records whose detail was lost: one of their kind with the count. */
static void tell_overflow(Report *report) {
        uint64_t overflow[EVENT_KINDS];

        pthread_mutex_lock(&report->lock);
        for (size_t i = 0; i < EVENT_KINDS; i++) {
                overflow[i] = report->overflow[i];
                report->overflow[i] = 0;
        }
        report->overflowed = false;
        pthread_mutex_unlock(&report->lock);
        for (size_t i = 0; i < EVENT_KINDS; i++) {
                Record *record;

                if (overflow[i] == 0)
                        continue;
                record = record_new((EventKind)i);
                if (!record) {
                        count_overflow(report, (EventKind)i, overflow[i]);
                        continue;
                }
                record->count = overflow[i];
                record_set(record, TEXT_ERROR,
                           N_("details were lost because more happened at once than the queue holds"));
                write_out(report, record);
        }
}

static void take_in(Report *report, Record *record) {
        Record *first, *second = NULL;

        if (!record_is_denial(record) || !report->fold) {
                write_out(report, record);
                return;
        }
        first = fold_offer(report->fold, record, now_usec(), &second);
        if (first)
                write_out(report, first);
        if (second)
                write_out(report, second);
}

static void flush_due(Report *report, uint64_t now) {
        Record *record;

        while (report->fold && (record = fold_take_due(report->fold, now)))
                write_out(report, record);
}

/* When the thread has to act without being woken. */
static uint64_t next_deadline(const Report *report, uint64_t now) {
        uint64_t next = report->fold ? fold_next_due(report->fold) : UINT64_MAX;

        if (report->n_unwritten > 0 && now + RETRY_USEC < next)
                next = now + RETRY_USEC;
        return next;
}

static void *report_thread(void *userdata) {
        Report *report = userdata;
        bool last_round = false;

        while (!last_round) {
                uint64_t now = now_usec(), deadline = next_deadline(report, now);
                bool overflowed;

                pthread_mutex_lock(&report->lock);
                while (report->n == 0 && !report->stopping) {
                        uint64_t wake = report->overflowed && report->overflow_due < deadline
                                                ? report->overflow_due
                                                : deadline;
                        struct timespec until = to_timespec(wake);

                        if (wake == UINT64_MAX)
                                pthread_cond_wait(&report->wake, &report->lock);
                        else if (pthread_cond_timedwait(&report->wake, &report->lock, &until) == ETIMEDOUT)
                                break;
                }
                last_round = report->stopping && report->n <= 1;
                overflowed = report->overflowed && (last_round || now_usec() >= report->overflow_due);
                Record *record = NULL;
                if (report->n > 0) {
                        record = report->queue[report->head];
                        report->head = (report->head + 1) % REPORT_QUEUE;
                        report->n--;
                        if (report->n < REPORT_QUEUE / 2)
                                pthread_cond_broadcast(&report->room);
                }
                pthread_mutex_unlock(&report->lock);

                retry_unwritten(report);
                if (record)
                        take_in(report, record);
                if (overflowed) {
                        tell_overflow(report);
                        report->overflow_due = now_usec() + OVERFLOW_USEC;
                }
                flush_due(report, last_round ? UINT64_MAX / 2 : now_usec());
        }
        pthread_mutex_lock(&report->lock);
        report->stopped = true;
        pthread_cond_signal(&report->done);
        pthread_mutex_unlock(&report->lock);
        report_unref(report);
        return NULL;
}

int report_new(const char *writer, const char *chain_file, Report **ret) {
        Report *report = calloc(1, sizeof(*report));
        pthread_condattr_t attributes;
        int r;

        if (!report)
                return -ENOMEM;
        report->ledger_fd = -1;
        (void)ledger_new(&report->ledger, &report->ledger_fd);
        report->alarm = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        report->fold = fold_new();
        record_chain_init(&report->chain, writer, chain_file);
        pthread_mutex_init(&report->lock, NULL);
        pthread_mutex_init(&report->listening, NULL);
        pthread_mutex_init(&report->describing, NULL);
        pthread_mutex_init(&report->hiding, NULL);
        pthread_condattr_init(&attributes);
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        pthread_cond_init(&report->wake, &attributes);
        pthread_cond_init(&report->done, &attributes);
        pthread_cond_init(&report->room, &attributes);
        pthread_condattr_destroy(&attributes);
        report->holders = 2;
        r = report->fold ? thread_start(STACK_SIZE, report_thread, report) : -ENOMEM;
        if (r < 0) {
                report->holders = 1;
                report_unref(report);
                return r;
        }
        *ret = report;
        return 0;
}

Report *report_free(Report *report) {
        struct timespec until;

        if (!report)
                return NULL;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += FAREWELL_SEC;
        pthread_mutex_lock(&report->lock);
        report->stopping = true;
        pthread_cond_signal(&report->wake);
        while (!report->stopped)
                if (pthread_cond_timedwait(&report->done, &report->lock, &until) == ETIMEDOUT)
                        break; /* journald does not take it: the thread is left behind with what it holds */
        pthread_mutex_unlock(&report->lock);
        report_unref(report);
        return NULL;
}

void report_describe(Report *report, ReportDescriber describer, void *userdata) {
        pthread_mutex_lock(&report->describing);
        report->describer = describer;
        report->describer_data = userdata;
        pthread_mutex_unlock(&report->describing);
}

/* What is about somebody, and does not say yet who that is. */
static void describe(Report *report, Record *record) {
        if ((record->uid == (uid_t)-1 && record->loginuid == (uid_t)-1) || record->text[TEXT_PERSON])
                return;
        pthread_mutex_lock(&report->describing);
        if (report->describer)
                report->describer(report->describer_data, record);
        pthread_mutex_unlock(&report->describing);
}

void report_submit(Report *report, Record *record) {
        if (!record) {
                report_count_lost(report, EVENT_WRITE_DENIED);
                return;
        }
        describe(report, record);
        if (report->ledger)
                report->ledger->refused[record->kind] += record->count;
        pthread_mutex_lock(&report->lock);
        if (record_is_denial(record))
                report->counters.denied += record->count;
        if (report->n < REPORT_QUEUE) {
                report->queue[(report->head + report->n++) % REPORT_QUEUE] = record;
                record = NULL;
        } else {
                report->overflow[record->kind] += record->count;
                report->overflowed = true;
                report->counters.overflowed++;
        }
        pthread_cond_signal(&report->wake);
        pthread_mutex_unlock(&report->lock);
        record_free(record);
}

void report_wait_for_room(Report *report, unsigned msec) {
        struct timespec until = to_timespec(now_usec() + (uint64_t)msec * 1000);

        pthread_mutex_lock(&report->lock);
        while (report->n >= REPORT_QUEUE / 2 && !report->stopped)
                if (pthread_cond_timedwait(&report->room, &report->lock, &until) == ETIMEDOUT)
                        break;
        pthread_mutex_unlock(&report->lock);
}

void report_count_lost(Report *report, EventKind kind) {
        if (report->ledger)
                report->ledger->refused[kind]++;
        count_overflow(report, kind, 1);
        pthread_cond_signal(&report->wake);
}

void report_refusing(Report *report) {
        if (report->ledger)
                report->ledger->answering++;
}

void report_refused(Report *report) {
        if (report->ledger)
                report->ledger->answering--;
}

void report_asked(Report *report) {
        uint64_t one = 1;

        if (report->ledger && ledger_asked(report->ledger) && report->alarm >= 0)
                (void)!write(report->alarm, &one, sizeof(one)); /* fails only if it rings already */
}

void report_answered(Report *report) {
        if (report->ledger)
                ledger_answered(report->ledger);
}

int report_alarm_fd(const Report *report) {
        return report->alarm;
}

int report_ledger_fd(const Report *report) {
        return report->ledger_fd;
}

ReportCounters report_counters(Report *report) {
        ReportCounters counters;

        pthread_mutex_lock(&report->lock);
        counters = report->counters;
        pthread_mutex_unlock(&report->lock);
        return counters;
}
