/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/pam/fake_crypto.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                                                     \
        do {                                                                                                \
                if (!(condition))                                                                           \
                        abort();                                                                            \
        } while (0)

void fake_key(const unsigned char secret[static 32], FakeKey *ret) {
        EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
        EC_POINT *point = EC_POINT_new(group);
        BIGNUM *d = BN_bin2bn(secret, 32, NULL), *x = BN_new(), *y = BN_new();

        MUST(EC_POINT_mul(group, point, d, NULL, NULL, NULL) == 1);
        MUST(EC_POINT_get_affine_coordinates(group, point, x, y, NULL) == 1);
        memcpy(ret->secret, secret, 32);
        MUST(BN_bn2binpad(x, ret->x, 32) == 32 && BN_bn2binpad(y, ret->y, 32) == 32);
        BN_free(d);
        BN_free(x);
        BN_free(y);
        EC_POINT_free(point);
        EC_GROUP_free(group);
}

/* SECRET may be NULL. */
static EVP_PKEY *pkey(const unsigned char *secret, const unsigned char *x, const unsigned char *y) {
        OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
        BIGNUM *d = secret ? BN_bin2bn(secret, 32, NULL) : NULL;
        unsigned char point[65] = {4};
        EVP_PKEY *key = NULL;
        OSSL_PARAM *parameters;

        MUST(x && y);
        memcpy(point + 1, x, 32);
        memcpy(point + 33, y, 32);
        MUST(OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1);
        MUST(OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) == 1);
        MUST(!d || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1);
        parameters = OSSL_PARAM_BLD_to_param(build);
        MUST(parameters && EVP_PKEY_fromdata_init(context) == 1);
        MUST(EVP_PKEY_fromdata(context, &key, secret ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, parameters) ==
             1);
        OSSL_PARAM_free(parameters);
        OSSL_PARAM_BLD_free(build);
        EVP_PKEY_CTX_free(context);
        BN_free(d);
        return key;
}

void fake_agree(const FakeKey *key, const unsigned char *x, const unsigned char *y,
                unsigned char ret[static 32]) {
        EVP_PKEY *mine = pkey(key->secret, key->x, key->y), *theirs = pkey(NULL, x, y);
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(mine, NULL);
        unsigned char secret[32];
        size_t n = sizeof(secret);

        MUST(EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_derive_set_peer(context, theirs) == 1);
        MUST(EVP_PKEY_derive(context, secret, &n) == 1 && n == sizeof(secret));
        fake_sha256(secret, n, NULL, 0, ret);
        EVP_PKEY_CTX_free(context);
        EVP_PKEY_free(mine);
        EVP_PKEY_free(theirs);
}

size_t fake_sign(const FakeKey *key, const void *a, size_t a_length, const void *b, size_t b_length,
                 unsigned char ret[static 80]) {
        EVP_PKEY *mine = pkey(key->secret, key->x, key->y);
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        size_t n = 80;

        MUST(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, mine) == 1);
        MUST(EVP_DigestSignUpdate(context, a, a_length) == 1 &&
             EVP_DigestSignUpdate(context, b, b_length) == 1);
        MUST(EVP_DigestSignFinal(context, ret, &n) == 1);
        EVP_MD_CTX_free(context);
        EVP_PKEY_free(mine);
        return n;
}

void fake_sha256(const void *a, size_t a_length, const void *b, size_t b_length,
                 unsigned char ret[static 32]) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();

        MUST(EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
        MUST(EVP_DigestUpdate(context, a, a_length) == 1);
        MUST(!b || EVP_DigestUpdate(context, b, b_length) == 1);
        MUST(EVP_DigestFinal_ex(context, ret, NULL) == 1);
        EVP_MD_CTX_free(context);
}

void fake_hmac(const unsigned char key[static 32], const void *data, size_t n,
               unsigned char ret[static 32]) {
        MUST(HMAC(EVP_sha256(), key, 32, data, n, ret, NULL));
}

void fake_aes(const unsigned char key[static 32], bool encrypt, const unsigned char *data,
              unsigned char *ret, size_t n) {
        static const unsigned char zero[16];
        EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
        int length;

        MUST(EVP_CipherInit_ex(context, EVP_aes_256_cbc(), NULL, key, zero, encrypt) == 1);
        MUST(EVP_CIPHER_CTX_set_padding(context, 0) == 1);
        MUST(EVP_CipherUpdate(context, ret, &length, data, (int)n) == 1 && length == (int)n);
        EVP_CIPHER_CTX_free(context);
}
