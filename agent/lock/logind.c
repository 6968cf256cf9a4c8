/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lock/logind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "agent/bus/link.h"
#include "agent/clock.h"
#include "policy/scope.h"
#include "policy/translate.h"

#define NAME       "org.freedesktop.login1"
#define PATH       "/org/freedesktop/login1"
#define MANAGER    "org.freedesktop.login1.Manager"
#define SESSION    "org.freedesktop.login1.Session"
#define PROPERTIES "org.freedesktop.DBus.Properties"
#define NO_SESSION "org.freedesktop.login1.NoSuchSession"

/* A session that is followed. Slots go with the connection. */
typedef struct Followed {
        struct Followed *next;
        Logind *logind;
        pid_t leader;
        char *id;   /* "": not known */
        char *path; /* NULL: not found yet */
        LogindHints hints;
        uint64_t idle_monotonic; /* as logind told it */
        bool wanted;             /* it is to be locked, and that could not be said yet */
        sd_bus_slot *found, *changed, *read, *locking;
} Followed;

struct Logind {
        LogindCallbacks callbacks;
        uint64_t wait;
        BusLink *link;
        sd_bus_slot *owner, *fresh;
        Followed *list;
};

static void ask_locking(Followed *followed);

static void let_go(Followed *followed) {
        followed->found = sd_bus_slot_unref(followed->found);
        followed->changed = sd_bus_slot_unref(followed->changed);
        followed->read = sd_bus_slot_unref(followed->read);
        followed->locking = sd_bus_slot_unref(followed->locking);
        free(followed->path);
        followed->path = NULL;
}

static void followed_free(Followed *followed) {
        let_go(followed);
        free(followed->id);
        free(followed);
}

/* what logind says */

static uint64_t monotonic_usec(void) {
        struct timespec ts;

        return clock_gettime(CLOCK_MONOTONIC, &ts) < 0
                       ? 0
                       : (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/* A moment of CLOCK_MONOTONIC on CLOCK_BOOTTIME, as if the machine had not slept in between. */
static uint64_t to_boottime(uint64_t monotonic) {
        uint64_t now = monotonic_usec(), boottime = clock_boottime_usec(),
                 ago = now > monotonic ? now - monotonic : 0;

        return boottime > ago ? boottime - ago : 0;
}

static int read_property(sd_bus_message *m, const char *name, Followed *followed) {
        int value, r;

        if (strcmp(name, "IdleHint") == 0 || strcmp(name, "LockedHint") == 0) {
                r = sd_bus_message_read(m, "v", "b", &value);
                if (r >= 0)
                        *(name[0] == 'I' ? &followed->hints.idle : &followed->hints.locked) = value;
                return r;
        }
        if (strcmp(name, "IdleSinceHintMonotonic") == 0)
                return sd_bus_message_read(m, "v", "t", &followed->idle_monotonic);
        if (strcmp(name, "Id") == 0) {
                const char *id;
                char *copy;

                r = sd_bus_message_read(m, "v", "s", &id);
                copy = r < 0 ? NULL : strdup(id);
                if (!copy)
                        return r < 0 ? r : -ENOMEM;
                free(followed->id);
                followed->id = copy;
                return 0;
        }
        return sd_bus_message_skip(m, "v");
}

static int read_properties(sd_bus_message *m, Followed *followed) {
        int r = sd_bus_message_enter_container(m, 'a', "{sv}");

        while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
                const char *name;

                r = sd_bus_message_read(m, "s", &name);
                if (r >= 0)
                        r = read_property(m, name, followed);
                if (r >= 0)
                        r = sd_bus_message_exit_container(m);
        }
        return r < 0 ? r : sd_bus_message_exit_container(m);
}

static void tell_hints(Followed *followed) {
        const LogindCallbacks *callbacks = &followed->logind->callbacks;

        followed->hints.idle_since = followed->hints.idle ? to_boottime(followed->idle_monotonic) : 0;
        callbacks->hints(callbacks->userdata, followed->leader, &followed->hints);
}

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Followed *followed = userdata;
        const char *interface;

        (void)error;
        if (sd_bus_message_read(m, "s", &interface) > 0 && strcmp(interface, SESSION) == 0 &&
            read_properties(m, followed) >= 0)
                tell_hints(followed);
        return 0;
}

