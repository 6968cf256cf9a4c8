/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/timed.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/thread.h"
#include "policy/scope.h"

enum {
        OVERDUE_MAX = 4
};

typedef enum State {
        STATE_IDLE,
        STATE_ASKED,
        STATE_END
} State;

/* One thread and the place where it is asked and answers. Freed by whoever lets go last. */
typedef struct Worker {
        const TimedWork *work;
        pthread_mutex_t lock;
        pthread_cond_t changed;
        unsigned holders;
        State state;
        bool answered;
        int result;
        unsigned char *job; /* as it was asked; then as the work left it */
        unsigned char *own; /* the thread's */
} Worker;

struct Timed {
        const TimedWork *work;
        Worker *worker;               /* NULL: none running */
        Worker *overdue[OVERDUE_MAX]; /* left behind, each until its work ends */
};

static void worker_release(Worker *worker) {
        bool last;

        pthread_mutex_lock(&worker->lock);
        last = --worker->holders == 0;
        pthread_mutex_unlock(&worker->lock);
        if (!last)
                return;
        pthread_cond_destroy(&worker->changed);
        pthread_mutex_destroy(&worker->lock);
        free(worker->job);
        free(worker->own);
        free(worker);
}

static void clear(const TimedWork *work, void *job) {
        if (work->clear)
                work->clear(job);
}

static void *worker_thread(void *userdata) {
        Worker *worker = userdata;
        const TimedWork *work = worker->work;

        for (;;) {
                int r;

                pthread_mutex_lock(&worker->lock);
                while (worker->state == STATE_IDLE)
                        pthread_cond_wait(&worker->changed, &worker->lock);
                if (worker->state == STATE_END)
                        break;
                worker->state = STATE_IDLE;
                memcpy(worker->own, worker->job, work->size);
                pthread_mutex_unlock(&worker->lock);

                r = work->run(worker->own);

                pthread_mutex_lock(&worker->lock);
                memcpy(worker->job, worker->own, work->size);
                worker->result = r;
                worker->answered = true;
                pthread_cond_broadcast(&worker->changed);
                pthread_mutex_unlock(&worker->lock);
                clear(work, worker->own);
        }
        pthread_mutex_unlock(&worker->lock);
        worker_release(worker);
        return NULL;
}

static int worker_start(const TimedWork *work, Worker **ret) {
        Worker *worker = calloc(1, sizeof(*worker));
        pthread_condattr_t condition;
        int r;

        if (!worker)
                return -ENOMEM;
        worker->job = calloc(1, work->size);
        worker->own = calloc(1, work->size);
        if (!worker->job || !worker->own) {
                free(worker->job);
                free(worker->own);
                free(worker);
                return -ENOMEM;
        }
        worker->work = work;
        worker->holders = 2;
        pthread_mutex_init(&worker->lock, NULL);
        pthread_condattr_init(&condition);
        pthread_condattr_setclock(&condition, CLOCK_MONOTONIC);
        pthread_cond_init(&worker->changed, &condition);
        pthread_condattr_destroy(&condition);
        r = thread_start(work->stack_size, worker_thread, worker);
        if (r < 0) {
                worker->holders = 1;
                worker_release(worker);
                return r;
        }
        *ret = worker;
        return 0;
}

/* The thread goes when its work is done; what it has not begun it does not begin. */
static void worker_end(Worker *worker) {
        pthread_mutex_lock(&worker->lock);
        if (worker->state == STATE_ASKED)
                clear(worker->work, worker->job);
        worker->state = STATE_END;
        pthread_cond_broadcast(&worker->changed);
        pthread_mutex_unlock(&worker->lock);
}

static bool worker_has_ended(Worker *worker) {
        bool ended;

        pthread_mutex_lock(&worker->lock);
        ended = worker->holders == 1;
        pthread_mutex_unlock(&worker->lock);
        return ended;
}

/* A place for one that has to be left behind; NULL while as many as may be are. */
static Worker **find_place(Timed *timed) {
        Worker **place = NULL;

        for (size_t i = 0; i < OVERDUE_MAX; i++) {
                if (timed->overdue[i] && worker_has_ended(timed->overdue[i]))
                        worker_release(STEAL_PTR(timed->overdue[i]));
                if (!timed->overdue[i])
                        place = &timed->overdue[i];
        }
        return place;
}

int timed_new(const TimedWork *work, Timed **ret) {
        Timed *timed = calloc(1, sizeof(*timed));

        if (!timed)
                return -ENOMEM;
        timed->work = work;
        *ret = timed;
        return 0;
}

Timed *timed_free(Timed *timed) {
        if (!timed)
                return NULL;
        if (timed->worker) {
                worker_end(timed->worker);
                worker_release(timed->worker);
        }
        for (size_t i = 0; i < OVERDUE_MAX; i++)
                if (timed->overdue[i])
                        worker_release(timed->overdue[i]);
        free(timed);
        return NULL;
}

static struct timespec in(unsigned msec) {
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += msec / 1000;
        until.tv_nsec += (long)(msec % 1000) * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
                until.tv_sec++;
                until.tv_nsec -= 1000000000L;
        }
        return until;
}

int timed_run(Timed *timed, void *job, unsigned msec) {
        struct timespec until = in(msec);
        Worker **place = find_place(timed), *worker;
        int r = place ? 0 : -EHOSTDOWN;

        if (r == 0 && !timed->worker)
                r = worker_start(timed->work, &timed->worker);
        worker = timed->worker;
        if (r < 0 || !worker) {
                clear(timed->work, job);
                return r < 0 ? r : -ENOMEM;
        }
        pthread_mutex_lock(&worker->lock);
        memcpy(worker->job, job, timed->work->size);
        worker->answered = false;
        worker->state = STATE_ASKED;
        pthread_cond_broadcast(&worker->changed);
        while (!worker->answered && r == 0)
                r = -pthread_cond_timedwait(&worker->changed, &worker->lock, &until);
        if (worker->answered) {
                r = worker->result;
                memcpy(job, worker->job, timed->work->size);
                pthread_mutex_unlock(&worker->lock);
                return r;
        }
        pthread_mutex_unlock(&worker->lock);
        *place = STEAL_PTR(timed->worker); /* left behind: it ends when its work does */
        worker_end(worker);
        return r;
}
