/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/minisign.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "policy/scope.h"
#include "policy/utf8.h"

#define UNTRUSTED "untrusted comment: "
#define TRUSTED   "trusted comment: "

enum {
        ALGORITHM = 2,
        ID = 8,
        BLOB_MAX = ALGORITHM + ID + MINISIGN_SIGNATURE
};

typedef struct Line {
        const char *text;
        size_t length;
} Line;

/* Takes a line that ends in a newline off the front. */
static int take_line(const char **text, size_t *length, Line *ret) {
        const char *end = memchr(*text, '\n', *length);

        if (!end)
                return -EINVAL;
        *ret = (Line){.text = *text, .length = (size_t)(end - *text)};
        *length -= ret->length + 1;
        *text = end + 1;
        return 0;
}

/* What stands behind PREFIX: text that a terminal may be shown. */
static int take_comment(const char **text, size_t *length, const char *prefix, Line *ret) {
        size_t n = strlen(prefix);
        Line line;

        if (take_line(text, length, &line) < 0 || line.length < n || memcmp(line.text, prefix, n) != 0 ||
            line.length - n > MINISIGN_COMMENT_MAX)
                return -EINVAL;
        line.text += n;
        line.length -= n;
        for (size_t i = 0; i < line.length;) {
                uint32_t c = 0;
                size_t bytes = utf8_next(line.text + i, line.length - i, &c);

                if (bytes == 0 || (c != '\t' && utf8_is_control(c))) /* minisign puts tabs between parts */
                        return -EINVAL;
                i += bytes;
        }
        *ret = line;
        return 0;
}

/* Base 64 of exactly SIZE bytes, written in the one way. */
static int take_blob(const char **text, size_t *length, unsigned char *ret, size_t size) {
        char again[sodium_base64_ENCODED_LEN(BLOB_MAX, sodium_base64_VARIANT_ORIGINAL)];
        size_t n = 0;
        Line line;

        if (take_line(text, length, &line) < 0 ||
            line.length != sodium_base64_ENCODED_LEN(size, sodium_base64_VARIANT_ORIGINAL) - 1 ||
            sodium_base642bin(ret, size, line.text, line.length, NULL, &n, NULL,
                              sodium_base64_VARIANT_ORIGINAL) != 0 ||
            n != size)
                return -EINVAL;
        /* libsodium 1.0.18 takes the byte 0xaf for a slash */
        sodium_bin2base64(again, sizeof(again), ret, size, sodium_base64_VARIANT_ORIGINAL);
        if (memcmp(again, line.text, line.length) != 0)
                return -EINVAL;
        return 0;
}

static uint64_t id_of(const unsigned char *bytes) {
        uint64_t id = 0;

        for (size_t i = ID; i-- > 0;)
                id = id << 8 | bytes[i];
        return id;
}

int minisign_key_parse(const char *text, size_t length, MinisignKey *ret) {
        unsigned char blob[ALGORITHM + ID + MINISIGN_PUBLIC];
        MinisignKey key;
        Line comment;

        if (length > MINISIGN_KEY_MAX || take_comment(&text, &length, UNTRUSTED, &comment) < 0 ||
            take_blob(&text, &length, blob, sizeof(blob)) < 0 || length != 0 ||
            memcmp(blob, "Ed", ALGORITHM) != 0)
                return -EINVAL;
        key.id = id_of(blob + ALGORITHM);
        memcpy(key.public, blob + ALGORITHM + ID, sizeof(key.public));
        *ret = key;
        return 0;
}

int minisign_signature_parse(const char *text, size_t length, MinisignSignature *ret) {
        unsigned char blob[BLOB_MAX];
        MinisignSignature signature = {0};
        Line untrusted, trusted;

        if (length > MINISIGN_TEXT_MAX || take_comment(&text, &length, UNTRUSTED, &untrusted) < 0 ||
            take_blob(&text, &length, blob, sizeof(blob)) < 0 ||
            take_comment(&text, &length, TRUSTED, &trusted) < 0 ||
            take_blob(&text, &length, signature.global, sizeof(signature.global)) < 0 || length != 0)
                return -EINVAL;
        if (memcmp(blob, "Ed", ALGORITHM) != 0 && memcmp(blob, "ED", ALGORITHM) != 0)
                return -EINVAL;
        signature.prehashed = blob[1] == 'D';
        signature.id = id_of(blob + ALGORITHM);
        memcpy(signature.signature, blob + ALGORITHM + ID, sizeof(signature.signature));
        memcpy(signature.comment, trusted.text, trusted.length);
        *ret = signature;
        return 0;
}

static int verify_message(const MinisignSignature *signature, const MinisignKey *key, const char *message,
                          size_t length) {
        unsigned char hash[crypto_generichash_BYTES_MAX];

        if (!signature->prehashed)
                return crypto_sign_verify_detached(signature->signature, (const unsigned char *)message,
                                                   length, key->public);
        if (crypto_generichash(hash, sizeof(hash), (const unsigned char *)message, length, NULL, 0) != 0)
                return -1;
        return crypto_sign_verify_detached(signature->signature, hash, sizeof(hash), key->public);
}

int minisign_verify(const MinisignSignature *signature, const MinisignKey *key, const char *message,
                    size_t length) {
        unsigned char both[MINISIGN_SIGNATURE + MINISIGN_COMMENT_MAX];
        size_t comment = strlen(signature->comment);

        if (sodium_init() < 0)
                return -ENOMEM;
        memcpy(both, signature->signature, MINISIGN_SIGNATURE);
        memcpy(both + MINISIGN_SIGNATURE, signature->comment, comment);
        if (signature->id != key->id || verify_message(signature, key, message, length) != 0 ||
            crypto_sign_verify_detached(signature->global, both, MINISIGN_SIGNATURE + comment,
                                        key->public) != 0)
                return -EKEYREJECTED;
        return 0;
}

int minisign_id_parse(const char *text, uint64_t *ret) {
        size_t length = strlen(text);
        uint64_t id = 0;

        if (length == 0 || length > 16 || strspn(text, "0123456789ABCDEF") != length)
                return -EINVAL;
        for (const char *c = text; *c; c++)
                id = id << 4 | (uint64_t)(*c <= '9' ? *c - '0' : *c - 'A' + 10);
        *ret = id;
        return 0;
}
