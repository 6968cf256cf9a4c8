/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/logins.h"

#include <errno.h>

#include "policy/token.h"

/* What both calls that name a person begin with: session, uid, person, factors, terminal, remote, token. */
static int read_person(sd_bus_message *call, Session *ret) {
        const char *id, *person, *factors, *terminal, *token;
        Token parsed;
        uint32_t uid;
        int remote, r = sd_bus_message_read(call, "susssbs", &id, &uid, &person, &factors, &terminal,
                                            &remote, &token);

        if (r < 0)
                return r;
        ret->uid = uid;
        ret->remote = remote;
        if (!*person || session_set(ret->id, id) < 0 || session_set(ret->person, person) < 0 ||
            session_set(ret->factors, factors) < 0 || session_set(ret->token, token) < 0 ||
            token_parse(token, &parsed) < 0)
                return -EINVAL;
        /* is shown and compared, and nothing hangs on it */
        return session_set(ret->terminal, terminal) < 0 ? session_set(ret->terminal, "") : 0;
}

static int reply(sd_bus_message *call, int r, sd_bus_error *error) {
        if (r == -EINVAL)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "That is no session, or not of a person");
        if (r == -ENOENT)
                return sd_bus_error_set(error, SD_BUS_ERROR_FILE_NOT_FOUND, "There is no such session");
        return r < 0 ? r : sd_bus_reply_method_return(call, NULL);
}

static int answer_open(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        BusLogins *logins = userdata;
        Session session = {0};
        const char *service;
        uint32_t leader;
        int r;

        if (!caller->allowed)
                return request_refuse(caller, error);
        r = read_person(call, &session);
        if (r >= 0)
                r = sd_bus_message_read(call, "su", &service, &leader);
        if (r >= 0 && (leader == 0 || leader > INT32_MAX || session_set(session.service, service) < 0))
                r = -EINVAL;
        if (r >= 0) {
                session.leader = (pid_t)leader;
                r = logins->callbacks.open(logins->callbacks.userdata, &session);
        }
        return reply(call, r, error);
}

static int answer_change(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        BusLogins *logins = userdata;
        Session by = {0};
        int r;

        if (!caller->allowed)
                return request_refuse(caller, error);
        r = read_person(call, &by);
        if (r >= 0)
                r = logins->callbacks.change(logins->callbacks.userdata, &by);
        return reply(call, r, error);
}

static int answer_close(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        BusLogins *logins = userdata;
        uint32_t leader;
        int r;

        if (!caller->allowed)
                return request_refuse(caller, error);
        r = sd_bus_message_read(call, "u", &leader);
        if (r >= 0)
                r = logins->callbacks.close(logins->callbacks.userdata, (pid_t)leader);
        return reply(call, r, error);
}

#define DEFINE_METHOD(name)                                                                                 \
        static int method_##name(sd_bus_message *m, void *userdata, sd_bus_error *error) {                  \
                BusLogins *logins = userdata;                                                               \
                return request_begin(&logins->requests, m, NULL, answer_##name, logins, error);             \
        }                                                                                                   \
        struct method_##name##_semicolon

DEFINE_METHOD(open);
DEFINE_METHOD(change);
DEFINE_METHOD(close);

/* "Unprivileged" as in service.c: who calls is asked without waiting for the bus. */
static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_NAMES("OpenSession", "susssbssu",
                                 SD_BUS_PARAM(session) SD_BUS_PARAM(uid) SD_BUS_PARAM(person) SD_BUS_PARAM(
                                         factors) SD_BUS_PARAM(terminal) SD_BUS_PARAM(remote)
                                         SD_BUS_PARAM(token) SD_BUS_PARAM(service) SD_BUS_PARAM(leader),
                                 "", , method_open, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("ChangePerson", "susssbs",
                                 SD_BUS_PARAM(session) SD_BUS_PARAM(uid) SD_BUS_PARAM(person)
                                         SD_BUS_PARAM(factors) SD_BUS_PARAM(terminal) SD_BUS_PARAM(remote)
                                                 SD_BUS_PARAM(token),
                                 "", , method_change, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("CloseSession", "u", SD_BUS_PARAM(leader), "", , method_close,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END};

int bus_logins_up(BusLogins *logins, sd_bus *bus, const char *path) {
        int r = sd_bus_add_object_vtable(bus, &logins->object, path, BUS_LOGINS_NAME, vtable, logins);

        return r < 0 ? r : 0;
}

void bus_logins_down(BusLogins *logins) {
        requests_clear(&logins->requests);
        logins->object = sd_bus_slot_unref(logins->object);
}
