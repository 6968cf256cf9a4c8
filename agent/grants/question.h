/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * question.h: what is asked about exceptions, over the bus, and why it is refused. Arguments have names,
 * since there are many and most may be left out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/enum.h"

/* The names of the methods on the bus. */
#define GRANT_METHOD_LIST(X)                                                                                \
        X(GRANT_GIVE, "Give")       /* an administrator gives one, or asks for a second one's approval */   \
        X(GRANT_APPROVE, "Approve") /* that one */                                                          \
        X(GRANT_REQUEST, "Request") /* a person asks for a challenge ... */                                 \
        X(GRANT_REDEEM, "Redeem")   /* ... and has its answer */                                            \
        X(GRANT_REVOKE, "Revoke")                                                                           \
        X(GRANT_CLOSE, "Close")                                                                             \
        X(GRANT_LIST, "List")
DECLARE_ENUM(GrantMethod, grant_method, GRANT_METHOD_LIST);

enum {
        GRANT_METHODS = GRANT_LIST + 1
};

/* Why not: the word on the bus and in the journal. sekishoctl has the sentences. */
#define GRANT_REFUSAL_LIST(X)                                                                               \
        X(GRANT_TAKEN, "taken") /* it is not refused */                                                     \
        X(GRANT_NOT_ALLOWED, "not-allowed")                                                                 \
        X(GRANT_WATCHES_ONLY, "watches-only")                                                               \
        X(GRANT_IN_LOCKDOWN, "lockdown")                                                                    \
        X(GRANT_NEEDS_LSM, "needs-lsm")                                                                     \
        X(GRANT_BAD_ARGUMENTS, "bad-arguments")                                                             \
        X(GRANT_NO_SERIAL, "no-serial")                                                                     \
        X(GRANT_NO_SUCH_USER, "no-such-user")                                                               \
        X(GRANT_NOT_YOURS, "not-yours")                                                                     \
        X(GRANT_TOO_LONG, "too-long")                                                                       \
        X(GRANT_APPROVED_ALREADY, "approved-already")                                                       \
        X(GRANT_MEDIUM_TAKEN, "medium-taken")                                                               \
        X(GRANT_NO_KEY, "no-key")                                                                           \
        X(GRANT_SAME_PERSON, "same-person")                                                                 \
        X(GRANT_NO_LOGIN, "no-login")                                                                       \
        X(GRANT_SESSION_UNKNOWN, "session-unknown")                                                         \
        X(GRANT_NO_SUCH_GRANT, "no-such-grant")                                                             \
        X(GRANT_OTHER_STATE, "other-state")                                                                 \
        X(GRANT_WRONG_CODE, "wrong-code")                                                                   \
        X(GRANT_MISHEARD, "misheard")                                                                       \
        X(GRANT_WAIT, "wait")                                                                               \
        X(GRANT_BOOK_UNREADABLE, "book-unreadable")                                                         \
        X(GRANT_BOOK_FULL, "book-full")                                                                     \
        X(GRANT_NOT_WRITTEN, "not-written")
DECLARE_ENUM(GrantRefusal, grant_refusal, GRANT_REFUSAL_LIST);

enum {
        GRANT_ARGUMENTS_MAX = 16
};

typedef struct GrantArgument {
        const char *name, *value;
} GrantArgument;

enum {
        GRANT_NAME_MAX = 256
};

/* Who is meant, looked up before the question is answered: a directory of people may take its time. */
typedef struct GrantPeople {
        uid_t asker;                     /* who sits there ... */
        bool is_known;                   /* ... whether that tells one person from another ... */
        char asker_name[GRANT_NAME_MAX]; /* ... its name, or its number */
        char own_name[GRANT_NAME_MAX];   /* likewise of the uid that the bus knows */
        uint32_t session;                /* of audit, in which it is asked; 0: none */
        bool user_found;                 /* there is who is to write */
        uid_t user;
} GrantPeople;

typedef struct GrantQuestion {
        GrantMethod method;
        uid_t uid; /* who asks, as the bus knows it ... */
        pid_t pid;
        GrantArgument arguments[GRANT_ARGUMENTS_MAX];
        size_t n;
        GrantPeople people;
} GrantQuestion;

/* The value of an argument, "" if it is not given. */
const char *grant_argument(const GrantQuestion *question, const char *name);
