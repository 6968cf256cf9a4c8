/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/bus/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-login.h>

#include "agent/bus/explain.h"
#include "agent/bus/factors.h"
#include "agent/bus/inbox.h"
#include "agent/bus/link.h"
#include "agent/bus/lockers.h"
#include "agent/bus/memory.h"
#include "agent/bus/own_factors.h"
#include "agent/bus/request.h"
#include "agent/bus/subscribers.h"
#include "agent/ctl/json.h"
#include "agent/ctl/text.h"
#include "policy/file.h"

#define ACTION(word)    "org.sekisho.guard1." word
#define BUS_PRIORITY    50 /* enforcement has 0 */
#define EXPLAIN_VALUE   1024
#define DENIALS_AT_ONCE 32

/* What people may have done about their factors, or an administrator about those of others. */
static int (*const people_up[])(BusJobs *jobs, sd_bus *bus,
                                const char *path) = {bus_lockers_up, bus_own_factors_up, bus_factors_up};

struct BusService {
        BusServiceCallbacks callbacks;
        Report *report;
        BusLink *link;
        sd_event_source *arrival;
        Inbox *inbox;
        Recent recent;
        Requests requests;
        BusLogins logins;
        BusJobs *people[ELEMENTS(people_up)]; /* NULL: memory was short */
        BusGrants grants;
        Subscribers subscribers;
        sd_bus_slot *object, *name;
        bool owned;        /* the name is ours */
        uint64_t not_sent; /* signals that a bus which does not read made us drop */
};

/* answers */

/* Names of devices and files may be no UTF-8: the bus lets go of who sends it that. */
static int reply_text(sd_bus_message *call, char *text) {
        CLEANUP_FREE char *valid = text ? text_valid(text, strlen(text)) : NULL;

        free(text);
        return valid ? sd_bus_reply_method_return(call, "s", valid) : -ENOMEM;
}

static int refuse_or_error(const Caller *caller, sd_bus_error *error) {
        return caller->error < 0 ? caller->error : request_refuse(caller, error);
}

static int answer_status(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        BusService *service = userdata;

        if (!caller->allowed)
                return refuse_or_error(caller, error);
        return reply_text(call, service->callbacks.status(service->callbacks.userdata));
}

static int answer_devices(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        BusService *service = userdata;

        if (!caller->allowed)
                return refuse_or_error(caller, error);
        return reply_text(call, service->callbacks.devices(service->callbacks.userdata));
}

static int answer_recent(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        BusService *service = userdata;
        CLEANUP_JSON struct json_object *list = NULL;
        const char *text;
        uint32_t max;
        int r;

        (void)error;
        if (caller->error < 0)
                return caller->error;
        r = sd_bus_message_read(call, "u", &max);
        if (r < 0)
                return r;
        list = recent_json(&service->recent, max, caller->allowed, caller->uid);
        text = list ? json_object_to_json_string_ext(list,
                                                     JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)
                    : NULL;
        return text ? sd_bus_reply_method_return(call, "s", text) : -ENOMEM;
}

static int answer_reload(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        BusService *service = userdata;
        CLEANUP_FREE char *faults = NULL, *valid = NULL;
        int r;

        if (!caller->allowed)
                return refuse_or_error(caller, error);
        r = service->callbacks.reload(service->callbacks.userdata, &faults);
        if (r < 0)
                return r;
        valid = faults ? text_valid(faults, strlen(faults)) : NULL;
        return sd_bus_reply_method_return(call, "bs", r > 0, valid ? valid : "");
}

static int answer_install_policy(void *userdata, sd_bus_message *call, const Caller *caller,
                                 sd_bus_error *error) {
        BusService *service = userdata;
        CLEANUP_FREE char *text = NULL, *faults = NULL, *valid = NULL;
        size_t length = 0;
        int r, fd; /* the message's own */

        if (!caller->allowed)
                return refuse_or_error(caller, error);
        r = sd_bus_message_read(call, "h", &fd);
        if (r >= 0)
                r = bus_memory_read(fd, POLICY_FILE_MAX, &text, &length);
        if (r == -EINVAL || r == -E2BIG)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "A sealed memory file of at most 4 MiB is needed");
        if (r < 0)
                return r;
        r = service->callbacks.install_policy(service->callbacks.userdata, text, length, &faults);
        if (r < 0)
                return r;
        valid = faults ? text_valid(faults, strlen(faults)) : NULL;
        return sd_bus_reply_method_return(call, "bs", r > 0, valid ? valid : "");
}

