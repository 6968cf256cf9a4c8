/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_crypto.h: what a security key computes, by OpenSSL. Aborts where that fails. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* On P-256. */
typedef struct FakeKey {
        unsigned char secret[32], x[32], y[32];
} FakeKey;

void fake_key(const unsigned char secret[static 32], FakeKey *ret);
void fake_agree(const FakeKey *key, const unsigned char *x, const unsigned char *y,
                unsigned char ret[static 32]);
size_t fake_sign(const FakeKey *key, const void *a, size_t a_length, const void *b, size_t b_length,
                 unsigned char ret[static 80]);
void fake_sha256(const void *a, size_t a_length, const void *b, size_t b_length,
                 unsigned char ret[static 32]);
void fake_hmac(const unsigned char key[static 32], const void *data, size_t n, unsigned char ret[static 32]);
void fake_aes(const unsigned char key[static 32], bool encrypt, const unsigned char *data,
              unsigned char *ret, size_t n);
