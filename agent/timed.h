/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timed.h: work that may hang in the kernel, waited for no longer than a deadline. A thread of its own does
 * it; one that is overdue is left behind and ends when its work does, and the next piece of work gets a new
 * one. Asked by one thread at a time.
 */
#pragma once

#include <stddef.h>

typedef struct Timed Timed;

typedef struct TimedWork {
        size_t size;              /* of a job: what is asked, and the room for its answer */
        size_t stack_size;        /* of the thread, in bytes */
        int (*run)(void *job);    /* in the thread, on a copy; what it returns is what timed_run() returns */
        void (*clear)(void *job); /* frees what a job owns; or NULL */
} TimedWork;

/* WORK has to stay. 0 or -ENOMEM; the thread is started when it is first needed. */
int timed_new(const TimedWork *work, Timed **ret);
Timed *timed_free(Timed *timed); /* returns NULL; never waits */

/* Have JOB done: it is copied bytewise, and what it owns is the thread's from now on and cleared there, also
 * on failure. With an answer within MSEC milliseconds JOB is as the work left it, and what `run` returned is
 * returned. Else -ETIMEDOUT; -EHOSTDOWN while four threads are overdue; -errno if none can be started. */
int timed_run(Timed *timed, void *job, unsigned msec);