static int answer_begin_maintenance(void *userdata, sd_bus_message *call, const Caller *caller,
                                    sd_bus_error *error) {
        BusService *service = userdata;
        const char *reason;
        uint32_t minutes;
        int r;

        if (!caller->allowed)
                return refuse_or_error(caller, error);
        r = sd_bus_message_read(call, "su", &reason, &minutes);
        if (r < 0)
                return r;
        r = service->callbacks.begin_maintenance(service->callbacks.userdata, caller->pid, reason, minutes);
        switch (r) {
        case -EACCES:
                return request_refuse(caller, error);
        case -ENOTTY:
                return sd_bus_error_set(error, BUS_ERROR_NOT_AT_CONSOLE,
                                        "This is for a console of the terminal itself");
        case -EINVAL:
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS,
                                        "A reason of one line and 1 to 480 minutes are needed");
        default:
                return r < 0 ? r : sd_bus_reply_method_return(call, NULL);
        }
}

static int answer_end_maintenance(void *userdata, sd_bus_message *call, const Caller *caller,
                                  sd_bus_error *error) {
        BusService *service = userdata;
        int r;

        if (!caller->allowed)
                return refuse_or_error(caller, error);
        r = service->callbacks.end_maintenance(service->callbacks.userdata, caller->pid);
        return r < 0 ? r : sd_bus_reply_method_return(call, "b", r > 0);
}

/* What begin_lockdown() and end_lockdown() return, as an error. */
static int refuse_lockdown(int r, sd_bus_error *error) {
        switch (r) {
        case -EINVAL:
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, "A reason of one line is needed");
        case -EOPNOTSUPP:
                return sd_bus_error_set(error, BUS_ERROR_WATCHES_ONLY,
                                        "The guard was started to watch only");
        case -EBUSY:
                return sd_bus_error_set(error, BUS_ERROR_BY_POLICY, "The policy asks for the lockdown");
        default:
                return r;
        }
}

static int answer_begin_lockdown(void *userdata, sd_bus_message *call, const Caller *caller,
                                 sd_bus_error *error) {
        BusService *service = userdata;
        const char *reason;
        int r;

        if (!caller->allowed)
                return refuse_or_error(caller, error);
        r = sd_bus_message_read(call, "s", &reason);
        if (r >= 0)
                r = service->callbacks.begin_lockdown(service->callbacks.userdata, caller->pid, reason);
        return r < 0 ? refuse_lockdown(r, error) : sd_bus_reply_method_return(call, NULL);
}

static int answer_end_lockdown(void *userdata, sd_bus_message *call, const Caller *caller,
                               sd_bus_error *error) {
        BusService *service = userdata;
        const char *reason;
        int r;

        if (!caller->allowed)
                return refuse_or_error(caller, error);
        r = sd_bus_message_read(call, "s", &reason);
        if (r >= 0)
                r = service->callbacks.end_lockdown(service->callbacks.userdata, caller->pid, reason);
        return r < 0 ? refuse_lockdown(r, error) : sd_bus_reply_method_return(call, "b", r > 0);
}

/* Fills ARGUMENTS, whose strings are borrowed from CALL. How many, or negative. */
static int read_arguments(sd_bus_message *call, BusExplainArgument arguments[BUS_EXPLAIN_ARGUMENTS_MAX],
                          sd_bus_error *error) {
        int n = 0, r = sd_bus_message_enter_container(call, 'a', "{ss}");

        if (r < 0)
                return r;
        for (;;) {
                const char *name, *value;

                r = sd_bus_message_read(call, "{ss}", &name, &value);
                if (r <= 0)
                        return r < 0 ? r : n;
                if (n == BUS_EXPLAIN_ARGUMENTS_MAX || strlen(value) > EXPLAIN_VALUE)
                        return sd_bus_error_set(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                                "Too many arguments, or too long ones");
                arguments[n++] = (BusExplainArgument){.name = name, .value = value};
        }
}

