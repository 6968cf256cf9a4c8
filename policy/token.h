/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * token.h: which security key or card stands for a session, as the PAM module tells the agent: one word that
 * holds for as long as the thing is plugged in, and not for when it comes back. Pure.
 *
 *     key:PATH     the hidraw device in sysfs. The kernel counts the HID devices that it has seen, and that
 *                  number is in the path. Without PATH it could not be found any more.
 *     card:READER  the reader's name at pcscd, as PKCS#11 modules call their slots.
 */
#pragma once

#include "policy/enum.h"

enum {
        TOKEN_SIZE = 320 /* of the word, with its NUL */
};

#define TOKEN_KIND_LIST(X)                                                                                  \
        X(TOKEN_NONE, "none") /* nothing that can be taken away */                                          \
        X(TOKEN_KEY, "key")                                                                                 \
        X(TOKEN_CARD, "card")
DECLARE_ENUM(TokenKind, token_kind, TOKEN_KIND_LIST);

typedef struct Token {
        TokenKind kind;
        char place[TOKEN_SIZE]; /* path or reader */
} Token;

/* The word for what is in the LENGTH bytes of PLACE; what no word may hold is written as %XX. 0, or
 * -ENAMETOOLONG. */
int token_format(TokenKind kind, const char *place, size_t length, char ret[static TOKEN_SIZE]);

/* "" is TOKEN_NONE. 0, or -EINVAL. */
int token_parse(const char *word, Token *ret);
