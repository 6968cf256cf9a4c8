/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jobs.h: calls that are about people's factors, which take their time: names, the store, the hashes of
 * codes. A thread answers each of them; a few at once, and one of each uid. What the thread works on is its
 * own until it comes back through a pipe; the message is the loop's all the time.
 */
#pragma once

#include <limits.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "agent/bus/request.h"
#include "agent/sessions.h"
#include "policy/model.h"

enum {
        JOBS_AT_ONCE = 4,
        JOB_CODE_MAX = 128 /* of what is typed; longer is none */
};

typedef struct BusJobs BusJobs;
typedef struct BusJob BusJob;

/* What there is to do. */
typedef struct BusJobKind {
        size_t size;                 /* of what begins with a BusJob */
        void (*work)(BusJob *job);   /* in a thread */
        void (*done)(BusJob *job);   /* in the loop; replies to CALL, unless that is NULL */
        void (*forget)(BusJob *job); /* what is its own; NULL: nothing */
} BusJobKind;

struct BusJob {
        const BusJobKind *kind;
        BusJobs *owner;
        int (*change)(void *userdata, const Session *by); /* of the callbacks */
        void *userdata;
        sd_bus_message *call; /* NULL: the bus has gone meanwhile */
        uid_t uid;            /* who calls */
        Policy *policy;
        char store[PATH_MAX]; /* the directory of enrolments */
};

typedef struct BusJobsCallbacks {
        /* the policy in force, and the directory of enrolments, borrowed until the next turn of the loop */
        const Policy *(*policy)(void *userdata);
        const char *(*store)(void *userdata);
        /* somebody has unlocked: as of BusLoginsCallbacks */
        int (*change)(void *userdata, const Session *by);
        void *userdata;
} BusJobsCallbacks;

/* 0 or -errno. */
int bus_jobs_new(sd_event *event, int64_t priority, const BusJobsCallbacks *callbacks, BusJobs **ret);

/* Calls that are being answered are left to the end of the process. Returns NULL. */
BusJobs *bus_jobs_free(BusJobs *jobs);

/* Serves INTERFACE on BUS at PATH until bus_jobs_down(); the vtable's userdata is the BusJobs. 0 or -errno.
 */
int bus_jobs_up(BusJobs *jobs, sd_bus *bus, const char *path, const char *interface,
                const sd_bus_vtable *vtable);
void bus_jobs_down(BusJobs *jobs);

/* Those that wait until it is known who calls. */
Requests *bus_jobs_requests(BusJobs *jobs);

/* A job for CALL, zeroed but for its head. 0, -ENOMEM, -ENAMETOOLONG, or negative with ERROR set if there is
 * no place for it. */
int bus_job_new(BusJobs *jobs, const BusJobKind *kind, sd_bus_message *call, const Caller *caller,
                BusJob **ret, sd_bus_error *error);
void bus_job_free(BusJob *job);

/* Begins it, and takes it over then. 0 or -errno. */
int bus_job_begin(BusJob **job);

static inline void scope_bus_job_free(BusJob **job) {
        if (*job)
                bus_job_free(*job);
}
#define CLEANUP_BUS_JOB CLEANUP(scope_bus_job_free)