static int on_read(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Followed *followed = userdata;

        (void)error;
        if (sd_bus_message_is_method_error(m, NULL) || read_properties(m, followed) < 0)
                return 0;
        tell_hints(followed);
        ask_locking(followed);
        return 0;
}

/* finding a session */

static sd_bus_slot *call(Followed *followed, sd_bus_message *m, sd_bus_message_handler_t on_answer) {
        sd_bus_slot *slot = NULL;

        return sd_bus_call_async(sd_bus_message_get_bus(m), &slot, m, on_answer, followed,
                                 followed->logind->wait) < 0
                       ? NULL
                       : slot;
}

/* Changes are listened to before the values are asked for, so that none is missed. */
static int on_found(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Followed *followed = userdata;
        sd_bus *bus = sd_bus_message_get_bus(m);
        sd_bus_message *ask = NULL;
        const char *path;

        (void)error;
        if (sd_bus_message_is_method_error(m, NULL) || sd_bus_message_read(m, "o", &path) < 0)
                return 0; /* it may come yet, and whoever wants it locked is told */
        free(followed->path);
        followed->path = strdup(path);
        if (!followed->path)
                return 0;
        sd_bus_slot_unref(followed->changed);
        followed->changed = NULL;
        if (sd_bus_match_signal_async(bus, &followed->changed, NAME, path, PROPERTIES, "PropertiesChanged",
                                      on_changed, NULL, followed) >= 0 &&
            sd_bus_message_new_method_call(bus, &ask, NAME, path, PROPERTIES, "GetAll") >= 0 &&
            sd_bus_message_append(ask, "s", SESSION) >= 0) {
                sd_bus_slot_unref(followed->read);
                followed->read = call(followed, ask, on_read);
        }
        sd_bus_message_unref(ask);
        return 0;
}

static void find(Followed *followed) {
        sd_bus *bus = bus_link_get(followed->logind->link);
        sd_bus_message *ask = NULL;
        bool by_id = followed->id[0];

        if (!bus)
                return;
        sd_bus_slot_unref(followed->found);
        followed->found = NULL;
        if (sd_bus_message_new_method_call(bus, &ask, NAME, PATH, MANAGER,
                                           by_id ? "GetSession" : "GetSessionByPID") >= 0 &&
            (by_id ? sd_bus_message_append(ask, "s", followed->id)
                   : sd_bus_message_append(ask, "u", (uint32_t)followed->leader)) >= 0)
                followed->found = call(followed, ask, on_found);
        sd_bus_message_unref(ask);
}

/* locking */

static int on_locking(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Followed *followed = userdata;
        const LogindCallbacks *callbacks = &followed->logind->callbacks;
        const sd_bus_error *answer = sd_bus_message_get_error(m);
        int r = 0;

        (void)error;
        followed->locking = sd_bus_slot_unref(followed->locking);
        if (answer) {
                r = -sd_bus_message_get_errno(m);
                if (r == 0)
                        r = -EIO;
                if (sd_bus_error_has_name(answer, NO_SESSION))
                        r = -ENXIO;
        }
        callbacks->answered(callbacks->userdata, followed->leader, r,
                            answer ? answer->message ? answer->message : answer->name : NULL);
        return 0;
}

static Followed *find_leader(const Logind *logind, pid_t leader) {
        for (Followed *followed = logind->list; followed; followed = followed->next)
                if (followed->leader == leader)
                        return followed;
        return NULL;
}

/* Nothing, if it is not known yet whom to ask for what. */
static void ask_locking(Followed *followed) {
        sd_bus *bus = bus_link_get(followed->logind->link);
        sd_bus_message *ask = NULL;

        if (!bus || !followed->id[0] || !followed->wanted)
                return;
        if (sd_bus_message_new_method_call(bus, &ask, NAME, PATH, MANAGER, "LockSession") >= 0 &&
            sd_bus_message_append(ask, "s", followed->id) >= 0) {
                followed->wanted = false;
                followed->locking = call(followed, ask, on_locking);
        }
        sd_bus_message_unref(ask);
}

