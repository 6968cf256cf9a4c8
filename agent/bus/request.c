/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define POLKIT_NAME      "org.freedesktop.PolicyKit1"
#define POLKIT_PATH      "/org/freedesktop/PolicyKit1/Authority"
#define POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define BUS_NAME         "org.freedesktop.DBus"
#define BUS_PATH         "/org/freedesktop/DBus"

#define WHO_TIMEOUT_USEC    UINT64_C(10000000)
#define POLKIT_TIMEOUT_USEC UINT64_C(10000000)
#define PERSON_TIMEOUT_USEC UINT64_C(120000000) /* somebody types a password */

enum {
        POLKIT_ALLOW_INTERACTION = 1 /* polkit: CheckAuthorizationFlags */
};

struct Request {
        Requests *owner;
        Request *next;
        sd_bus_message *call;
        sd_bus_slot *slot; /* what is waited for */
        const char *action;
        bool wants_process;
        bool asks_polkit; /* counts */
        RequestAnswer answer;
        void *userdata;
        Caller caller;
};

static void request_free(Request *request) {
        for (Request **at = &request->owner->first; *at; at = &(*at)->next)
                if (*at == request) {
                        *at = request->next;
                        break;
                }
        sd_bus_slot_unref(request->slot);
        sd_bus_message_unref(request->call);
        free(request);
}

static int too_many(sd_bus_error *error) {
        return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED, "Too many calls are waiting already");
}

static int finish(Request *request) {
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = request->answer(request->userdata, request->call, &request->caller, &error);

        if (r == -ENOBUFS && request->caller.error == -ENOBUFS && !sd_bus_error_is_set(&error))
                (void)too_many(&error);
        if (r < 0 || sd_bus_error_is_set(&error))
                (void)sd_bus_reply_method_errno(request->call, r, &error);
        sd_bus_error_free(&error);
        request_free(request);
        return 1;
}

/* Asks the bus METHOD about the caller. */
static int ask_bus(Request *request, const char *method, sd_bus_message_handler_t handler) {
        sd_bus *bus = sd_bus_message_get_bus(request->call);
        sd_bus_message *m = NULL;
        /* not sd_bus_query_sender_creds(), which waits for the bus */
        int r = sd_bus_message_new_method_call(bus, &m, BUS_NAME, BUS_PATH, BUS_NAME, method);

        request->slot = sd_bus_slot_unref(request->slot);
        if (r >= 0)
                r = sd_bus_message_append(m, "s", request->caller.name);
        if (r >= 0)
                r = sd_bus_call_async(bus, &request->slot, m, handler, request, WHO_TIMEOUT_USEC);
        sd_bus_message_unref(m);
        return r;
}

static int on_process(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Request *request = userdata;
        uint32_t pid;

        (void)error;
        if (sd_bus_message_is_method_error(m, NULL) > 0)
                request->caller.error = -EACCES;
        else if (sd_bus_message_read(m, "u", &pid) <= 0 || pid == 0 || pid > INT32_MAX)
                request->caller.error = -EBADMSG;
        else
                request->caller.pid = (pid_t)pid;
        request->caller.allowed = request->caller.allowed && request->caller.error == 0;
        return finish(request);
}

/* Who is not allowed has no need to be looked at. */
static int go_on(Request *request) {
        if (!request->wants_process || !request->caller.allowed)
                return finish(request);
        if (ask_bus(request, "GetConnectionUnixProcessID", on_process) >= 0)
                return 1;
        request->caller.error = -ENOMEM;
        request->caller.allowed = false;
        return finish(request);
}

static int on_polkit(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Request *request = userdata;
        int allowed = 0, challenge = 0;

        (void)error;
        request->asks_polkit = false;
        if (sd_bus_message_is_method_error(m, NULL) <= 0 &&
            sd_bus_message_enter_container(m, 'r', NULL) > 0 &&
            sd_bus_message_read(m, "bb", &allowed, &challenge) > 0) {
                request->caller.allowed = allowed;
                request->caller.challenge = !allowed && challenge;
        }
        return go_on(request);
}

