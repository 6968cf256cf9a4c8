/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record.h: one record for the journal, by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL). Not by
 * sd_journal_sendv(): a record of su or sudo would be told to be from the user who calls them, and so could
 * be anybody's. Here the effective user is named, which the kernel checks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "policy/chain.h"
#include "policy/event.h"
#include "policy/model.h"

enum {
        RECORD_SIZE = 8192
};

/* On the stack: where memory is short the record is needed most. Zeroed to begin with. */
typedef struct LoginRecord {
        char text[RECORD_SIZE];
        size_t length;
} LoginRecord;

/* Adds FIELD, in the form of FORMAT; cut off, or left out, where there is no more room. */
void record_add(LoginRecord *record, const char *field, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* The same if TEXT is something. */
void record_add_text(LoginRecord *record, const char *field, const char *text);
/* What every record of KIND begins with. */
void record_begin(LoginRecord *record, EventKind kind, const char *identifier);

/* "password,totp" */
enum {
        FACTORS_TEXT_SIZE = 128
};
const char *factors_text(unsigned factors, char text[static FACTORS_TEXT_SIZE]);

/* What it says so far, for the chain. */
void record_digest(const LoginRecord *record, ChainDigest *digest);

/* Sends it as it is. 0, or -errno if there is no journal, or it does not listen within 2 s. */
int record_post(const LoginRecord *record);

/* The same as the next of the chain that is kept in the directory STORE (record_chain.c); waits for it a
 * quarter of a second at most. */
int record_send(LoginRecord *record, const char *store);
