/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/lockers.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "agent/thread.h"
#include "pam_module/record.h"
#include "pam_module/unlock.h"
#include "policy/scope.h"

enum {
        STACK_SIZE = 512 * 1024,
        SERVICE_MAX = 64,
        CODE_MAX = 128
};

/* One call. The thread's own until it comes back through the pipe; the message is the loop's all the time.
 */
typedef struct Job {
        BusLockers *owner;
        sd_bus_message *call; /* NULL: the bus has gone meanwhile */
        pid_t pid;
        Policy *policy;
        char service[SERVICE_MAX], person[STORE_KEY_SIZE], store[PATH_MAX];
        Secret code;
        Unlock unlock;
        UnlockVerdict verdict;
} Job;

struct BusLockers {
        BusLockersCallbacks callbacks;
        Requests requests;
        sd_bus_slot *object;
        sd_event_source *source;
        int pipe[2];
        Job *jobs[LOCKERS_AT_ONCE];
};

static void job_free(Job *job) {
        sd_bus_message_unref(job->call);
        policy_unref(job->policy);
        secret_clear(&job->code);
        free(job);
}
DEFINE_CLEANUP(Job, job_free);

static void *run(void *userdata) {
        Job *job = userdata;
        ssize_t n;

        job->verdict = unlock_decide(&job->unlock);
        unlock_record(&job->unlock, job->verdict);
        do /* a pointer is written whole, and there is room for all that there can be */
                n = write(job->owner->pipe[1], &userdata, sizeof(userdata));
        while (n < 0 && errno == EINTR);
        return NULL;
}

/* An unlock is told of; what needed no code names nobody. */
static void note_person(const Job *job) {
        CLEANUP_FREE char *id = NULL;
        char factors[FACTORS_TEXT_SIZE];
        Session by = {.uid = job->unlock.uid};

        if (!job->unlock.who[0])
                return;
        (void)sd_pid_get_session(job->pid, &id);
        if (session_set(by.person, job->unlock.who) == 0 && (!id || session_set(by.id, id) == 0) &&
            session_set(by.factors, factors_text(job->unlock.proven, factors)) == 0)
                (void)job->owner->callbacks.change(job->owner->callbacks.userdata, &by);
}

static int on_done(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        BusLockers *lockers = userdata;
        void *pointer;
        Job *job;

        (void)source;
        (void)revents;
        if (read(fd, &pointer, sizeof(pointer)) != (ssize_t)sizeof(pointer))
                return 0;
        job = pointer;
        if (job->verdict == UNLOCK_ALLOW)
                note_person(job);
        if (job->call)
                (void)sd_bus_reply_method_return(job->call, "sbu", unlock_verdict_to_string(job->verdict),
                                                 job->unlock.shared, (uint32_t)job->unlock.wait);
        for (size_t i = 0; i < LOCKERS_AT_ONCE; i++)
                if (lockers->jobs[i] == job)
                        lockers->jobs[i] = NULL;
        job_free(job);
        return 0;
}

/* A place for a job of UID. NULL if there is none, or if one of UID's is being answered. */
static Job **find_place(BusLockers *lockers, uid_t uid) {
        Job **place = NULL;

        for (size_t i = 0; i < LOCKERS_AT_ONCE; i++)
                if (!lockers->jobs[i])
                        place = &lockers->jobs[i];
                else if (lockers->jobs[i]->unlock.uid == uid)
                        return NULL;
        return place;
}

/* As a policy may name it: it stands in a record. */
static bool is_service(const char *text) {
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-";
        size_t length = strlen(text);

        return length > 0 && length < SERVICE_MAX && strspn(text, allowed) == length;
}

static int read_question(sd_bus_message *call, Job *job) {
        const char *service, *person, *code;
        int password, r = sd_bus_message_read(call, "sbss", &service, &password, &person, &code);

        if (r < 0)
                return r;
        if (!is_service(service) || strlen(person) >= sizeof(job->person) || strlen(code) >= CODE_MAX)
                return -EINVAL;
        memcpy(job->service, service, strlen(service) + 1);
        memcpy(job->person, person, strlen(person) + 1);
        job->unlock.password = password;
        return secret_init() < 0 ? -EIO : secret_from(code, strlen(code), &job->code);
}

