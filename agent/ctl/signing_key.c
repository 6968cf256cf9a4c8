/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/signing_key.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "agent/ctl/text.h"
#include "policy/scope.h"
#include "policy/utf8.h"

#define UNTRUSTED "untrusted comment: "

enum {
        ID = 8,
        CHECK = 32,
        SALT = 32,
        MEMORY_MAX_LOG = 31 /* bytes that a key's file may ask scrypt for */
};

/* What is encrypted; numbers are bytes, so that nothing lies between the parts. */
typedef struct Inner {
        unsigned char id[ID];
        unsigned char secret[crypto_sign_SECRETKEYBYTES];
        unsigned char check[CHECK];
} Inner;

typedef struct Outer {
        unsigned char signature[2], derivation[2], checksum[2];
        unsigned char salt[SALT];
        unsigned char operations[8], memory[8]; /* little-endian */
        Inner inner;
} Outer;
_Static_assert(sizeof(Outer) == 158, "as minisign writes it");

struct SigningKey {
        Outer outer;
        unsigned char stream[sizeof(Inner)];
        bool locked;
};

static void scope_sodium(unsigned char **memory) {
        sodium_free(*memory); /* wipes */
}

static uint64_t number_of(const unsigned char *bytes) {
        uint64_t n = 0;

        for (size_t i = 8; i-- > 0;)
                n = n << 8 | bytes[i];
        return n;
}

/* Whether its public key stands behind the secret one. */
static bool is_pair(const Inner *inner) {
        unsigned char public[crypto_sign_PUBLICKEYBYTES];
        CLEANUP(scope_sodium) unsigned char *secret = sodium_malloc(crypto_sign_SECRETKEYBYTES);

        return secret && crypto_sign_seed_keypair(public, secret, inner->secret) == 0 &&
               sodium_memcmp(secret, inner->secret, crypto_sign_SECRETKEYBYTES) == 0;
}

/* Whether the checksum is that of the parts, by which a passphrase is known for the right one. */
static bool has_checksum(const Outer *outer) {
        unsigned char check[CHECK];
        crypto_generichash_state state;

        (void)crypto_generichash_init(&state, NULL, 0, sizeof(check));
        (void)crypto_generichash_update(&state, outer->signature, sizeof(outer->signature));
        (void)crypto_generichash_update(&state, outer->inner.id, ID);
        (void)crypto_generichash_update(&state, outer->inner.secret, sizeof(outer->inner.secret));
        (void)crypto_generichash_final(&state, check, sizeof(check));
        sodium_memzero(&state, sizeof(state));
        return sodium_memcmp(check, outer->inner.check, CHECK) == 0;
}

/* The second of two lines, base 64 of exactly an Outer. */
static int parse(const char *text, size_t length, Outer *ret) {
        const char *line = memchr(text, '\n', length), *end;
        size_t n = 0;

        if (length > SIGNING_FILE_MAX || !line || (size_t)(line - text) < strlen(UNTRUSTED) ||
            memcmp(text, UNTRUSTED, strlen(UNTRUSTED)) != 0)
                return -EINVAL;
        line++;
        end = memchr(line, '\n', length - (size_t)(line - text));
        if (!end || end + 1 != text + length ||
            sodium_base642bin((unsigned char *)ret, sizeof(*ret), line, (size_t)(end - line), NULL, &n, NULL,
                              sodium_base64_VARIANT_ORIGINAL) != 0 ||
            n != sizeof(*ret) || memcmp(ret->signature, "Ed", 2) != 0 || memcmp(ret->checksum, "B2", 2) != 0)
                return -EINVAL;
        return 0;
}

