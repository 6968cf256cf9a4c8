/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sessions.h: who has logged in, as pam_sekisho tells it: which person in which session, by which factors.
 * Records of denials are given that. Kept in RUNTIME/sessions, so that an agent that starts anew knows it
 * still. Decides nothing.
 *
 * Records come from many threads: the list has a lock, which is held for as long as it takes to copy two
 * texts, and never over a file.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/report/record.h"

enum {
        SESSIONS_MAX = 128,
        SESSION_TEXT_MAX = 320 /* of each text, with its NUL */
};

typedef struct Session {
        char id[SESSION_TEXT_MAX]; /* logind's; "": it has none */
        uid_t uid;
        char person[SESSION_TEXT_MAX];
        char factors[SESSION_TEXT_MAX]; /* "password,totp" */
        char service[SESSION_TEXT_MAX];
        char terminal[SESSION_TEXT_MAX];
        bool remote;
        pid_t leader;                 /* the process that began it ... */
        uint32_t audit;               /* ... and its session of audit then; 0: not known */
        char token[SESSION_TEXT_MAX]; /* what locks it when it is taken away (policy/token.h); "": nothing */
} Session;

typedef struct Sessions Sessions;

/* With what RUNTIME_DIR still knows; a file that is not whole is as none. 0 or -ENOMEM. */
int sessions_new(const char *runtime_dir, Sessions **ret);
Sessions *sessions_free(Sessions *sessions); /* returns NULL */

/* Sets a text of a session, which may have no blanks or control characters in it. 0, or -EINVAL. */
int session_set(char field[static SESSION_TEXT_MAX], const char *text);

/* Whether there still is a process of its leader's number. */
bool session_is_there(const Session *session);

/* A session begins: in place of one of the same leader or id. 0, 1 if it lies in another one, whose leader
 * lives and stays, -ENOSPC if too many of processes that still
 * live are there, or -errno if it could not be written; it is known all the same then. */
int sessions_open(Sessions *sessions, const Session *session);

/* The session that LEADER began is over. 1, 0 if there was none, -errno. */
int sessions_close(Sessions *sessions, pid_t leader);

/* Another person has come, or the same one again. The session is that of the id BY gives; where there is no
 * such, that of the user at the terminal; else the only one of the user at the machine itself. RET is as it
 * was before, RET_NOW as it is. 1 if the person is another one, 0 if not, -ENOENT if there is no session it
 * can be about, -errno. */
int sessions_change_person(Sessions *sessions, const Session *by, Session *ret, Session *ret_now);

/* What stands for the session that LEADER began is gone, and has had its effect: nothing does any more. 0 or
 * -errno. */
int sessions_forget_token(Sessions *sessions, pid_t leader);

/* Adds to RECORD who was there, and by which factors: of its session; where that is not known, as of a
 * desktop's programs, of the user who logged in, if all sessions of that user are one person's. From any
 * thread. */
void sessions_describe(Sessions *sessions, Record *record);

/* Calls FUNCTION with each. */
void sessions_foreach(Sessions *sessions, void (*function)(void *userdata, const Session *session),
                      void *userdata);
