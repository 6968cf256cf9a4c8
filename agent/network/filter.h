/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter.h: the table in force. It is replaced in one transaction, stays when nobody is there, and comes
 * back when somebody else changes or removes it.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

typedef struct Filter Filter;

typedef struct FilterCallbacks {
        /* A table is about to be replaced, by which its counters begin anew. */
        void (*replacing)(void *userdata);
        /* What was asked for last is in force (0), or not: the table before still is. WHY is a line. */
        void (*done)(void *userdata, int error, const char *why);
        /* Somebody took it away; it is being put back. PROGRAM may be NULL, PID 0. */
        void (*lost)(void *userdata, pid_t pid, const char *program);
} FilterCallbacks;

/* 0 or -errno. CALLBACKS are copied. */
int filter_new(sd_event *event, const FilterCallbacks *callbacks, void *userdata, Filter **ret);

/* Put the commands TEXT (network_table_text()) in force, soon; `done' says when. 0 or -errno. */
int filter_put(Filter *filter, const char *text);

/* Wait until what was put is done, for MSEC at most. 0 or -errno, as `done' had it; -EINPROGRESS. */
int filter_wait(Filter *filter, int msec);

/* Leaves the table. Returns NULL. */
Filter *filter_free(Filter *filter);
