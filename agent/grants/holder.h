/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holder.h: whom of those who share an account an exception is for: a person, where it is known who is in
 * which session, or else one session. Pure. Where it cannot be told, it is for nobody.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/grants/book.h"

enum {
        HOLDER_SESSIONS_MAX = 64
};

/* A session of the account that is open now. */
typedef struct HolderSession {
        uint32_t audit;                   /* its number in audit; 0: not known */
        char person[PERMIT_TEXT_MAX + 1]; /* ""; or the account's own name: not known who */
} HolderSession;

/* Those of one account. */
typedef struct HolderSessions {
        HolderSession items[HOLDER_SESSIONS_MAX];
        size_t n;
        bool more; /* than there is room for */
} HolderSessions;

/* PERMIT is asked for from the session AUDIT: it will be for that one, if it is one of the account. */
void holder_ask(Permit *permit, const HolderSessions *sessions, uint32_t audit);

/* PERMIT begins: it is for the session or person that asked; else for the account's only one; where nobody
 * has logged in, for whoever does first. False if it cannot be told for whom. */
bool holder_begin(Permit *permit, const HolderSessions *sessions);

/* The sessions are these now. NULL, or why PERMIT, which runs, is over: GONE if its session or person is not
 * there any more, "session-unknown". RET_CHANGED is set where PERMIT now says more than before. */
const char *holder_follow(Permit *permit, const HolderSessions *sessions, const char *gone,
                          bool *ret_changed);

/* In which sessions PERMIT lets write. MANAGER is the one that the account's service manager is in, with
 * programs of all the account's sessions (0: none): it counts while all of them are the person's. The number
 * put into RET. */
size_t holder_allowed(const Permit *permit, const HolderSessions *sessions, uint32_t manager, uint32_t *ret,
                      size_t max);
