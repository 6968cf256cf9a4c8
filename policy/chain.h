/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chain.h: the chain of records. Each record carries its place in its writer's chain, and a link: a hash
 * over the link before and over what the record says. Whoever takes a record away, changes or inserts one
 * breaks the chain there. Pure; docs/audit.md says what a chain shows, and what not.
 *
 * The canonical form of a record is the set of its fields that count: those named SEKISHO_* but the link
 * itself, and MESSAGE, MESSAGE_ID, PRIORITY and SYSLOG_IDENTIFIER, by BLAKE2b of each "NAME=value", in the
 * order of these hashes. So neither the order of fields nor a field that is there twice is lost or matters.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIELD_CHAIN        "SEKISHO_CHAIN"        /* the link, 64 hexadecimal digits */
#define FIELD_CHAIN_ID     "SEKISHO_CHAIN_ID"     /* which chain, 32 hexadecimal digits */
#define FIELD_CHAIN_WRITER "SEKISHO_CHAIN_WRITER" /* agent, keeper, logins or login */
#define FIELD_CHAIN_BEGIN  "SEKISHO_CHAIN_BEGIN"  /* of the first that a process writes: a ChainBegin */
#define FIELD_SEQUENCE     "SEKISHO_SEQUENCE"     /* from 1 on */
#define FIELD_WRITTEN      "SEKISHO_WRITTEN"      /* when it was handed to the journal, microseconds */

enum {
        CHAIN_LINK_SIZE = 32,
        CHAIN_LINK_TEXT = 2 * CHAIN_LINK_SIZE + 1,
        CHAIN_ID_TEXT = 33,
        CHAIN_FIELDS_MAX = 96
};

/* How a process comes to the chain that it writes on, by the word in its first record. */
#define CHAIN_BEGIN_LIST(X)                                                                                 \
        X(CHAIN_GOES_ON, "", "")                                                                            \
        X(CHAIN_NEW, "new", "nothing was known of a chain before")                                          \
        X(CHAIN_CONTINUED, "continued", "where the last process ended")                                     \
        X(CHAIN_UNCERTAIN, "uncertain", "the last process was ended while it wrote the record before")      \
        X(CHAIN_FOUND, "found", "its state was lost or old; the journal had the end of the chain")

#define CHAIN_BEGIN_CONSTANT_(constant, word, text) constant,
typedef enum ChainBegin {
        CHAIN_BEGIN_LIST(CHAIN_BEGIN_CONSTANT_)
} ChainBegin;

const char *chain_begin_to_string(ChainBegin begin);
int chain_begin_from_string(const char *word); /* -1 if there is no such word */

/* The end of a chain. */
typedef struct ChainHead {
        char id[CHAIN_ID_TEXT];
        uint64_t sequence; /* of the last record; 0: there is none yet */
        unsigned char link[CHAIN_LINK_SIZE];
} ChainHead;

/* A new chain, by random numbers. */
void chain_new(ChainHead *ret);

/* What a record says, field by field. Zeroed to begin with. */
typedef struct ChainDigest {
        unsigned char fields[CHAIN_FIELDS_MAX][CHAIN_LINK_SIZE];
        size_t n;
        bool overflow; /* more fields than any record of ours has */
} ChainDigest;

/* Take in a field, if it is one that counts. */
void chain_digest_add(ChainDigest *digest, const char *name, size_t name_length, const void *value,
                      size_t value_length);

/* The same for DATA, "NAME=value". */
void chain_digest_add_data(ChainDigest *digest, const void *data, size_t length);

/* The hash of them all. 0, or -E2BIG if they were too many. DIGEST is sorted by it. */
int chain_digest_end(ChainDigest *digest, unsigned char ret[static CHAIN_LINK_SIZE]);

/* The link of a record whose fields have this hash. RET may be PREVIOUS. */
void chain_link(const unsigned char previous[static CHAIN_LINK_SIZE],
                const unsigned char record[static CHAIN_LINK_SIZE],
                unsigned char ret[static CHAIN_LINK_SIZE]);

void chain_link_text(const unsigned char link[static CHAIN_LINK_SIZE], char ret[static CHAIN_LINK_TEXT]);
bool chain_link_parse(const char *text, unsigned char ret[static CHAIN_LINK_SIZE]);
bool chain_id_is_valid(const char *text);
/* A sequence or time: digits alone, from 1 on. */
bool chain_number_parse(const char *text, uint64_t *ret);