static int ask_polkit(Request *request) {
        sd_bus *bus = sd_bus_message_get_bus(request->call);
        bool person = sd_bus_message_get_allow_interactive_authorization(request->call) > 0;
        sd_bus_message *m = NULL;
        int r = sd_bus_message_new_method_call(bus, &m, POLKIT_NAME, POLKIT_PATH, POLKIT_INTERFACE,
                                               "CheckAuthorization");

        if (r >= 0)
                r = sd_bus_message_append(m, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name", "s",
                                          request->caller.name, request->action, 0,
                                          (uint32_t)(person ? POLKIT_ALLOW_INTERACTION : 0), "");
        request->slot = sd_bus_slot_unref(request->slot);
        if (r >= 0)
                r = sd_bus_call_async(bus, &request->slot, m, on_polkit, request,
                                      person ? PERSON_TIMEOUT_USEC : POLKIT_TIMEOUT_USEC);
        sd_bus_message_unref(m);
        return r;
}

/* Somebody may leave polkit's dialogue open: that has to take the place of nobody else's call, and root
 * waits for no place at all. */
static bool polkit_has_room(const Requests *requests, uid_t uid) {
        size_t all = 0, same = 0;

        for (const Request *request = requests->first; request; request = request->next)
                if (request->asks_polkit) {
                        all++;
                        same += request->caller.uid == uid;
                }
        return all < REQUESTS_MAX && same < REQUESTS_PER_UID_MAX;
}

static int on_who(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Request *request = userdata;
        uint32_t uid;

        (void)error;
        if (sd_bus_message_is_method_error(m, NULL) > 0)
                request->caller.error = -EACCES;
        else if (sd_bus_message_read(m, "u", &uid) <= 0 || uid == UINT32_MAX)
                request->caller.error = -EBADMSG;
        else {
                request->caller.uid = uid;
                request->caller.allowed = uid == 0;
                if (!request->caller.allowed && request->action) {
                        if (!polkit_has_room(request->owner, uid))
                                request->caller.error = -ENOBUFS;
                        else if (ask_polkit(request) >= 0) {
                                request->asks_polkit = true;
                                return 1;
                        }
                }
        }
        return go_on(request);
}

static size_t waiting_of(const Requests *requests, const char *name) {
        size_t n = 0;

        for (const Request *request = requests->first; request; request = request->next)
                n += strcmp(request->caller.name, name) == 0;
        return n;
}

static int begin(Requests *requests, sd_bus_message *call, const char *action, bool wants_process,
                 RequestAnswer answer, void *userdata, sd_bus_error *error) {
        const char *name = sd_bus_message_get_sender(call);
        Request *request;
        int r;

        if (!name)
                return -EBADMSG;
        if (waiting_of(requests, name) >= REQUESTS_PER_CALLER_MAX)
                return too_many(error);
        request = calloc(1, sizeof(*request));
        if (!request)
                return -ENOMEM;
        *request = (Request){.owner = requests,
                             .next = requests->first,
                             .call = sd_bus_message_ref(call),
                             .action = action,
                             .wants_process = wants_process,
                             .answer = answer,
                             .userdata = userdata,
                             .caller = {.name = name, .uid = (uid_t)-1}};
        requests->first = request;
        r = ask_bus(request, "GetConnectionUnixUser", on_who);
        if (r < 0) {
                request_free(request);
                return r;
        }
        return 1;
}

int request_begin(Requests *requests, sd_bus_message *call, const char *action, RequestAnswer answer,
                  void *userdata, sd_bus_error *error) {
        return begin(requests, call, action, false, answer, userdata, error);
}

int request_begin_with_process(Requests *requests, sd_bus_message *call, const char *action,
                               RequestAnswer answer, void *userdata, sd_bus_error *error) {
        return begin(requests, call, action, true, answer, userdata, error);
}

void requests_clear(Requests *requests) {
        while (requests->first)
                request_free(requests->first);
}

int request_refuse(const Caller *caller, sd_bus_error *error) {
        if (caller->challenge)
                return sd_bus_error_set(error, SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
                                        "An administrator has to authorise this");
        return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "This is for administrators");
}