static int answer_explain(void *userdata, sd_bus_message *call, const Caller *caller, sd_bus_error *error) {
        BusService *service = userdata;
        BusExplainArgument arguments[BUS_EXPLAIN_ARGUMENTS_MAX];
        const char *kind, *why = NULL;
        char *text = NULL;
        PolicyTime now;
        int r, n;

        if (!caller->allowed)
                return refuse_or_error(caller, error);
        r = sd_bus_message_read(call, "s", &kind);
        if (r < 0)
                return r;
        n = read_arguments(call, arguments, error);
        if (n < 0)
                return n;
        r = service->callbacks.time(service->callbacks.userdata, &now);
        if (r < 0)
                return r;
        r = bus_explain(service->callbacks.policy(service->callbacks.userdata), &now, kind, arguments,
                        (size_t)n, &text, &why);
        if (r == -EINVAL && why)
                return sd_bus_error_set(error, SD_BUS_ERROR_INVALID_ARGS, why);
        return r < 0 ? r : reply_text(call, text);
}

static int allow_subscriber(void *userdata, sd_bus_message *call, const Caller *caller,
                            sd_bus_error *error) {
        BusService *service = userdata;

        (void)call; /* has its reply already */
        (void)error;
        if (caller->error >= 0 && caller->allowed)
                subscribers_allow(&service->subscribers, caller->name);
        return 0;
}

/* Whoever subscribes is told of its own denials at once; polkit is asked about everybody's meanwhile. */
static int answer_subscribe(void *userdata, sd_bus_message *call, const Caller *caller,
                            sd_bus_error *error) {
        BusService *service = userdata;
        int r = subscribers_identify(&service->subscribers, caller, error);

        if (r < 0)
                return r;
        r = sd_bus_reply_method_return(call, NULL);
        if (r >= 0 && !caller->allowed)
                (void)request_begin(&service->requests, call, ACTION("denials"), allow_subscriber, service,
                                    NULL);
        return r;
}

/* methods */

#define DEFINE_METHOD(name, action)                                                                         \
        static int method_##name(sd_bus_message *m, void *userdata, sd_bus_error *error) {                  \
                BusService *service = userdata;                                                             \
                return request_begin(&service->requests, m, action, answer_##name, service, error);         \
        }                                                                                                   \
        struct method_##name##_semicolon

DEFINE_METHOD(status, ACTION("status"));
DEFINE_METHOD(devices, ACTION("devices"));
DEFINE_METHOD(recent, ACTION("denials"));
DEFINE_METHOD(reload, ACTION("reload"));
DEFINE_METHOD(install_policy, ACTION("install-policy"));
DEFINE_METHOD(explain, ACTION("explain"));

/* At once, and whoever asks: a login must not wait behind what others have asked for. */
static int method_presence(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        BusService *service = userdata;
        Presence presence = service->callbacks.presence(service->callbacks.userdata);

        (void)error;
        return sd_bus_reply_method_return(m, "s", presence_to_string(presence));
}

/* What goes into the journal with who did it; without ACTION for root alone. */
#define DEFINE_DEED(name, action)                                                                           \
        static int method_##name(sd_bus_message *m, void *userdata, sd_bus_error *error) {                  \
                BusService *service = userdata;                                                             \
                return request_begin_with_process(&service->requests, m, action, answer_##name, service,    \
                                                  error);                                                   \
        }                                                                                                   \
        struct method_##name##_semicolon

DEFINE_DEED(begin_maintenance, NULL);
DEFINE_DEED(end_maintenance, NULL);
DEFINE_DEED(begin_lockdown, ACTION("lockdown"));
DEFINE_DEED(end_lockdown, ACTION("lockdown"));

