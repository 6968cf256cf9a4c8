/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/factors.h"

#include <errno.h>
#include <string.h>

#include "agent/bus/own_factors.h"
#include "pam_module/manage.h"
#include "policy/scope.h"

enum {
        FACTOR_NAME_MAX = 32
};

typedef struct FactorsJob {
        BusJob job; /* first */
        char user[STORE_KEY_SIZE], person[STORE_KEY_SIZE], factor[FACTOR_NAME_MAX];
        TotpEnrolment *totp;
        Secret confirmation;
        Manage question;
        ManageVerdict verdict;
} FactorsJob;

static void forget(BusJob *job) {
        FactorsJob *factors = (FactorsJob *)job;

        secret_free(factors->totp);
        secret_clear(&factors->confirmation);
}

static void work(BusJob *job) {
        FactorsJob *factors = (FactorsJob *)job;

        factors->verdict = manage(&factors->question);
}

static int reply_list(const FactorsJob *factors) {
        const Manage *found = &factors->question;
        sd_bus_message *reply = NULL;
        int r = sd_bus_message_new_method_return(factors->job.call, &reply);

        if (r >= 0)
                r = sd_bus_message_append(reply, "ss", manage_verdict_to_string(factors->verdict),
                                          found->account);
        if (r >= 0)
                r = bus_append_factors(reply, found->factors);
        if (r >= 0)
                r = sd_bus_message_append(reply, "u", (uint32_t)found->recovery_left);
        if (r >= 0)
                r = sd_bus_message_send(reply);
        sd_bus_message_unref(reply);
        return r;
}

static void done(BusJob *job) {
        const FactorsJob *factors = (const FactorsJob *)job;

        if (!job->call)
                return;
        if (factors->verdict == MANAGE_DENY)
                (void)sd_bus_reply_method_errorf(job->call, SD_BUS_ERROR_FAILED, "%s",
                                                 factors->question.why ? factors->question.why : "denied");
        else if (factors->question.kind == MANAGE_LIST)
                (void)reply_list(factors);
        else
                (void)sd_bus_reply_method_return(job->call, "s", manage_verdict_to_string(factors->verdict));
}

static const BusJobKind kind = {.size = sizeof(FactorsJob), .work = work, .done = done, .forget = forget};

static int take_text(const char *text, char *ret, size_t size) {
        size_t length = strlen(text);

        if (length >= size)
                return -EINVAL;
        memcpy(ret, text, length + 1);
        return 0;
}

static int read_whom(sd_bus_message *call, FactorsJob *factors) {
        const char *user, *person;
        int r = sd_bus_message_read(call, "ss", &user, &person);

        if (r < 0)
                return r;
        r = *user ? take_text(user, factors->user, sizeof(factors->user)) : -EINVAL;
        return r < 0 ? r : take_text(person, factors->person, sizeof(factors->person));
}

static int read_question(sd_bus_message *call, ManageKind what, FactorsJob *factors) {
        const char *factor = "";
        int r = read_whom(call, factors);

        if (r >= 0 && what == MANAGE_ENROL_TOTP)
                r = bus_read_totp(call, &factors->totp, &factors->confirmation);
        if (r >= 0 && what == MANAGE_REMOVE)
                r = sd_bus_message_read(call, "s", &factor);
        return r < 0 ? r : take_text(factor, factors->factor, sizeof(factors->factor));
}

static int answer(void *userdata, ManageKind what, sd_bus_message *call, const Caller *caller,
                  sd_bus_error *error) {
        CLEANUP_BUS_JOB BusJob *job = NULL;
        FactorsJob *factors;
        int r;

        if (caller->error < 0)
                return caller->error;
        if (!caller->allowed)
                return request_refuse(caller, error);
        r = bus_job_new(userdata, &kind, call, caller, &job, error);
        if (r < 0)
                return r;
        factors = (FactorsJob *)job;
        r = read_question(call, what, factors);
        if (r == -EINVAL)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "That is no enrolment");
        if (r < 0)
                return r;
        factors->question = (Manage){.kind = what,
                                     .store = job->store,
                                     .by = job->uid,
                                     .user = factors->user,
                                     .person = factors->person,
                                     .factor = factors->factor,
                                     .totp = factors->totp,
                                     .confirmation = factors->confirmation.text};
        return bus_job_begin(&job);
}

static int answer_list(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        return answer(userdata, MANAGE_LIST, call, caller, error);
}

static int answer_enrol(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        return answer(userdata, MANAGE_ENROL_TOTP, call, caller, error);
}

static int answer_remove(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        return answer(userdata, MANAGE_REMOVE, call, caller, error);
}

static int begin(sd_bus_message *m, RequestAnswer how, void *userdata, sd_bus_error *error) {
        return request_begin(bus_jobs_requests(userdata), m, BUS_FACTORS_ACTION, how, userdata, error);
}

static int method_list(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return begin(m, answer_list, userdata, error);
}

static int method_enrol(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return begin(m, answer_enrol, userdata, error);
}

static int method_remove(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return begin(m, answer_remove, userdata, error);
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_NAMES("List", "ss", SD_BUS_PARAM(user) SD_BUS_PARAM(person), "ssasu",
                                 SD_BUS_PARAM(verdict) SD_BUS_PARAM(user) SD_BUS_PARAM(factors)
                                         SD_BUS_PARAM(recovery_left),
                                 method_list, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("EnrolTotp", "sssuays",
                                 SD_BUS_PARAM(user) SD_BUS_PARAM(person) SD_BUS_PARAM(algorithm)
                                         SD_BUS_PARAM(digits) SD_BUS_PARAM(secret)
                                                 SD_BUS_PARAM(confirmation),
                                 "s", SD_BUS_PARAM(verdict), method_enrol,
                                 SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
        SD_BUS_METHOD_WITH_NAMES("Remove", "sss",
                                 SD_BUS_PARAM(user) SD_BUS_PARAM(person) SD_BUS_PARAM(factor), "s",
                                 SD_BUS_PARAM(verdict), method_remove, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END};

int bus_factors_up(BusJobs *jobs, sd_bus *bus, const char *path) {
        return bus_jobs_up(jobs, bus, path, BUS_FACTORS_NAME, vtable);
}