static int answer_authenticate(void *userdata, sd_bus_message *call, const Caller *caller,
                               sd_bus_error *error) {
        BusLockers *lockers = userdata;
        CLEANUP(scope_job_free) Job *job = NULL;
        Job **place;
        int r;

        if (caller->error < 0)
                return caller->error;
        place = find_place(lockers, caller->uid);
        if (!place)
                return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "Another one is being answered");
        job = calloc(1, sizeof(*job));
        if (!job)
                return -ENOMEM;
        r = snprintf(job->store, sizeof(job->store), "%s",
                     lockers->callbacks.store(lockers->callbacks.userdata));
        if (r < 0 || r >= PATH_MAX)
                return -ENAMETOOLONG;
        r = read_question(call, job);
        if (r == -EINVAL)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "That is no question of a locker");
        if (r < 0)
                return r;
        job->owner = lockers;
        job->pid = caller->pid;
        job->policy = policy_ref((Policy *)lockers->callbacks.policy(lockers->callbacks.userdata));
        job->unlock.policy = job->policy;
        job->unlock.store = job->store;
        job->unlock.uid = caller->uid;
        job->unlock.service = job->service;
        job->unlock.person = job->person;
        job->unlock.code = job->code.text;
        job->call = sd_bus_message_ref(call);
        r = thread_start(STACK_SIZE, run, job);
        if (r == 0)
                *place = STEAL_PTR(job);
        return r;
}

static int method_authenticate(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        BusLockers *lockers = userdata;

        return request_begin_with_process(&lockers->requests, m, NULL, answer_authenticate, lockers, error);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_NAMES("Authenticate", "sbss",
                                 SD_BUS_PARAM(service) SD_BUS_PARAM(password) SD_BUS_PARAM(person)
                                         SD_BUS_PARAM(code),
                                 "sbu", SD_BUS_PARAM(verdict) SD_BUS_PARAM(shared) SD_BUS_PARAM(wait),
                                 method_authenticate, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_VTABLE_END};

int bus_lockers_new(sd_event *event, int64_t priority, const BusLockersCallbacks *callbacks,
                    BusLockers **ret) {
        BusLockers *lockers = calloc(1, sizeof(*lockers));
        int r;

        if (!lockers)
                return -ENOMEM;
        lockers->callbacks = *callbacks;
        lockers->pipe[0] = lockers->pipe[1] = -1;
        r = pipe2(lockers->pipe, O_CLOEXEC) < 0 ? -errno : 0;
        if (r == 0)
                r = sd_event_add_io(event, &lockers->source, lockers->pipe[0], EPOLLIN, on_done, lockers);
        if (r >= 0)
                r = sd_event_source_set_priority(lockers->source, priority);
        if (r < 0) {
                bus_lockers_free(lockers);
                return r;
        }
        *ret = lockers;
        return 0;
}

BusLockers *bus_lockers_free(BusLockers *lockers) {
        if (!lockers)
                return NULL;
        bus_lockers_down(lockers);
        sd_event_source_disable_unref(lockers->source);
        for (size_t i = 0; i < LOCKERS_AT_ONCE; i++)
                if (lockers->jobs[i])
                        return NULL; /* its thread writes to the pipe yet */
        scope_close(&lockers->pipe[0]);
        scope_close(&lockers->pipe[1]);
        free(lockers);
        return NULL;
}

int bus_lockers_up(BusLockers *lockers, sd_bus *bus, const char *path) {
        int r = sd_bus_add_object_vtable(bus, &lockers->object, path, BUS_LOCKERS_NAME, vtable, lockers);

        return r < 0 ? r : 0;
}

void bus_lockers_down(BusLockers *lockers) {
        requests_clear(&lockers->requests);
        for (size_t i = 0; i < LOCKERS_AT_ONCE; i++)
                if (lockers->jobs[i])
                        lockers->jobs[i]->call = sd_bus_message_unref(lockers->jobs[i]->call);
        lockers->object = sd_bus_slot_unref(lockers->object);
}
