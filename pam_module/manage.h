/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manage.h: an administrator who is not root enrols others, and takes factors away from them: the agent does
 * it for whom polkit allows it, and never for the administrator's own account. Knows nothing of the bus.
 * Blocks: on the name service, the store's lock and the disk.
 */
#pragma once

#include "pam_module/store.h"

#define MANAGE_VERDICT_LIST(X)                                                                              \
        X(MANAGE_DENY, "deny")               /* it could not be done */                                     \
        X(MANAGE_OWN, "own")                 /* another person has to do it */                              \
        X(MANAGE_UNKNOWN, "unknown")         /* no such account, staff number or factor */                  \
        X(MANAGE_UNCONFIRMED, "unconfirmed") /* the new program's code is not right */                      \
        X(MANAGE_ALREADY, "already")         /* one is enrolled, and is to be taken away first */           \
        X(MANAGE_DONE, "done")
DECLARE_ENUM(ManageVerdict, manage_verdict, MANAGE_VERDICT_LIST);

typedef enum ManageKind {
        MANAGE_LIST,
        MANAGE_ENROL_TOTP,
        MANAGE_REMOVE,
} ManageKind;

typedef struct Manage {
        /* the question; borrowed */
        ManageKind kind;
        const char *store;         /* directory */
        uid_t by;                  /* who asks */
        const char *user, *person; /* PERSON is "" for the account's own */
        const char *factor;        /* to remove; "" is all */
        TotpEnrolment *totp;       /* to enrol, in memory of secret_alloc(), and its code: */
        const char *confirmation;

        /* the answer */
        char account[STORE_KEY_SIZE];
        unsigned factors; /* a FACTOR_BIT each */
        unsigned recovery_left;
        const char *why; /* what went wrong; NULL: nothing */
} Manage;

/* Does it, with a record of what was changed. */
ManageVerdict manage(Manage *question);