void logind_lock(Logind *logind, pid_t leader) {
        Followed *followed = find_leader(logind, leader);

        if (!followed)
                return;
        followed->locking = sd_bus_slot_unref(followed->locking);
        followed->wanted = true;
        if (!followed->path) /* logind did not know it, or did not answer, when it was asked */
                find(followed);
        ask_locking(followed);
}

const char *logind_why(const Logind *logind, pid_t leader) {
        const Followed *followed = find_leader(logind, leader);

        if (!bus_link_get(logind->link))
                return N_("there is no system bus");
        return followed && !followed->wanted
                       ? N_("systemd-logind does not answer")
                       : N_("systemd-logind does not know the session, or does not answer");
}

/* the connection */

static void find_all(Logind *logind) {
        for (Followed *followed = logind->list; followed; followed = followed->next)
                if (!followed->path)
                        find(followed);
}

static int on_fresh(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        (void)m;
        (void)error;
        find_all(userdata);
        return 0;
}

/* Another logind has the same sessions at the same paths, and may have missed nothing or much. */
static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        Logind *logind = userdata;
        const char *name, *before, *after;

        (void)error;
        if (sd_bus_message_read(m, "sss", &name, &before, &after) < 0 || !*after)
                return 0;
        for (Followed *followed = logind->list; followed; followed = followed->next)
                find(followed);
        logind->callbacks.came(logind->callbacks.userdata);
        return 0;
}

static int on_up(void *userdata, sd_bus *bus) {
        Logind *logind = userdata;
        int r = sd_bus_add_match_async(bus, &logind->owner,
                                       "type='signal',sender='org.freedesktop.DBus',"
                                       "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                                       "arg0='" NAME "'",
                                       on_owner, NULL, logind);

        if (r >= 0)
                r = sd_bus_match_signal_async(bus, &logind->fresh, NAME, PATH, MANAGER, "SessionNew",
                                              on_fresh, NULL, logind);
        if (r < 0)
                return r;
        find_all(logind);
        for (Followed *followed = logind->list; followed; followed = followed->next)
                ask_locking(followed);
        logind->callbacks.came(logind->callbacks.userdata);
        return 0;
}

static void on_down(void *userdata) {
        Logind *logind = userdata;
        const LogindCallbacks *callbacks = &logind->callbacks;

        logind->owner = sd_bus_slot_unref(logind->owner);
        logind->fresh = sd_bus_slot_unref(logind->fresh);
        for (Followed *followed = logind->list; followed; followed = followed->next) {
                bool locking = followed->locking;

                let_go(followed);
                if (locking)
                        callbacks->answered(callbacks->userdata, followed->leader, -ECONNRESET,
                                            N_("the system bus went away"));
        }
}

int logind_new(sd_event *event, int priority, uint64_t wait, const LogindCallbacks *callbacks,
               Logind **ret) {
        Logind *logind = calloc(1, sizeof(*logind));
        const BusLinkCallbacks link = {.up = on_up, .down = on_down, .userdata = logind};
        int r;

        if (!logind)
                return -ENOMEM;
        logind->callbacks = *callbacks;
        logind->wait = wait;
        r = bus_link_new(event, bus_link_system_address(), priority, &link, &logind->link);
        if (r < 0) {
                free(logind);
                return r;
        }
        *ret = logind;
        return 0;
}

Logind *logind_free(Logind *logind) {
        if (!logind)
                return NULL;
        while (logind->list) {
                Followed *followed = logind->list;

                logind->list = followed->next;
                followed_free(followed);
        }
        bus_link_free(logind->link);
        free(logind);
        return NULL;
}

int logind_follow(Logind *logind, pid_t leader, const char *id) {
        Followed *followed = find_leader(logind, leader);

        if (followed)
                return 0;
        followed = calloc(1, sizeof(*followed));
        if (!followed)
                return -ENOMEM;
        followed->logind = logind;
        followed->leader = leader;
        followed->id = strdup(id);
        if (!followed->id) {
                free(followed);
                return -ENOMEM;
        }
        followed->next = logind->list;
        logind->list = followed;
        find(followed);
        return 0;
}

void logind_forget(Logind *logind, pid_t leader) {
        for (Followed **link = &logind->list; *link; link = &(*link)->next)
                if ((*link)->leader == leader) {
                        Followed *followed = *link;

                        *link = followed->next;
                        followed_free(followed);
                        return;
                }
}
