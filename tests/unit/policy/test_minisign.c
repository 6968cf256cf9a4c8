/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What minisign 0.11 made of "hello\n", in both of its ways. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <string.h>

#include "policy/minisign.h"
#include "policy/scope.h"

static const char key_text[] = "untrusted comment: minisign public key A266A3C8B735E67\n"
                               "RWRnXnOLPGomCko8/uyceNKTzEJYcHmBpUsNiSFNjL6nGOkZObNyl2aR\n";
static const char prehashed[] =
        "untrusted comment: signature from minisign secret key\n"
        "RURnXnOLPGomCqXo6IKh01HjlDJQ/"
        "2w1w4AckVikPiZTLGkELrKdH3dZHNiQLTNW16TpFWCStN5qBsunRNzzMLnXWACmwpM9QQE=\n"
        "trusted comment: serial 5\n"
        "9WVzeghxOJ+whAQ3W1TZfLRbnAdT0OU/rnBUu5e2ZQSKQDrPQpETfB2I/YzKBs51m7Sld6ofaGLWUEOQyUYuAg==\n";
static const char legacy[] =
        "untrusted comment: signature from minisign secret key\n"
        "RWRnXnOLPGomCkV7byQmYf0WSZ9IIAwWWNc1R69yvSTt3fdTuOakz1RUu2sNMGEMUZTiauyos0UrsViF5zL7S+"
        "KXldCU2e133gg=\n"
        "trusted comment: timestamp:1795272680\tfile:m\n"
        "3IJlYBigpqPI5WVHhMnSzKcFjuQv/NcmEdZ8OXGXWHN55/375IFkRuZwiTpiJB/egn49e44BKkZirRebl1RvBg==\n";
static const char message[] = "hello\n";

static MinisignKey key_of(const char *text) {
        MinisignKey key;

        cr_assert_eq(minisign_key_parse(text, strlen(text), &key), 0);
        return key;
}

static MinisignSignature signature_of(const char *text) {
        MinisignSignature signature;

        cr_assert_eq(minisign_signature_parse(text, strlen(text), &signature), 0);
        return signature;
}

static int verify(const MinisignSignature *signature, const char *text, size_t length) {
        MinisignKey key = key_of(key_text);

        return minisign_verify(signature, &key, text, length);
}

Test(minisign, key_has_the_id_that_minisign_shows) {
        cr_assert_eq(key_of(key_text).id, UINT64_C(0xA266A3C8B735E67));
}

Test(minisign, both_kinds_of_signatures_are_verified) {
        MinisignSignature signature = signature_of(prehashed);

        cr_assert(signature.prehashed);
        cr_assert_str_eq(signature.comment, "serial 5");
        cr_assert_eq(verify(&signature, message, strlen(message)), 0);
        signature = signature_of(legacy);
        cr_assert_not(signature.prehashed);
        cr_assert_eq(verify(&signature, message, strlen(message)), 0);
}

Test(minisign, another_message_is_rejected) {
        MinisignSignature signature = signature_of(prehashed);

        cr_assert_eq(verify(&signature, "hello", 5), -EKEYREJECTED);
        cr_assert_eq(verify(&signature, "", 0), -EKEYREJECTED);
        cr_assert_eq(verify(&signature, "hello\n\0", 7), -EKEYREJECTED);
}

Test(minisign, trusted_comment_is_signed_too) {
        MinisignSignature signature = signature_of(prehashed);

        strcpy(signature.comment, "serial 6");
        cr_assert_eq(verify(&signature, message, strlen(message)), -EKEYREJECTED);
}

Test(minisign, one_kind_does_not_pass_for_the_other) {
        MinisignSignature signature = signature_of(prehashed);

        signature.prehashed = false;
        cr_assert_eq(verify(&signature, message, strlen(message)), -EKEYREJECTED);
}

Test(minisign, signature_names_its_key) {
        MinisignSignature signature = signature_of(prehashed);

        signature.id++;
        cr_assert_eq(verify(&signature, message, strlen(message)), -EKEYREJECTED);
}

