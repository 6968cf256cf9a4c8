/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/grants.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/text.h"
#include "policy/scope.h"

#define ACTION(word) "org.sekisho.guard1." word

enum {
        VALUE_MAX = 1024
};

/* What polkit is asked; of what a person does for itself, a factor of its own. */
static const char *const actions[] = {
        [GRANT_GIVE] = ACTION("grant"),        [GRANT_APPROVE] = ACTION("grant-approve"),
        [GRANT_REQUEST] = ACTION("grant-own"), [GRANT_REDEEM] = ACTION("grant-own"),
        [GRANT_REVOKE] = ACTION("grant"),      [GRANT_CLOSE] = ACTION("grant"),
        [GRANT_LIST] = ACTION("grants"),
};

/* Strings are borrowed from CALL. */
static int read_arguments(sd_bus_message *call, GrantQuestion *question) {
        int r = sd_bus_message_enter_container(call, 'a', "{ss}");

        if (r < 0)
                return r;
        for (;;) {
                const char *name, *value;

                r = sd_bus_message_read(call, "{ss}", &name, &value);
                if (r <= 0)
                        return r;
                if (question->n == GRANT_ARGUMENTS_MAX || strlen(value) > VALUE_MAX)
                        return -E2BIG;
                question->arguments[question->n++] = (GrantArgument){.name = name, .value = value};
        }
}

static int refuse(GrantRefusal refusal, sd_bus_error *error) {
        return sd_bus_error_set(error, BUS_ERROR_GRANT_REFUSED, grant_refusal_to_string(refusal));
}

/* Whose names are looked up takes a thread. To see what there is and to take it back, none is needed, so
 * that no directory is waited for. */
typedef struct GrantJob {
        BusJob job; /* first */
        BusGrants *grants;
        void (*look_up)(const GrantQuestion *question, bool names,
                        GrantPeople *ret); /* GRANTS may be gone */
        GrantQuestion question;            /* in the thread, with the user alone as its argument */
        char user[VALUE_MAX + 1];
} GrantJob;

static int decide(BusGrants *grants, sd_bus_message *call, const GrantQuestion *question,
                  sd_bus_error *error) {
        CLEANUP_FREE char *text = NULL, *valid = NULL;
        GrantRefusal refusal = grants->callbacks.ask(grants->callbacks.userdata, question, &text);

        if (refusal != GRANT_TAKEN)
                return refuse(refusal, error);
        valid = text ? text_valid(text, strlen(text)) : NULL;
        return valid ? sd_bus_reply_method_return(call, "s", valid) : -ENOMEM;
}

static void work(BusJob *job) {
        GrantJob *grant = (GrantJob *)job;

        grant->look_up(&grant->question, true, &grant->question.people);
}

static void done(BusJob *job) {
        GrantJob *grant = (GrantJob *)job;
        CLEANUP(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (!job->call) /* the bus has gone, and who asked with it */
                return;
        grant->question.n = 0;
        r = sd_bus_message_rewind(job->call, true);
        if (r >= 0)
                r = read_arguments(job->call, &grant->question);
        if (r >= 0)
                r = decide(grant->grants, job->call, &grant->question, &error);
        if (r < 0 || sd_bus_error_is_set(&error))
                (void)sd_bus_reply_method_errno(job->call, r, &error);
}

static int look_up(BusGrants *grants, sd_bus_message *call, const Caller *caller,
                   const GrantQuestion *question, sd_bus_error *error) {
        static const BusJobKind kind = {.size = sizeof(GrantJob), .work = work, .done = done};
        CLEANUP_BUS_JOB BusJob *job = NULL;
        GrantJob *grant;
        int r = grants->jobs ? bus_job_new(grants->jobs, &kind, call, caller, &job, error) : -ENOMEM;

        if (r < 0)
                return r;
        grant = (GrantJob *)job;
        grant->grants = grants;
        grant->look_up = grants->callbacks.look_up;
        grant->question = *question;
        (void)snprintf(grant->user, sizeof(grant->user), "%s", grant_argument(question, "user"));
        grant->question.arguments[0] = (GrantArgument){.name = "user", .value = grant->user};
        grant->question.n = 1;
        r = bus_job_begin(&job);
        return r < 0 ? r : 1;
}

static int answer(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        BusGrants *grants = userdata;
        int method = grant_method_from_string(sd_bus_message_get_member(call));
        GrantQuestion question = {.uid = caller->uid, .pid = caller->pid};
        int r;

        if (caller->error < 0)
                return caller->error;
        if (!caller->allowed || method < 0)
                return request_refuse(caller, error);
        question.method = (GrantMethod)method;
        r = read_arguments(call, &question);
        if (r == -E2BIG)
                return refuse(GRANT_BAD_ARGUMENTS, error);
        if (r < 0)
                return r;
        if (question.method != GRANT_LIST && question.method != GRANT_REVOKE)
                return look_up(grants, call, caller, &question, error);
        grants->callbacks.look_up(&question, false, &question.people);
        return decide(grants, call, &question, error);
}

static int on_call(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        BusGrants *grants = userdata;
        int method = grant_method_from_string(sd_bus_message_get_member(m));

        if (method < 0)
                return -EBADMSG;
        return request_begin_with_process(&grants->requests, m, actions[method], answer, grants, error);
}

#define METHOD(name)                                                                                        \
        SD_BUS_METHOD_WITH_NAMES(name, "a{ss}", SD_BUS_PARAM(arguments), "s", SD_BUS_PARAM(json), on_call,  \
                                 SD_BUS_VTABLE_UNPRIVILEGED)
static const sd_bus_vtable vtable[] = {SD_BUS_VTABLE_START(0), METHOD("Give"),   METHOD("Approve"),
                                       METHOD("Request"),      METHOD("Redeem"), METHOD("Revoke"),
                                       METHOD("Close"),        METHOD("List"),   SD_BUS_VTABLE_END};

int bus_grants_up(BusGrants *grants, sd_bus *bus, const char *path) {
        int r = sd_bus_add_object_vtable(bus, &grants->object, path, BUS_GRANTS_NAME, vtable, grants);

        return r < 0 ? r : 0;
}

void bus_grants_down(BusGrants *grants) {
        requests_clear(&grants->requests);
        if (grants->jobs)
                bus_jobs_down(grants->jobs);
        grants->object = sd_bus_slot_unref(grants->object);
}
