/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * signing_key.h: secret keys as minisign(1) keeps them, encrypted with a passphrase (scrypt) or not
 * (minisign -W), and the signatures they make. Everything secret is in memory of libsodium's: locked, left
 * out of core dumps, wiped when it is freed. Reads no file. Format: minisign 0.11, src/minisign.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/minisign.h"
#include "policy/scope.h"

enum {
        SIGNING_FILE_MAX = 1024, /* of a secret key's file */
        SIGNING_PASSPHRASE_MAX = 1024
};

typedef struct SigningKey SigningKey;

/* From the text of its file. RET_LOCKED: nothing is known of it but that, until it is opened. 0, -EINVAL if
 * TEXT is none, -EBADMSG if its parts do not fit each other, -ENOMEM. */
int signing_key_parse(const char *text, size_t length, SigningKey **ret, bool *ret_locked);

/* Decrypts it. 0, -EKEYREJECTED for another passphrase, -ENOMEM: scrypt takes what the key's file says, up
 * to 1 GiB by minisign's own choice. */
int signing_key_unlock(SigningKey *key, const char *passphrase);

/* Wipes it. Returns NULL. */
SigningKey *signing_key_free(SigningKey *key);

static inline void scope_signing_key(SigningKey **key) {
        signing_key_free(*key);
}
#define CLEANUP_SIGNING_KEY CLEANUP(scope_signing_key)

/* Its id, as minisign shows it. */
uint64_t signing_key_id(const SigningKey *key);

/* The four lines of a prehashed signature of MESSAGE, with COMMENT as the trusted one, as a new string. 0,
 * -EINVAL if the comment is too long or not to be shown, -ENOMEM. */
int signing_key_sign(const SigningKey *key, const char *message, size_t length, const char *comment,
                     char **ret);