/* Ed25519 signatures can be written a second way by adding the group's order to S (RFC 8032, 8.4). */
Test(minisign, signature_with_the_order_added_is_rejected) {
        static const unsigned char order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                                0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
        MinisignSignature signature = signature_of(legacy);
        unsigned carry = 0;

        for (size_t i = 0; i < sizeof(order); i++) {
                carry += signature.signature[32 + i] + order[i];
                signature.signature[32 + i] = (unsigned char)carry;
                carry >>= 8;
        }
        cr_assert_eq(verify(&signature, message, strlen(message)), -EKEYREJECTED);
        signature = signature_of(legacy);
        carry = 0;
        for (size_t i = 0; i < sizeof(order); i++) {
                carry += signature.global[32 + i] + order[i];
                signature.global[32 + i] = (unsigned char)carry;
                carry >>= 8;
        }
        cr_assert_eq(verify(&signature, message, strlen(message)), -EKEYREJECTED);
}

/* The point at infinity as key and as R verifies anything where nobody looks. */
Test(minisign, key_of_small_order_signs_nothing) {
        MinisignSignature signature = {.id = 1};
        MinisignKey key = {.id = 1};

        key.public[0] = signature.signature[0] = signature.global[0] = 1;
        cr_assert_eq(minisign_verify(&signature, &key, message, strlen(message)), -EKEYREJECTED);
}

typedef struct Wrong {
        char label[32], from[64], to[64];
} Wrong;

ParameterizedTestParameters(minisign, what_is_written_otherwise_is_refused) {
        static Wrong cases[] = {
                {"no comment", "untrusted comment: s", "s"},
                {"other word", "trusted comment: serial", "Trusted comment: serial"},
                {"carriage return", "secret key\n", "secret key\r\n"},
                {"control character", "serial 5", "serial \x1b[5"},
                {"broken UTF-8", "serial 5", "serial \xff"},
                {"bits behind the last", "M9QQE=\n", "M9QQF=\n"},
                {"beyond ASCII", "JQ/2w",
                 "JQ\xaf"
                 "2w"},
                {"no padding", "M9QQE=\n", "M9QQE\n"},
                {"blank in the base 64", "QQE=\n", "QQE= \n"},
                {"shorter", "QQE=\n", "=\n"},
                {"other algorithm", "RUR", "RVR"},
                {"nothing at the end", "YuAg==\n", "YuAg=="},
                {"more at the end", "YuAg==\n", "YuAg==\n\n"},
                {"a line twice", "trusted comment: serial 5\n", "trusted comment: serial 5\n\n"},
        };

        return cr_make_param_array(Wrong, cases, ELEMENTS(cases));
}

ParameterizedTest(Wrong *c, minisign, what_is_written_otherwise_is_refused) {
        char text[1024] = {0};
        const char *at = strstr(prehashed, c->from);
        MinisignSignature signature = {.id = 7};

        cr_assert_not_null(at, "%s", c->label);
        snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - prehashed), prehashed, c->to,
                 at + strlen(c->from));
        cr_assert_eq(minisign_signature_parse(text, strlen(text), &signature), -EINVAL, "%s", c->label);
        cr_assert_eq(signature.id, 7, "untouched");
}

Test(minisign, what_is_no_public_key_is_refused) {
        MinisignKey key;

        cr_assert_eq(minisign_key_parse("", 0, &key), -EINVAL);
        cr_assert_eq(minisign_key_parse(prehashed, strlen(prehashed), &key), -EINVAL);
        cr_assert_eq(minisign_key_parse(key_text, strlen(key_text) - 1, &key), -EINVAL);
}

Test(minisign, ids_are_written_as_minisign_shows_them) {
        uint64_t id = 0;

        cr_assert_eq(minisign_id_parse("A266A3C8B735E67", &id), 0);
        cr_assert_eq(id, UINT64_C(0xA266A3C8B735E67));
        cr_assert_eq(minisign_id_parse("FFFFFFFFFFFFFFFF", &id), 0);
        cr_assert_eq(minisign_id_parse("a266a3c8b735e67", &id), -EINVAL);
        cr_assert_eq(minisign_id_parse("", &id), -EINVAL);
        cr_assert_eq(minisign_id_parse("00A266A3C8B735E67", &id), -EINVAL);
}
