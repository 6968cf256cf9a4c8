/* SPDX-License-Identifier: GPL-2.0-or-later */
/* measure.h: what the parts of sekisho-measure share. Each measure_*() prints numbers and returns an exit
 * status. */
#pragma once

#include <stdint.h>
#include <systemd/sd-journal.h>

#include "policy/scope.h"

#define CLEANUP_JOURNAL CLEANUP(scope_sd_journal_close)
DEFINE_CLEANUP(sd_journal, sd_journal_close);

enum {
        POLL_NS = 50000,       /* how often a state is asked for that nothing announces: the precision */
        DEADLINE_SECONDS = 10, /* of one turn */
};

/* CLOCK_MONOTONIC. */
int64_t now_ns(void);

/* When a turn that begins now is late. */
int64_t deadline_ns(void);

/* Lets NS pass, less than a second. */
void pause_ns(long ns);

/* Says what failed and by which errno, of either sign. EXIT_FAILURE. */
int failed(const char *what, int error);

/* measure_files.c */
int measure_open(const char *path, int flags, long count);
int measure_create(const char *directory, long count, long bytes);
int measure_write(const char *path, long mib, long count);

/* measure_refusals.c */
int measure_refused(const char *path, long count);
int measure_denied(long count, const char *directory);
/* The journal from now on. 0 or -errno. */
int open_journal(sd_journal **ret);
/* Reads on until an entry has VALUE as its FIELD. 0 or -errno. */
int await_record(sd_journal *journal, const char *field, const char *value, int64_t until);

/* measure_connections.c */
int measure_unreachable(long count, const char *first, long uid);

/* measure_devices.c */
int measure_hold(long number, const char *image, long count);
int measure_uevent(const char *subsystem, const char *type, const char *attribute,
                   const char *const *values);
int measure_raw(void);
