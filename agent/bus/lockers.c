/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/lockers.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-login.h>

#include "pam_module/record.h"
#include "pam_module/unlock.h"
#include "policy/scope.h"

enum {
        SERVICE_MAX = 64
};

typedef struct LockerJob {
        BusJob job; /* first */
        pid_t pid;
        char service[SERVICE_MAX], person[STORE_KEY_SIZE];
        Secret code;
        Unlock unlock;
        UnlockVerdict verdict;
} LockerJob;

static void forget(BusJob *job) {
        secret_clear(&((LockerJob *)job)->code);
}

static void work(BusJob *job) {
        LockerJob *locker = (LockerJob *)job;

        locker->verdict = unlock_decide(&locker->unlock);
        unlock_record(&locker->unlock, locker->verdict);
}

/* An unlock is told of; what needed no code names nobody. */
static void note_person(const LockerJob *job) {
        CLEANUP_FREE char *id = NULL;
        char factors[FACTORS_TEXT_SIZE];
        Session by = {.uid = job->unlock.uid};

        if (!job->unlock.who[0])
                return;
        (void)sd_pid_get_session(job->pid, &id);
        if (session_set(by.person, job->unlock.who) == 0 && (!id || session_set(by.id, id) == 0) &&
            session_set(by.factors, factors_text(job->unlock.proven, factors)) == 0)
                (void)job->job.change(job->job.userdata, &by);
}

static void done(BusJob *job) {
        const LockerJob *locker = (const LockerJob *)job;

        if (locker->verdict == UNLOCK_ALLOW)
                note_person(locker);
        if (job->call)
                (void)sd_bus_reply_method_return(job->call, "sbu", unlock_verdict_to_string(locker->verdict),
                                                 locker->unlock.shared, (uint32_t)locker->unlock.wait);
}

static const BusJobKind kind = {.size = sizeof(LockerJob), .work = work, .done = done, .forget = forget};

/* As a policy may name it: it stands in a record. */
static bool is_service(const char *text) {
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-";
        size_t length = strlen(text);

        return length > 0 && length < SERVICE_MAX && strspn(text, allowed) == length;
}

static int read_question(sd_bus_message *call, LockerJob *job) {
        const char *service, *person, *code;
        int password, r = sd_bus_message_read(call, "sbss", &service, &password, &person, &code);

        if (r < 0)
                return r;
        if (!is_service(service) || strlen(person) >= sizeof(job->person) || strlen(code) >= JOB_CODE_MAX)
                return -EINVAL;
        memcpy(job->service, service, strlen(service) + 1);
        memcpy(job->person, person, strlen(person) + 1);
        job->unlock.password = password;
        return secret_init() < 0 ? -EIO : secret_from(code, strlen(code), &job->code);
}

static int answer_authenticate(void *userdata, sd_bus_message *call, const Caller *caller,
                               sd_bus_error *error) {
        CLEANUP_BUS_JOB BusJob *job = NULL;
        LockerJob *locker;
        int r;

        if (caller->error < 0)
                return caller->error;
        r = bus_job_new(userdata, &kind, call, caller, &job, error);
        if (r < 0)
                return r;
        locker = (LockerJob *)job;
        r = read_question(call, locker);
        if (r == -EINVAL)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "That is no question of a locker");
        if (r < 0)
                return r;
        locker->pid = caller->pid;
        locker->unlock.policy = job->policy;
        locker->unlock.store = job->store;
        locker->unlock.uid = caller->uid;
        locker->unlock.service = locker->service;
        locker->unlock.person = locker->person;
        locker->unlock.code = locker->code.text;
        return bus_job_begin(&job);
}

static int method_authenticate(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return request_begin_with_process(bus_jobs_requests(userdata), m, NULL, answer_authenticate,
                                          userdata, error);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_NAMES("Authenticate", "sbss",
                                 SD_BUS_PARAM(service) SD_BUS_PARAM(password) SD_BUS_PARAM(person)
                                         SD_BUS_PARAM(code),
                                 "sbu", SD_BUS_PARAM(verdict) SD_BUS_PARAM(shared) SD_BUS_PARAM(wait),
                                 method_authenticate, SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_VTABLE_END};

int bus_lockers_up(BusJobs *jobs, sd_bus *bus, const char *path) {
        return bus_jobs_up(jobs, bus, path, BUS_LOCKERS_NAME, vtable);
}