int signing_key_parse(const char *text, size_t length, SigningKey **ret, bool *ret_locked) {
        CLEANUP_SIGNING_KEY SigningKey *key = NULL;
        int r;

        if (sodium_init() < 0)
                return -ENOMEM;
        key = sodium_malloc(sizeof(*key));
        if (!key)
                return -ENOMEM;
        r = parse(text, length, &key->outer);
        if (r < 0)
                return r;
        key->locked = memcmp(key->outer.derivation, "Sc", 2) == 0;
        if (!key->locked && memcmp(key->outer.derivation, "\0\0", 2) != 0)
                return -EINVAL;
        if (key->locked && number_of(key->outer.memory) > UINT64_C(1) << MEMORY_MAX_LOG)
                return -EINVAL;
        if (!key->locked && !is_pair(&key->outer.inner)) /* minisign gives it no checksum */
                return -EBADMSG;
        *ret_locked = key->locked;
        *ret = STEAL_PTR(key);
        return 0;
}

static void cross(unsigned char *bytes, const unsigned char *stream, size_t n) {
        for (size_t i = 0; i < n; i++)
                bytes[i] ^= stream[i];
}

int signing_key_unlock(SigningKey *key, const char *passphrase) {
        Outer *outer = &key->outer;

        if (crypto_pwhash_scryptsalsa208sha256(key->stream, sizeof(key->stream), passphrase,
                                               strlen(passphrase), outer->salt, number_of(outer->operations),
                                               number_of(outer->memory)) != 0)
                return -ENOMEM;
        cross((unsigned char *)&outer->inner, key->stream, sizeof(outer->inner));
        key->locked = !has_checksum(outer) || !is_pair(&outer->inner);
        if (key->locked) /* as it was */
                cross((unsigned char *)&outer->inner, key->stream, sizeof(outer->inner));
        sodium_memzero(key->stream, sizeof(key->stream));
        return key->locked ? -EKEYREJECTED : 0;
}

SigningKey *signing_key_free(SigningKey *key) {
        sodium_free(key); /* wipes */
        return NULL;
}

uint64_t signing_key_id(const SigningKey *key) {
        return number_of(key->outer.inner.id);
}

static bool is_comment(const char *text, size_t length) {
        if (length > MINISIGN_COMMENT_MAX)
                return false;
        for (size_t i = 0; i < length;) {
                uint32_t c = 0;
                size_t bytes = utf8_next(text + i, length - i, &c);

                if (bytes == 0 || (c != '\t' && utf8_is_control(c)))
                        return false;
                i += bytes;
        }
        return true;
}

int signing_key_sign(const SigningKey *key, const char *message, size_t length, const char *comment,
                     char **ret) {
        unsigned char hash[crypto_generichash_BYTES_MAX], global[MINISIGN_SIGNATURE];
        unsigned char both[MINISIGN_SIGNATURE + MINISIGN_COMMENT_MAX + 1];
        unsigned char blob[2 + ID + MINISIGN_SIGNATURE] = {'E', 'D'};
        char first[sodium_base64_ENCODED_LEN(sizeof(blob), sodium_base64_VARIANT_ORIGINAL)];
        char second[sodium_base64_ENCODED_LEN(sizeof(global), sodium_base64_VARIANT_ORIGINAL)];
        const unsigned char *secret = key->outer.inner.secret;
        size_t n = strlen(comment);
        char *text;

        if (key->locked || !is_comment(comment, n))
                return -EINVAL;
        memcpy(blob + 2, key->outer.inner.id, ID);
        (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)message, length, NULL, 0);
        (void)crypto_sign_detached(blob + 2 + ID, NULL, hash, sizeof(hash), secret);
        memcpy(both, blob + 2 + ID, MINISIGN_SIGNATURE);
        memcpy(both + MINISIGN_SIGNATURE, comment, n + 1);
        (void)crypto_sign_detached(global, NULL, both, MINISIGN_SIGNATURE + n, secret);
        sodium_bin2base64(first, sizeof(first), blob, sizeof(blob), sodium_base64_VARIANT_ORIGINAL);
        sodium_bin2base64(second, sizeof(second), global, sizeof(global), sodium_base64_VARIANT_ORIGINAL);
        text = text_format(UNTRUSTED "signature from sekishoctl\n%s\ntrusted comment: %s\n%s\n", first,
                           comment, second);
        if (!text)
                return -ENOMEM;
        *ret = text;
        return 0;
}
