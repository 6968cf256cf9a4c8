/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * minisign.h: public keys and detached signatures as minisign(1) writes them: Ed25519 over the message, or
 * over its BLAKE2b-512 ("prehashed", what minisign makes today), and a second signature over the first and
 * the trusted comment. Strict: one way to write each thing. Format: https://jedisct1.github.io/minisign/.
 * Reads no file; libsodium has the cryptography.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
        MINISIGN_PUBLIC = 32,
        MINISIGN_SIGNATURE = 64,
        MINISIGN_COMMENT_MAX = 1023, /* of a comment, either kind */
        MINISIGN_KEY_MAX = 2048,     /* of a public key's file */
        MINISIGN_TEXT_MAX = 4096     /* of a signature's file */
};

typedef struct MinisignKey {
        uint64_t id; /* as minisign shows it, in hexadecimal */
        unsigned char public[MINISIGN_PUBLIC];
} MinisignKey;

typedef struct MinisignSignature {
        bool prehashed;
        uint64_t id; /* of the key that made it */
        unsigned char signature[MINISIGN_SIGNATURE], global[MINISIGN_SIGNATURE];
        char comment[MINISIGN_COMMENT_MAX + 1]; /* the trusted one */
} MinisignSignature;

/* A public key's file: two lines. 0; -EINVAL if TEXT is none; RET is untouched then. */
int minisign_key_parse(const char *text, size_t length, MinisignKey *ret);

/* A signature's file: four lines. 0; -EINVAL if TEXT is none; RET is untouched then. */
int minisign_signature_parse(const char *text, size_t length, MinisignSignature *ret);

/* Whether KEY made SIGNATURE of MESSAGE, and of its trusted comment. 0; -EKEYREJECTED if not; -ENOMEM. */
int minisign_verify(const MinisignSignature *signature, const MinisignKey *key, const char *message,
                    size_t length);

/* An id as minisign shows it: 1 to 16 digits of hexadecimal, letters large. 0 or -EINVAL. */
int minisign_id_parse(const char *text, uint64_t *ret);
