/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/own_factors.h"

#include <errno.h>
#include <string.h>

#include "pam_module/reenrol.h"
#include "policy/scope.h"

typedef struct OwnJob {
        BusJob job; /* first */
        bool lists; /* else it enrols: */
        Secret code, confirmation;
        TotpEnrolment *totp;
        Reenrol question;
        ReenrolVerdict verdict;
        OwnFactors found;
        int error; /* of a list */
} OwnJob;

static void forget(BusJob *job) {
        OwnJob *own = (OwnJob *)job;

        secret_clear(&own->code);
        secret_clear(&own->confirmation);
        secret_free(own->totp);
}

static void work(BusJob *job) {
        OwnJob *own = (OwnJob *)job;

        if (own->lists) {
                own->error = own_factors_read(job->store, job->uid, &own->found);
                return;
        }
        own->verdict = reenrol(&own->question);
        reenrol_record(&own->question, own->verdict);
}

int bus_append_factors(sd_bus_message *reply, unsigned factors) {
        int r = sd_bus_message_open_container(reply, 'a', "s");

        for (unsigned i = 0; i < FACTORS_N && r >= 0; i++)
                if (factors & FACTOR_BIT(i))
                        r = sd_bus_message_append(reply, "s", factor_to_string((Factor)i));
        return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int reply_list(const OwnJob *own) {
        const BusJob *job = &own->job;
        sd_bus_message *reply = NULL;
        int r;

        if (own->error == -EPERM)
                return sd_bus_reply_method_errorf(job->call, SD_BUS_ERROR_ACCESS_DENIED,
                                                  "Several people use this account");
        if (own->error < 0)
                return sd_bus_reply_method_errno(job->call, own->error, NULL);
        r = sd_bus_message_new_method_return(job->call, &reply);
        if (r >= 0)
                r = sd_bus_message_append(reply, "s", own->found.account);
        if (r >= 0)
                r = bus_append_factors(reply, own->found.factors);
        if (r >= 0)
                r = sd_bus_message_append(reply, "u", (uint32_t)own->found.recovery_left);
        if (r >= 0)
                r = sd_bus_message_send(reply);
        sd_bus_message_unref(reply);
        return r;
}

static void done(BusJob *job) {
        const OwnJob *own = (const OwnJob *)job;

        if (job->call && own->lists)
                (void)reply_list(own);
        else if (job->call)
                (void)sd_bus_reply_method_return(job->call, "su", reenrol_verdict_to_string(own->verdict),
                                                 (uint32_t)own->question.wait);
}

static const BusJobKind kind = {.size = sizeof(OwnJob), .work = work, .done = done, .forget = forget};

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

int bus_read_totp(sd_bus_message *call, TotpEnrolment **ret, Secret *ret_confirmation) {
        const char *algorithm, *confirmation;
        TotpEnrolment *totp;
        const void *secret;
        uint32_t digits;
        size_t length;
        int r = sd_bus_message_read(call, "su", &algorithm, &digits);

        if (r >= 0)
                r = sd_bus_message_read_array(call, 'y', &secret, &length);
        if (r >= 0)
                r = sd_bus_message_read(call, "s", &confirmation);
        if (r < 0)
                return r;
        if (strlen(confirmation) >= JOB_CODE_MAX)
                return -EINVAL;
        totp = secret_init() < 0 ? NULL : secret_alloc(sizeof(*totp));
        if (!totp)
                return -ENOMEM;
        r = take_secret(secret, length, algorithm, digits, totp);
        if (r == 0)
                r = secret_from(confirmation, strlen(confirmation), ret_confirmation);
        if (r < 0)
                secret_free(totp);
        else
                *ret = totp;
        return r;
}

static int read_question(sd_bus_message *call, OwnJob *own) {
        const char *code;
        int r = sd_bus_message_read(call, "s", &code);

        if (r >= 0)
                r = bus_read_totp(call, &own->totp, &own->confirmation);
        if (r < 0)
                return r;
        return strlen(code) >= JOB_CODE_MAX ? -EINVAL : secret_from(code, strlen(code), &own->code);
}

static int answer_list(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        CLEANUP_BUS_JOB BusJob *job = NULL;
        int r;

        if (caller->error < 0)
                return caller->error;
        r = bus_job_new(userdata, &kind, call, caller, &job, error);
        if (r < 0)
                return r;
        ((OwnJob *)job)->lists = true;
        return bus_job_begin(&job);
}

static int answer_enrol(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        CLEANUP_BUS_JOB BusJob *job = NULL;
        OwnJob *own;
        int r;

        if (caller->error < 0)
                return caller->error;
        if (!caller->allowed)
                return request_refuse(caller, error);
        r = bus_job_new(userdata, &kind, call, caller, &job, error);
        if (r < 0)
                return r;
        own = (OwnJob *)job;
        r = read_question(call, own);
        if (r == -EINVAL)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "That is no enrolment");
        if (r < 0)
                return r;
        own->question = (Reenrol){.store = job->store,
                                  .policy = job->policy,
                                  .uid = job->uid,
                                  .code = own->code.text,
                                  .totp = own->totp,
                                  .confirmation = own->confirmation.text};
        return bus_job_begin(&job);
}

static int method_list(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return request_begin(bus_jobs_requests(userdata), m, NULL, answer_list, userdata, error);
}

static int method_enrol(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        return request_begin(bus_jobs_requests(userdata), m, BUS_OWN_FACTORS_ACTION, answer_enrol, userdata,
                             error);
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

int bus_own_factors_up(BusJobs *jobs, sd_bus *bus, const char *path) {
        return bus_jobs_up(jobs, bus, path, BUS_OWN_FACTORS_NAME, vtable);
}
