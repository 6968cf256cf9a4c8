/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions: in which sessions and for which media they hold. Who has logged in is known from pam_sekisho,
 * and from logind as it writes it below /run/systemd; neither is waited for. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-login.h>

#include "agent/agent_private.h"
#include "agent/file.h"
#include "agent/gate/opener.h"
#include "agent/grants/medium.h"
#include "policy/decide.h"
#include "policy/scope.h"

typedef struct Search {
        uid_t uid;
        HolderSessions *found;
} Search;

static void add(HolderSessions *sessions, uint32_t audit, const char *person) {
        HolderSession *session = &sessions->items[sessions->n];

        for (size_t i = 0; i < sessions->n && audit != 0; i++)
                if (sessions->items[i].audit == audit)
                        return; /* as pam_sekisho told it */
        if (sessions->n == HOLDER_SESSIONS_MAX) {
                sessions->more = true;
                return;
        }
        *session = (HolderSession){.audit = audit};
        if (permit_set(session->person, person) < 0)
                session->audit = 0; /* then it is not known who that is */
        sessions->n++;
}

/* Its leader may have died without a word. */
static void add_told(void *userdata, const Session *session) {
        const Search *search = userdata;
        uint32_t audit = session->uid == search->uid ? opener_session(session->leader) : 0;

        if (session->uid != search->uid || !session_is_there(session) ||
            (session->audit != 0 && session->audit != audit))
                return;
        add(search->found, audit, session->person);
}

/* A session's name is its number in audit, where it has one. Source: systemd, logind-dbus.c,
 * method_create_session(); sd_session_get_class(3), sd_session_get_state(3). */
static void add_listed(HolderSessions *sessions, const char *name) {
        CLEANUP_FREE char *class = NULL, *state = NULL;
        bool numbered = name[0] && strspn(name, "0123456789") == strlen(name);
        unsigned long number = numbered ? strtoul(name, NULL, 10) : 0;

        if (sd_session_get_class(name, &class) < 0 || strcmp(class, "user") != 0 ||
            sd_session_get_state(name, &state) < 0 || strcmp(state, "closing") == 0)
                return;
        add(sessions, number < UINT32_MAX ? (uint32_t)number : 0, "");
}

void agent_find_holders(Agent *agent, uid_t uid, HolderSessions *ret) {
        Search search = {.uid = uid, .found = ret};
        char **names = NULL;
        int n;

        *ret = (HolderSessions){0};
        sessions_foreach(agent->sessions, add_told, &search);
        n = sd_uid_get_sessions(uid, 0, &names);
        for (int i = 0; i < n; i++) {
                add_listed(ret, names[i]);
                free(names[i]);
        }
        free(names);
}

/* The session of UID's service manager, which is one of its own; 0 if there is none. */
static uint32_t manager_of(uid_t uid) {
        char path[PATH_MAX], text[64];

        (void)snprintf(path, sizeof(path),
                       "/sys/fs/cgroup/user.slice/user-%u.slice/user@%u.service/init.scope/cgroup.procs",
                       (unsigned)uid, (unsigned)uid);
        return file_read_small(AT_FDCWD, path, text, sizeof(text)) > 0
                       ? opener_session((pid_t)strtol(text, NULL, 10))
                       : 0;
}

void agent_holders_allow(Agent *agent, const Permit *permit, GrantRule *rule) {
        HolderSessions sessions;

        agent_find_holders(agent, (uid_t)permit->uid, &sessions);
        rule->n_sessions = holder_allowed(permit, &sessions, manager_of((uid_t)permit->uid), rule->sessions,
                                          GRANT_SESSIONS_MAX);
}

bool agent_holders_follow(Agent *agent, const char *gone) {
        bool changed = false;

        for (size_t i = 0; i < agent->granting.book.n; i++) {
                Permit *permit = &agent->granting.book.permits[i];
                HolderSessions sessions;
                const char *why;

                if (permit->state != PERMIT_RUNNING)
                        continue;
                agent_find_holders(agent, (uid_t)permit->uid, &sessions);
                why = holder_follow(permit, &sessions, gone, &changed);
                if (!why)
                        continue;
                agent_end_permit(agent, permit, why);
                changed = true;
        }
        return changed;
}

static int on_logins(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Agent *agent = userdata;

        (void)source;
        (void)fd;
        (void)revents;
        (void)sd_login_monitor_flush(agent->granting.logins);
        agent_grants_sessions_changed(agent, "logout");
        return 0;
}

void agent_start_holders(Agent *agent) {
        Granting *granting = &agent->granting;
        int r = sd_login_monitor_new("session", &granting->logins);

        if (r >= 0)
                r = sd_login_monitor_get_fd(granting->logins);
        if (r >= 0)
                (void)sd_event_add_io(agent->event, &granting->logins_changed, r, EPOLLIN, on_logins, agent);
}

void agent_stop_holders(Agent *agent) {
        agent->granting.logins_changed = sd_event_source_disable_unref(agent->granting.logins_changed);
        agent->granting.logins = sd_login_monitor_unref(agent->granting.logins);
}

/* media */

static bool covers(const Permit *permit, const DeviceIdentity *device) {
        int bus = device_bus_from_string(permit->bus);
        const DeviceMatch match = {.vendor = permit->vendor[0] ? (char *)permit->vendor : NULL,
                                   .product = permit->product[0] ? (char *)permit->product : NULL,
                                   .serial = (char *)permit->serial,
                                   .bus_set = true,
                                   .bus = bus < 0 ? DEVICE_BUS_UNKNOWN : (DeviceBus)bus};

        return device_match_covers(&match, device);
}

/* Whether what is on record changes. One that cannot be noted counts as pulled when the next agent looks. */
static bool note_medium(Permit *permit, const DeviceIdentity *device) {
        int r = medium_add(permit, device);

        if (r < 0)
                (void)permit_set(permit->media, MEDIUM_UNKNOWN);
        return r != 0;
}

static int add_device(void *userdata, const Device *device) {
        if (covers(userdata, &device->id))
                (void)note_medium(userdata, &device->id);
        return 0;
}

void agent_holders_note_media(Agent *agent, Permit *permit) {
        permit->media[0] = '\0';
        if (agent->devices)
                (void)devices_foreach(agent->devices, add_device, permit);
}

void agent_grants_plugged(Agent *agent, const DeviceIdentity *device) {
        bool changed = false;

        for (size_t i = 0; i < agent->granting.book.n; i++) {
                Permit *permit = &agent->granting.book.permits[i];

                if (permit->state == PERMIT_RUNNING && covers(permit, device) && note_medium(permit, device))
                        changed = true;
        }
        if (changed)
                (void)agent_write_book(agent);
}

bool agent_holders_end_pulled(Agent *agent) {
        bool changed = false;

        for (size_t i = 0; i < agent->granting.book.n; i++) {
                Permit *permit = &agent->granting.book.permits[i];

                if (permit->state != PERMIT_RUNNING || strcmp(permit->boot, agent->granting.boot) != 0 ||
                    medium_stayed(permit))
                        continue;
                agent_end_permit(agent, permit, "unplugged");
                changed = true;
        }
        return changed;
}
