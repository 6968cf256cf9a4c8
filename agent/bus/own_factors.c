/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/own_factors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/thread.h"
#include "pam_module/reenrol.h"
#include "policy/scope.h"

enum {
        STACK_SIZE = 512 * 1024,
        CODE_MAX = 128
};

/* One call. The thread's own until it comes back through the pipe; the message is the loop's all the time.
 */
typedef struct Job {
        BusOwnFactors *owner;
        sd_bus_message *call; /* NULL: the bus has gone meanwhile */
        uid_t uid;
        Policy *policy;
        char store[PATH_MAX];
        bool lists; /* else it enrols: */
        Secret code, confirmation;
        TotpEnrolment *totp;
        Reenrol question;
        ReenrolVerdict verdict;
        OwnFactors found;
        int error; /* of a list */
} Job;

struct BusOwnFactors {
        BusOwnFactorsCallbacks callbacks;
        Requests requests;
        sd_bus_slot *object;
        sd_event_source *source;
        int pipe[2];
        Job *jobs[OWN_FACTORS_AT_ONCE];
};

static void job_free(Job *job) {
        sd_bus_message_unref(job->call);
        policy_unref(job->policy);
        secret_clear(&job->code);
        secret_clear(&job->confirmation);
        secret_free(job->totp);
        free(job);
}
DEFINE_CLEANUP(Job, job_free);

static void *run(void *userdata) {
        Job *job = userdata;
        ssize_t n;

        if (job->lists)
                job->error = own_factors_read(job->store, job->uid, &job->found);
        else {
                job->verdict = reenrol(&job->question);
                reenrol_record(&job->question, job->verdict);
        }
        do /* a pointer is written whole, and there is room for all that there can be */
                n = write(job->owner->pipe[1], &userdata, sizeof(userdata));
        while (n < 0 && errno == EINTR);
        return NULL;
}

static int append_factors(sd_bus_message *reply, unsigned factors) {
        int r = sd_bus_message_open_container(reply, 'a', "s");

        for (unsigned i = 0; i < FACTORS_N && r >= 0; i++)
                if (factors & FACTOR_BIT(i))
                        r = sd_bus_message_append(reply, "s", factor_to_string((Factor)i));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int reply_list(const Job *job) {
        sd_bus_message *reply = NULL;
        int r;

        if (job->error == -EPERM)
                return sd_bus_reply_method_errorf(job->call, SD_BUS_ERROR_ACCESS_DENIED,
                                                  "Several people use this account");
        if (job->error < 0)
                return sd_bus_reply_method_errno(job->call, job->error, NULL);
        r = sd_bus_message_new_method_return(job->call, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", job->found.account);
        if (r >= 0)
                r = append_factors(reply, job->found.factors);
        if (r >= 0)
                r = sd_bus_message_append(reply, "u", (uint32_t)job->found.recovery_left);
        if (r >= 0)
                r = sd_bus_message_send(reply);
        sd_bus_message_unref(reply);
        return r;
}

static int on_done(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        BusOwnFactors *own = userdata;
        void *pointer;
        Job *job;

        (void)source;
        (void)revents;
        if (read(fd, &pointer, sizeof(pointer)) != (ssize_t)sizeof(pointer))
                return 0;
        job = pointer;
        if (job->call && job->lists)
                (void)reply_list(job);
        else if (job->call)
                (void)sd_bus_reply_method_return(job->call, "su", reenrol_verdict_to_string(job->verdict),
                                                 (uint32_t)job->question.wait);
        for (size_t i = 0; i < OWN_FACTORS_AT_ONCE; i++)
                if (own->jobs[i] == job)
                        own->jobs[i] = NULL;
        job_free(job);
        return 0;
}

/* A place for a job of UID. NULL if there is none, or if one of UID's is being answered. */
static Job **find_place(BusOwnFactors *own, uid_t uid) {
        Job **place = NULL;

        for (size_t i = 0; i < OWN_FACTORS_AT_ONCE; i++)
                if (!own->jobs[i])
                        place = &own->jobs[i];
                else if (own->jobs[i]->uid == uid)
                        return NULL;
        return place;
}

static int take_secret(const void *secret, size_t length, const char *algorithm, uint32_t digits,
                       TotpEnrolment *ret) {
        int hash = totp_hash_from_string(algorithm);

        /* as long as the hash: RFC 4226, R6, and what totp_generate() makes */
        if (hash < 0 || (digits != 6 && digits != 8) ||
            length != (hash == TOTP_SHA1     ? 20U
                       : hash == TOTP_SHA256 ? 32U
                                             : TOTP_SECRET_MAX))
                return -EINVAL;
        *ret = (TotpEnrolment){.enrolled = true, .hash = (TotpHash)hash, .digits = digits, .length = length};
        memcpy(ret->secret, secret, length);
        return 0;
}

static int read_question(sd_bus_message *call, Job *job) {
        const char *code, *algorithm, *confirmation;
        const void *secret;
        uint32_t digits;
        size_t length;
        int r = sd_bus_message_read(call, "ssu", &code, &algorithm, &digits);

        if (r >= 0)
                r = sd_bus_message_read_array(call, 'y', &secret, &length);
        if (r >= 0)
                r = sd_bus_message_read(call, "s", &confirmation);
        if (r < 0)
                return r;
        if (strlen(code) >= CODE_MAX || strlen(confirmation) >= CODE_MAX)
                return -EINVAL;
        job->totp = secret_init() < 0 ? NULL : secret_alloc(sizeof(*job->totp));
        if (!job->totp)
                return -ENOMEM;
        r = take_secret(secret, length, algorithm, digits, job->totp);
        if (r == 0)
                r = secret_from(code, strlen(code), &job->code);
        return r < 0 ? r : secret_from(confirmation, strlen(confirmation), &job->confirmation);
}

/* Takes JOB over where it can be begun. */
static int begin(BusOwnFactors *own, sd_bus_message *call, const Caller *caller, Job **job,
                 sd_bus_error *error) {
        Job **place = find_place(own, caller->uid);
        const char *store = own->callbacks.store(own->callbacks.userdata);
        int r;

        if (!place)
                return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                        "Another one is being answered");
        if ((size_t)snprintf((*job)->store, PATH_MAX, "%s", store) >= PATH_MAX)
                return -ENAMETOOLONG;
        (*job)->owner = own;
        (*job)->uid = caller->uid;
        (*job)->policy = policy_ref((Policy *)own->callbacks.policy(own->callbacks.userdata));
        (*job)->question = (Reenrol){.store = (*job)->store,
                                     .policy = (*job)->policy,
                                     .uid = caller->uid,
                                     .code = (*job)->code.text,
                                     .totp = (*job)->totp,
                                     .confirmation = (*job)->confirmation.text};
        (*job)->call = sd_bus_message_ref(call);
        r = thread_start(STACK_SIZE, run, *job);
        if (r == 0)
                *place = STEAL_PTR(*job);
        return r;
}

static int answer_list(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        CLEANUP(scope_job_free) Job *job = NULL;

        if (caller->error < 0)
                return caller->error;
        job = calloc(1, sizeof(*job));
        if (!job)
                return -ENOMEM;
        job->lists = true;
        return begin(userdata, call, caller, &job, error);
}

static int answer_enrol(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        CLEANUP(scope_job_free) Job *job = NULL;
        int r;

        if (caller->error < 0)
                return caller->error;
        if (!caller->allowed)
                return request_refuse(caller, error);
        job = calloc(1, sizeof(*job));
        if (!job)
                return -ENOMEM;
        r = read_question(call, job);
        if (r == -EINVAL)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "That is no enrolment");
        return r < 0 ? r : begin(userdata, call, caller, &job, error);
}