static int method_subscribe(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        BusService *service = userdata;
        int added = subscribers_add(&service->subscribers, m, error), r;

        if (added < 0)
                return added;
        r = request_begin(&service->requests, m, NULL, answer_subscribe, service, error);
        if (r < 0 && added > 0) /* else nobody would ever learn who it is */
                subscribers_drop(&service->subscribers, sd_bus_message_get_sender(m));
        return r;
}

/* "Unprivileged" tells sd-bus to leave the question who may call to us: it would wait for the bus. */
static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD_WITH_NAMES("Status", "", , "s", SD_BUS_PARAM(json), method_status,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("Devices", "", , "s", SD_BUS_PARAM(json), method_devices,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("RecentDenials", "u", SD_BUS_PARAM(max), "s", SD_BUS_PARAM(json),
                                 method_recent, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("Reload", "", , "bs", SD_BUS_PARAM(loaded) SD_BUS_PARAM(faults),
                                 method_reload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("InstallPolicy", "h", SD_BUS_PARAM(bundle), "bs",
                                 SD_BUS_PARAM(installed) SD_BUS_PARAM(faults), method_install_policy,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("Explain", "sa{ss}", SD_BUS_PARAM(kind) SD_BUS_PARAM(arguments), "s",
                                 SD_BUS_PARAM(json), method_explain, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("BeginMaintenance", "su", SD_BUS_PARAM(reason) SD_BUS_PARAM(minutes), "", ,
                                 method_begin_maintenance, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("EndMaintenance", "", , "b", SD_BUS_PARAM(ended), method_end_maintenance,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("BeginLockdown", "s", SD_BUS_PARAM(reason), "", , method_begin_lockdown,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("EndLockdown", "s", SD_BUS_PARAM(reason), "b", SD_BUS_PARAM(ended),
                                 method_end_lockdown, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD_WITH_NAMES("Presence", "", , "s", SD_BUS_PARAM(presence), method_presence,
                                 SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Subscribe", "", "", method_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_SIGNAL_WITH_NAMES("Denied", "ua{sv}", SD_BUS_PARAM(uid) SD_BUS_PARAM(details), 0),
        SD_BUS_VTABLE_END};

/* denials */

static void on_record(void *userdata, const Record *record) {
        inbox_put(userdata, record);
}

/* Who is in front of the terminal's screen, as logind knows it: a file below /run. (uid_t) -1: nobody. */
static uid_t find_seated(void) {
        uid_t uid = (uid_t)-1;

        return sd_seat_get_active("seat0", NULL, &uid) < 0 ? (uid_t)-1 : uid;
}

static int on_arrival(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        BusService *service = userdata;
        sd_bus *bus = bus_link_get(service->link);
        const Policy *policy = service->callbacks.policy(service->callbacks.userdata);
        Denial denial;

        (void)source;
        (void)fd;
        (void)revents;
        /* what is left makes the loop come back, after whatever is more urgent */
        for (int i = 0; i < DENIALS_AT_ONCE && inbox_take(service->inbox, &denial); i++) {
                if (denial.record->for_seat)
                        denial.seat = find_seated();
                if (bus)
                        service->not_sent +=
                                subscribers_tell(&service->subscribers, bus, &denial, policy->contact);
                if (denial.record->for_seat)
                        denial_clear(&denial);
                else
                        recent_add(&service->recent, denial);
        }
        return 0;
}

/* the link */

static int on_name(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        BusService *service = userdata;
        uint32_t result = 0;

        (void)error;
        /* 1 primary owner, 2 in the queue behind another one, 4 ours already (D-Bus specification,
         * RequestName) */
        service->owned = sd_bus_message_is_method_error(m, NULL) <= 0 &&
                         sd_bus_message_read(m, "u", &result) > 0 && (result == 1 || result == 4);
        service->callbacks.changed(service->callbacks.userdata);
        return 1;
}

static int on_up(void *userdata, sd_bus *bus) {
        BusService *service = userdata;
        int r = sd_bus_add_object_vtable(bus, &service->object, BUS_SERVICE_PATH, BUS_SERVICE_NAME, vtable,
                                         service);

        if (r >= 0)
                r = bus_logins_up(&service->logins, bus, BUS_SERVICE_PATH);
        for (size_t i = 0; i < ELEMENTS(people_up) && r >= 0; i++)
                if (service->people[i])
                        r = people_up[i](service->people[i], bus, BUS_SERVICE_PATH);
        if (r >= 0)
                r = bus_grants_up(&service->grants, bus, BUS_SERVICE_PATH);
        if (r >= 0)
                r = sd_bus_request_name_async(bus, &service->name, BUS_SERVICE_NAME, SD_BUS_NAME_QUEUE,
                                              on_name, service);
        return r;
}

static void on_down(void *userdata) {
        BusService *service = userdata;

        requests_clear(&service->requests);
        bus_logins_down(&service->logins);
        for (size_t i = 0; i < ELEMENTS(people_up); i++)
                if (service->people[i])
                        bus_jobs_down(service->people[i]);
        bus_grants_down(&service->grants);
        subscribers_clear(&service->subscribers);
        service->object = sd_bus_slot_unref(service->object);
        service->name = sd_bus_slot_unref(service->name);
        service->owned = false;
        service->callbacks.changed(service->callbacks.userdata);
}

int bus_service_new(sd_event *event, Report *report, const BusServiceCallbacks *callbacks,
                    BusService **ret) {
        BusService *service = calloc(1, sizeof(*service));
        const BusLinkCallbacks link = {.up = on_up, .down = on_down, .userdata = service};
        int r;

        if (!service)
                return -ENOMEM;
        service->callbacks = *callbacks;
        service->logins.callbacks = callbacks->logins;
        service->grants.callbacks = callbacks->grants;
        for (size_t i = 0; i < ELEMENTS(people_up); i++)
                (void)bus_jobs_new(event, BUS_PRIORITY, &callbacks->people, &service->people[i]);
        (void)bus_jobs_new(event, BUS_PRIORITY, &callbacks->people, &service->grants.jobs);
        r = inbox_new(&service->inbox);
        if (r >= 0)
                r = sd_event_add_io(event, &service->arrival, inbox_fd(service->inbox), EPOLLIN, on_arrival,
                                    service);
        if (r >= 0)
                r = sd_event_source_set_priority(service->arrival, BUS_PRIORITY);
        if (r >= 0)
                r = bus_link_new(event, bus_link_system_address(), BUS_PRIORITY, &link, &service->link);
        if (r < 0) {
                bus_service_free(service);
                return r;
        }
        service->report = report_ref(report);
        report_listen(report, on_record, service->inbox);
        *ret = service;
        return 0;
}

BusService *bus_service_free(BusService *service) {
        if (!service)
                return NULL;
        if (service->report)
                report_listen(service->report, NULL, NULL);
        report_unref(service->report);
        bus_link_free(service->link);
        for (size_t i = 0; i < ELEMENTS(people_up); i++)
                bus_jobs_free(service->people[i]);
        bus_jobs_free(service->grants.jobs);
        sd_event_source_disable_unref(service->arrival);
        inbox_free(service->inbox);
        recent_clear(&service->recent);
        free(service);
        return NULL;
}

bool bus_service_is_up(const BusService *service) {
        return service && service->owned;
}

uint64_t bus_service_untold(const BusService *service) {
        return service ? inbox_lost(service->inbox) + service->not_sent : 0;
}

void bus_service_lock_sessions(const BusService *service) {
        sd_bus *bus = service ? bus_link_get(service->link) : NULL;
        sd_bus_message *m = NULL;

        if (bus &&
            sd_bus_message_new_method_call(bus, &m, "org.freedesktop.login1", "/org/freedesktop/login1",
                                           "org.freedesktop.login1.Manager", "LockSessions") >= 0 &&
            sd_bus_message_set_expect_reply(m, false) >= 0)
                (void)sd_bus_send(bus, m, NULL);
        sd_bus_message_unref(m);
}
