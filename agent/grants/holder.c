/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/grants/holder.h"

#include <string.h>

/* An account's own name tells nobody from another one who uses it. */
static bool is_known(const Permit *permit, const char *person) {
        return person[0] && strcmp(person, permit->user) != 0;
}

static const HolderSession *find(const HolderSessions *sessions, int64_t audit) {
        for (size_t i = 0; i < sessions->n && audit != 0; i++)
                if (sessions->items[i].audit == audit)
                        return &sessions->items[i];
        return NULL;
}

static const HolderSession *find_person(const HolderSessions *sessions, const char *person) {
        for (size_t i = 0; i < sessions->n; i++)
                if (sessions->items[i].audit != 0 && strcmp(sessions->items[i].person, person) == 0)
                        return &sessions->items[i];
        return NULL;
}

static bool is_one_persons(const HolderSessions *sessions) {
        for (size_t i = 1; i < sessions->n; i++)
                if (strcmp(sessions->items[i].person, sessions->items[0].person) != 0)
                        return false;
        return !sessions->more;
}

static bool bind(Permit *permit, const HolderSession *session) {
        if (session->audit == 0)
                return false;
        memcpy(permit->person, session->person, sizeof(permit->person));
        permit->session = is_known(permit, session->person) ? 0 : session->audit;
        return true;
}

void holder_ask(Permit *permit, const HolderSessions *sessions, uint32_t audit) {
        const HolderSession *session = find(sessions, audit);

        if (!session)
                return;
        permit->asked_in = session->audit;
        if (is_known(permit, session->person))
                memcpy(permit->person, session->person, sizeof(permit->person));
}

bool holder_begin(Permit *permit, const HolderSessions *sessions) {
        bool known = is_known(permit, permit->person);
        const HolderSession *session;

        if (known || permit->asked_in != 0) {
                session = known ? find_person(sessions, permit->person) : find(sessions, permit->asked_in);
                return session && bind(permit, session);
        }
        permit->session = 0;
        if (sessions->n == 0)
                return true;
        if (sessions->n > 1 && !(is_known(permit, sessions->items[0].person) && is_one_persons(sessions)))
                return false;
        session = sessions->n > 1 ? find_person(sessions, sessions->items[0].person) : &sessions->items[0];
        return session && bind(permit, session);
}

/* Who is in the only session that PERMIT is for may become known after it began. */
static const char *follow_session(Permit *permit, const HolderSession *session, const char *gone,
                                  bool *ret_changed) {
        if (!session)
                return gone;
        if (!is_known(permit, permit->person)) {
                if (!is_known(permit, session->person))
                        return NULL;
                *ret_changed = true;
                (void)bind(permit, session);
                return NULL;
        }
        return strcmp(permit->person, session->person) != 0 ? gone : NULL;
}

const char *holder_follow(Permit *permit, const HolderSessions *sessions, const char *gone,
                          bool *ret_changed) {
        if (permit->session != 0)
                return follow_session(permit, find(sessions, permit->session), gone, ret_changed);
        if (permit->person[0])
                return find_person(sessions, permit->person) ? NULL : gone;
        if (sessions->n == 0)
                return NULL;
        *ret_changed = true;
        return holder_begin(permit, sessions) ? NULL : "session-unknown";
}

static bool is_for(const Permit *permit, const HolderSession *session) {
        if (session->audit == 0)
                return false;
        if (permit->session != 0)
                return session->audit == permit->session;
        return permit->person[0] && strcmp(permit->person, session->person) == 0;
}

size_t holder_allowed(const Permit *permit, const HolderSessions *sessions, uint32_t manager, uint32_t *ret,
                      size_t max) {
        bool all = sessions->n > 0 && !sessions->more && manager != 0;
        size_t n = 0;

        for (size_t i = 0; i < sessions->n; i++) {
                bool is = is_for(permit, &sessions->items[i]);

                all = all && is;
                if (is && n < max)
                        ret[n++] = sessions->items[i].audit;
        }
        if (all && n < max)
                ret[n++] = manager;
        return n;
}
