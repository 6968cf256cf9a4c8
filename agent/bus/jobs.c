/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/thread.h"
#include "policy/scope.h"

enum {
        STACK_SIZE = 512 * 1024
};

struct BusJobs {
        BusJobsCallbacks callbacks;
        Requests requests;
        sd_bus_slot *object;
        sd_event_source *source;
        int pipe[2];
        BusJob *jobs[JOBS_AT_ONCE];
};

void bus_job_free(BusJob *job) {
        if (job->kind->forget)
                job->kind->forget(job);
        sd_bus_message_unref(job->call);
        policy_unref(job->policy);
        free(job);
}

static void *run(void *userdata) {
        BusJob *job = userdata;
        ssize_t n;

        job->kind->work(job);
        do /* a pointer is written whole, and there is room for all that there can be */
                n = write(job->owner->pipe[1], &userdata, sizeof(userdata));
        while (n < 0 && errno == EINTR);
        return NULL;
}

static int on_done(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        BusJobs *jobs = userdata;
        void *pointer;
        BusJob *job;

        (void)source;
        (void)revents;
        if (read(fd, &pointer, sizeof(pointer)) != (ssize_t)sizeof(pointer))
                return 0;
        job = pointer;
        job->kind->done(job);
        for (size_t i = 0; i < JOBS_AT_ONCE; i++)
                if (jobs->jobs[i] == job)
                        jobs->jobs[i] = NULL;
        bus_job_free(job);
        return 0;
}

/* A place for a job of UID. NULL if there is none, or if one of UID's is being answered. */
static BusJob **find_place(BusJobs *jobs, uid_t uid) {
        BusJob **place = NULL;

        for (size_t i = 0; i < JOBS_AT_ONCE; i++)
                if (!jobs->jobs[i])
                        place = &jobs->jobs[i];
                else if (jobs->jobs[i]->uid == uid)
                        return NULL;
        return place;
}

int bus_job_new(BusJobs *jobs, const BusJobKind *kind, sd_bus_message *call, const Caller *caller,
                BusJob **ret, sd_bus_error *error) {
        void *userdata = jobs->callbacks.userdata;
        CLEANUP_BUS_JOB BusJob *job = NULL;
        int n;

        if (!find_place(jobs, caller->uid))
                return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "Another one is being answered");
        job = calloc(1, kind->size);
        if (!job)
                return -ENOMEM;
        job->kind = kind;
        job->owner = jobs;
        job->change = jobs->callbacks.change;
        job->userdata = userdata;
        job->uid = caller->uid;
        n = snprintf(job->store, sizeof(job->store), "%s", jobs->callbacks.store(userdata));
        if (n < 0 || n >= PATH_MAX)
                return -ENAMETOOLONG;
        job->policy = policy_ref((Policy *)jobs->callbacks.policy(userdata));
        job->call = sd_bus_message_ref(call);
        *ret = STEAL_PTR(job);
        return 0;
}

int bus_job_begin(BusJob **job) {
        BusJob **place = find_place((*job)->owner, (*job)->uid);
        int r = place ? thread_start(STACK_SIZE, run, *job) : -EBUSY;

        if (r == 0)
                *place = STEAL_PTR(*job);
        return r;
}

Requests *bus_jobs_requests(BusJobs *jobs) {
        return &jobs->requests;
}

int bus_jobs_new(sd_event *event, int64_t priority, const BusJobsCallbacks *callbacks, BusJobs **ret) {
        BusJobs *jobs = calloc(1, sizeof(*jobs));
        int r;

        if (!jobs)
                return -ENOMEM;
        jobs->callbacks = *callbacks;
        jobs->pipe[0] = jobs->pipe[1] = -1;
        r = pipe2(jobs->pipe, O_CLOEXEC) < 0 ? -errno : 0;
        if (r == 0)
                r = sd_event_add_io(event, &jobs->source, jobs->pipe[0], EPOLLIN, on_done, jobs);
        if (r >= 0)
                r = sd_event_source_set_priority(jobs->source, priority);
        if (r < 0) {
                bus_jobs_free(jobs);
                return r;
        }
        *ret = jobs;
        return 0;
}

BusJobs *bus_jobs_free(BusJobs *jobs) {
        if (!jobs)
                return NULL;
        bus_jobs_down(jobs);
        sd_event_source_disable_unref(jobs->source);
        for (size_t i = 0; i < JOBS_AT_ONCE; i++)
                if (jobs->jobs[i])
                        return NULL; /* its thread writes to the pipe yet */
        scope_close(&jobs->pipe[0]);
        scope_close(&jobs->pipe[1]);
        free(jobs);
        return NULL;
}

int bus_jobs_up(BusJobs *jobs, sd_bus *bus, const char *path, const char *interface,
                const sd_bus_vtable *vtable) {
        int r = sd_bus_add_object_vtable(bus, &jobs->object, path, interface, vtable, jobs);

        return r < 0 ? r : 0;
}

void bus_jobs_down(BusJobs *jobs) {
        requests_clear(&jobs->requests);
        for (size_t i = 0; i < JOBS_AT_ONCE; i++)
                if (jobs->jobs[i])
                        jobs->jobs[i]->call = sd_bus_message_unref(jobs->jobs[i]->call);
        jobs->object = sd_bus_slot_unref(jobs->object);
}
