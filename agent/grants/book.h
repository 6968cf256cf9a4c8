/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * book.h: the permits of this terminal, one for each exception that was asked for, in STATE/grants: who
 * asked, who approved, who writes to what, for what, from when until when, and what became of the medium.
 * Kept for good, but for the oldest that are closed when there are too many. A file that cannot be read
 * grants nothing, and nothing is granted until it is put aside.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/enum.h"

enum {
        PERMITS_MAX = 2000,
        PERMIT_TEXT_MAX = 200, /* bytes of each text */
        BOOK_BYTES_MAX = 8 * 1024 * 1024
};

#define PERMIT_STATE_LIST(X)                                                                                \
        X(PERMIT_REFUSED, "refused")       /* it never began */                                             \
        X(PERMIT_ASKED, "asked")           /* a second person has to approve */                             \
        X(PERMIT_CHALLENGED, "challenged") /* the code of the helpdesk is waited for */                     \
        X(PERMIT_RUNNING, "running")                                                                        \
        X(PERMIT_ENDED, "ended") /* the medium is not back */                                               \
        X(PERMIT_CLOSED, "closed")
DECLARE_ENUM(PermitState, permit_state, PERMIT_STATE_LIST);

/* X(field, "key") */
#define PERMIT_TEXT_LIST(X)                                                                                 \
        X(user, "user")     /* who writes */                                                                \
        X(vendor, "vendor") /* of the medium, "" for none ... */                                            \
        X(product, "product")                                                                               \
        X(serial, "serial")                                                                                 \
        X(bus, "bus")                                                                                       \
        X(device, "device") /* ... and as people call it */                                                 \
        X(reason, "reason")                                                                                 \
        X(purpose, "purpose")                                                                               \
        X(data_class, "data-class")                                                                         \
        X(carrier, "carrier")                                                                               \
        X(requester, "requester") /* account that asked */                                                  \
        X(approver, "approver")   /* account that approved, "helpdesk" for a code, "" for nobody */         \
        X(boot, "boot")           /* in which it was asked for */                                           \
        X(challenge, "challenge")                                                                           \
        X(cause, "cause")     /* why it ended, or never began */                                            \
        X(outcome, "outcome") /* "returned" or "erased" */                                                  \
        X(closer, "closer")   /* account that confirmed that */

/* What older books have not: "" or 0 there. */
#define PERMIT_LATER_TEXT_LIST(X)                                                                           \
        X(person, "person") /* whom the account's session belongs to, as pam_sekisho tells it */            \
        X(media, "media")   /* what was plugged in under it, as of medium_token() */

#define PERMIT_LATER_NUMBER_LIST(X)                                                                         \
        X(session, "session")   /* of audit, the only one it is for; 0: any of the person's */              \
        X(asked_in, "asked-in") /* session of the account in which it was asked for; 0: none */

#define PERMIT_NUMBER_LIST(X)                                                                               \
        X(uid, "uid") /* who writes */                                                                      \
        X(requester_uid, "requester-uid")                                                                   \
        X(approver_uid, "approver-uid") /* -1: nobody, or by telephone */                                   \
        X(minutes, "minutes")                                                                               \
        X(asked, "asked") /* seconds since the epoch, 0: never */                                           \
        X(begun, "begun")                                                                                   \
        X(until, "until")                                                                                   \
        X(boot_until, "boot-until") /* the same by the boot-time clock, in microseconds */                  \
        X(ended, "ended")                                                                                   \
        X(closed, "closed")                                                                                 \
        X(writes, "writes") /* files closed after writing */                                                \
        X(wrong, "wrong")   /* codes */

#define PERMIT_TEXT_FIELD_(field, key)   char field[PERMIT_TEXT_MAX + 1];
#define PERMIT_NUMBER_FIELD_(field, key) int64_t field;
typedef struct Permit {
        uint32_t id;
        PermitState state;
        PERMIT_TEXT_LIST(PERMIT_TEXT_FIELD_)
        PERMIT_NUMBER_LIST(PERMIT_NUMBER_FIELD_)
        PERMIT_LATER_TEXT_LIST(PERMIT_TEXT_FIELD_)
        PERMIT_LATER_NUMBER_LIST(PERMIT_NUMBER_FIELD_)
} Permit;

typedef struct Book {
        Permit *permits; /* by number, rising */
        size_t n;
        uint32_t next;
        int64_t wrong; /* codes in a row that were wrong, and when the last was */
        int64_t wrong_at;
} Book;

/* Sets a text of a permit. 0, or -EINVAL if it is too long, or not one line of visible text; "" is taken. */
int permit_set(char field[static PERMIT_TEXT_MAX + 1], const char *text);

/* A new permit at the end, with its number and nothing else; a closed or refused one makes room. Valid until
 * the next one. -ENOSPC, -ENOMEM. */
int book_add(Book *book, Permit **ret);
/* NULL if there is none. */
Permit *book_find(const Book *book, uint32_t id);
void book_clear(Book *book);

/* The whole book, or one permit, as JSON: a new string, NULL if memory is short. */
char *book_text(const Book *book);
char *permit_text(const Permit *permit);
/* What book_text() made, with a NUL behind it. 0; -EBADMSG, -ENOMEM with RET untouched. */
int book_parse(const char *text, size_t length, Book *ret);

/* STATE_DIR/grants. 0, also if there is none, and RET is empty then; -EPERM for one that somebody else could
 * have written, -EBADMSG, -errno. */
int book_read(const char *state_dir, Book *ret);
/* Atomically, for root alone. 0 or -errno. */
int book_write(const char *state_dir, const Book *book);
