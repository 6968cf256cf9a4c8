/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/chain.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "policy/scope.h"

#define PREFIX "SEKISHO_"

static const char *const counted[] = {"MESSAGE", "MESSAGE_ID", "PRIORITY", "SYSLOG_IDENTIFIER"};

#define CHAIN_BEGIN_WORD_(constant, word, text) [constant] = (word),
static const char *const begin_words[] = {CHAIN_BEGIN_LIST(CHAIN_BEGIN_WORD_)};

const char *chain_begin_to_string(ChainBegin begin) {
        return (size_t)begin < ELEMENTS(begin_words) ? begin_words[begin] : NULL;
}

int chain_begin_from_string(const char *word) {
        for (size_t i = 0; i < ELEMENTS(begin_words); i++)
                if (strcmp(begin_words[i], word) == 0)
                        return (int)i;
        return -1;
}

void chain_new(ChainHead *ret) {
        unsigned char id[(CHAIN_ID_TEXT - 1) / 2];

        *ret = (ChainHead){.sequence = 0};
        randombytes_buf(id, sizeof(id));
        sodium_bin2hex(ret->id, sizeof(ret->id), id, sizeof(id));
}

static bool counts(const char *name, size_t length) {
        if (length > strlen(PREFIX) && memcmp(name, PREFIX, strlen(PREFIX)) == 0)
                return length != strlen(FIELD_CHAIN) || memcmp(name, FIELD_CHAIN, length) != 0;
        for (size_t i = 0; i < ELEMENTS(counted); i++)
                if (length == strlen(counted[i]) && memcmp(name, counted[i], length) == 0)
                        return true;
        return false;
}

void chain_digest_add(ChainDigest *digest, const char *name, size_t name_length, const void *value,
                      size_t value_length) {
        crypto_generichash_state state;

        if (!counts(name, name_length))
                return;
        if (digest->n >= CHAIN_FIELDS_MAX) {
                digest->overflow = true;
                return;
        }
        (void)crypto_generichash_init(&state, NULL, 0, CHAIN_LINK_SIZE);
        (void)crypto_generichash_update(&state, (const unsigned char *)name, name_length);
        (void)crypto_generichash_update(&state, (const unsigned char *)"=", 1);
        (void)crypto_generichash_update(&state, value, value_length);
        (void)crypto_generichash_final(&state, digest->fields[digest->n++], CHAIN_LINK_SIZE);
}

void chain_digest_add_data(ChainDigest *digest, const void *data, size_t length) {
        const char *name = data, *equals = length > 0 ? memchr(data, '=', length) : NULL;

        if (equals)
                chain_digest_add(digest, name, (size_t)(equals - name), equals + 1,
                                 length - (size_t)(equals + 1 - name));
}

static int compare(const void *a, const void *b) {
        return memcmp(a, b, CHAIN_LINK_SIZE);
}

int chain_digest_end(ChainDigest *digest, unsigned char ret[static CHAIN_LINK_SIZE]) {
        if (digest->overflow)
                return -E2BIG;
        qsort(digest->fields, digest->n, CHAIN_LINK_SIZE, compare);
        (void)crypto_generichash(ret, CHAIN_LINK_SIZE, digest->fields[0], digest->n * CHAIN_LINK_SIZE, NULL,
                                 0);
        return 0;
}

void chain_link(const unsigned char previous[static CHAIN_LINK_SIZE],
                const unsigned char record[static CHAIN_LINK_SIZE],
                unsigned char ret[static CHAIN_LINK_SIZE]) {
        unsigned char both[2 * CHAIN_LINK_SIZE];

        memcpy(both, previous, CHAIN_LINK_SIZE);
        memcpy(both + CHAIN_LINK_SIZE, record, CHAIN_LINK_SIZE);
        (void)crypto_generichash(ret, CHAIN_LINK_SIZE, both, sizeof(both), NULL, 0);
}

void chain_link_text(const unsigned char link[static CHAIN_LINK_SIZE], char ret[static CHAIN_LINK_TEXT]) {
        sodium_bin2hex(ret, CHAIN_LINK_TEXT, link, CHAIN_LINK_SIZE);
}

/* N hexadecimal digits, in lower case, as we write them. */
static bool is_hex(const char *text, size_t n) {
        return text && strlen(text) == n && strspn(text, "0123456789abcdef") == n;
}

bool chain_link_parse(const char *text, unsigned char ret[static CHAIN_LINK_SIZE]) {
        return is_hex(text, CHAIN_LINK_TEXT - 1) &&
               sodium_hex2bin(ret, CHAIN_LINK_SIZE, text, CHAIN_LINK_TEXT - 1, NULL, NULL, NULL) == 0;
}

bool chain_id_is_valid(const char *text) {
        return is_hex(text, CHAIN_ID_TEXT - 1);
}

bool chain_number_parse(const char *text, uint64_t *ret) {
        unsigned long long number;
        char *end;

        if (!text || *text < '1' || *text > '9')
                return false;
        errno = 0;
        number = strtoull(text, &end, 10);
        if (errno != 0 || *end != '\0')
                return false;
        *ret = number;
        return true;
}
