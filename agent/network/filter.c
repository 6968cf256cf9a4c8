/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/filter.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "agent/network/apply.h"
#include "agent/network/watch.h"
#include "policy/scope.h"

enum {
        WHY = 256,
        PROGRAM_MAX = 16,        /* TASK_COMM_LEN */
        PATIENCE_USEC = 60000000 /* a table that takes longer is not put in force any more */
};

struct Filter {
        sd_event *event;
        FilterCallbacks callbacks;
        void *userdata;
        Watch *watch;
        char *text; /* what shall be in force */
        Apply apply;
        sd_event_source *ended, *late;
        bool again;   /* another text came while one was put in force, or it was taken away meanwhile */
        bool unheard; /* what happened while one was put in force was not all told */
        bool heard;   /* meanwhile a process changed the table whose number is not the run's: ... */
        pid_t changer;
        char program[PROGRAM_MAX]; /* ... this one, the first */
        bool counted;              /* `before' is the generation before it */
        bool numbered;             /* `generation' is that of our own last transaction */
        uint32_t before, generation;
        int error; /* of the last one */
};

static int start(Filter *filter);

/* Everything that was told by the end of the run is taken while its number is still its own. */
static int hear_the_rest(Filter *filter) {
        int r = apply_wait(&filter->apply);

        watch_drain(filter->watch);
        watch_set_own(filter->watch, 0);
        return r;
}

/* Remember which transaction put the table there. Ours is the only one since `before' where one was added:
 * what was not told then, as with a large table, was of our own, and so was what was told of a process with
 * another number. The kernel tells the number that it has in the first PID namespace, whoever listens. */
static void number_it(Filter *filter) {
        uint32_t now;

        filter->numbered = filter->error == 0 && filter->counted && watch_generation(&now) == 0 &&
                           now == filter->before + 1;
        if (filter->numbered) {
                filter->generation = now;
                return;
        }
        if (filter->heard)
                filter->callbacks.lost(filter->userdata, filter->changer, filter->program);
        if (filter->heard || (filter->unheard && filter->error == 0))
                filter->again = true;
}

/* Take the end of the run; start the next one if there is one to start. */
static void finish(Filter *filter) {
        char why[WHY];
        bool again;
        int late, r;

        filter->ended = sd_event_source_disable_unref(filter->ended);
        filter->late = sd_event_source_disable_unref(filter->late);
        late = hear_the_rest(filter);
        r = apply_finish(&filter->apply, why, sizeof(why));
        filter->error = late < 0 ? late : r;
        if (filter->error < 0 && why[0] == '\0')
                (void)snprintf(why, sizeof(why), "%s", strerror(-filter->error));
        number_it(filter);
        again = filter->again;
        filter->again = false;
        if (again) /* what came of the one before is of no interest any more */
                (void)start(filter);
        else
                filter->callbacks.done(filter->userdata, filter->error, why);
}

static int on_ended(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        (void)source;
        (void)fd;
        (void)revents;
        finish(userdata);
        return 0;
}

/* Its end is told like any other. */
static int on_late(sd_event_source *source, uint64_t usec, void *userdata) {
        Filter *filter = userdata;

        (void)source;
        (void)usec;
        (void)kill(filter->apply.pid, SIGKILL);
        return 0;
}

static int start(Filter *filter) {
        int r;

        filter->callbacks.replacing(filter->userdata);
        filter->unheard = filter->heard = false;
        filter->counted = watch_generation(&filter->before) == 0;
        r = apply_start(filter->text, &filter->apply);
        if (r >= 0) {
                watch_set_own(filter->watch, filter->apply.pid);
                r = sd_event_add_io(filter->event, &filter->ended, filter->apply.pidfd, EPOLLIN, on_ended,
                                    filter);
                if (r >= 0)
                        r = sd_event_add_time_relative(filter->event, &filter->late, CLOCK_BOOTTIME,
                                                       PATIENCE_USEC, PATIENCE_USEC / 10, on_late, filter);
                if (r < 0) /* nobody would be told of its end */
                        finish(filter);
                return 0;
        }
        filter->error = r;
        filter->callbacks.done(filter->userdata, r, strerror(-r));
        return r;
}

/* Whether nobody has changed anything since it was put in force. */
static bool is_still_ours(const Filter *filter) {
        uint32_t now;

        return filter->numbered && watch_generation(&now) == 0 && now == filter->generation;
}

/* Of the text that is in force or being put there; a filter that never had one holds nothing. */
static void on_changed(void *userdata, pid_t pid, const char *program) {
        Filter *filter = userdata;

        if (!filter->text)
                return;
        if (filter->apply.pid > 0) { /* whose it was is known when the run has ended */
                if (program && !filter->heard) {
                        filter->changer = pid;
                        (void)snprintf(filter->program, sizeof(filter->program), "%s", program);
                }
                filter->heard = filter->heard || program;
                filter->unheard = filter->unheard || !program;
                return;
        }
        if (!program && is_still_ours(filter))
                return;
        if (program || (filter->error == 0 && watch_table_exists() == 0))
                filter->callbacks.lost(filter->userdata, pid, program);
        (void)start(filter);
}

int filter_new(sd_event *event, const FilterCallbacks *callbacks, void *userdata, Filter **ret) {
        Filter *filter = calloc(1, sizeof(*filter));
        int r;

        if (!filter)
                return -ENOMEM;
        filter->event = event;
        filter->callbacks = *callbacks;
        filter->userdata = userdata;
        filter->apply = (Apply){.pidfd = -1, .errors = -1};
        r = watch_new(event, on_changed, filter, &filter->watch);
        if (r < 0) {
                filter_free(filter);
                return r;
        }
        *ret = filter;
        return 0;
}

int filter_put(Filter *filter, const char *text) {
        char *copy = strdup(text);

        if (!copy) {
                filter->error = -ENOMEM;
                filter->callbacks.done(filter->userdata, -ENOMEM, strerror(ENOMEM));
                return -ENOMEM;
        }
        if (filter->text && filter->error == 0 && filter->apply.pid == 0 &&
            strcmp(filter->text, copy) == 0) {
                free(copy);
                filter->callbacks.done(filter->userdata, 0, "");
                return 0;
        }
        free(filter->text);
        filter->text = copy;
        if (filter->apply.pid > 0) {
                filter->again = true;
                return 0;
        }
        return start(filter);
}

int filter_wait(Filter *filter, int msec) {
        while (filter->apply.pid > 0) {
                if (!apply_ends_within(&filter->apply, msec))
                        return -EINPROGRESS;
                finish(filter);
        }
        return filter->error;
}

Filter *filter_free(Filter *filter) {
        char why[WHY];

        if (!filter)
                return NULL;
        sd_event_source_disable_unref(filter->ended);
        sd_event_source_disable_unref(filter->late);
        if (filter->apply.pid > 0)
                (void)apply_finish(&filter->apply, why, sizeof(why));
        watch_free(filter->watch);
        free(filter->text);
        free(filter);
        return NULL;
}