static int method_list(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        BusOwnFactors *own = userdata;

        return request_begin(&own->requests, m, NULL, answer_list, own, error);
}

static int method_enrol(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        BusOwnFactors *own = userdata;

        return request_begin(&own->requests, m, BUS_OWN_FACTORS_ACTION, answer_enrol, own, error);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_NAMES("List", "", , "sasu",
                                 SD_BUS_PARAM(user) SD_BUS_PARAM(factors) SD_BUS_PARAM(recovery_left),
                                 method_list, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("EnrolTotp", "ssuays",
                                 SD_BUS_PARAM(code) SD_BUS_PARAM(algorithm) SD_BUS_PARAM(digits)
                                         SD_BUS_PARAM(secret) SD_BUS_PARAM(confirmation),
                                 "su", SD_BUS_PARAM(verdict) SD_BUS_PARAM(wait), method_enrol,
                                 SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_VTABLE_END};

int bus_own_factors_new(sd_event *event, int64_t priority, const BusOwnFactorsCallbacks *callbacks,
                        BusOwnFactors **ret) {
        BusOwnFactors *own = calloc(1, sizeof(*own));
        int r;

        if (!own)
                return -ENOMEM;
        own->callbacks = *callbacks;
        own->pipe[0] = own->pipe[1] = -1;
        r = pipe2(own->pipe, O_CLOEXEC) < 0 ? -errno : 0;
        if (r == 0)
                r = sd_event_add_io(event, &own->source, own->pipe[0], EPOLLIN, on_done, own);
        if (r >= 0)
                r = sd_event_source_set_priority(own->source, priority);
        if (r < 0) {
                bus_own_factors_free(own);
                return r;
        }
        *ret = own;
        return 0;
}

BusOwnFactors *bus_own_factors_free(BusOwnFactors *own) {
        if (!own)
                return NULL;
        bus_own_factors_down(own);
        sd_event_source_disable_unref(own->source);
        for (size_t i = 0; i < OWN_FACTORS_AT_ONCE; i++)
                if (own->jobs[i])
                        return NULL; /* its thread writes to the pipe yet */
        scope_close(&own->pipe[0]);
        scope_close(&own->pipe[1]);
        free(own);
        return NULL;
}

int bus_own_factors_up(BusOwnFactors *own, sd_bus *bus, const char *path) {
        int r = sd_bus_add_object_vtable(bus, &own->object, path, BUS_OWN_FACTORS_NAME, vtable, own);

        return r < 0 ? r : 0;
}

void bus_own_factors_down(BusOwnFactors *own) {
        requests_clear(&own->requests);
        for (size_t i = 0; i < OWN_FACTORS_AT_ONCE; i++)
                if (own->jobs[i])
                        own->jobs[i]->call = sd_bus_message_unref(own->jobs[i]->call);
        own->object = sd_bus_slot_unref(own->object);
}
