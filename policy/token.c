/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/token.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

DEFINE_ENUM_STRINGS(TokenKind, token_kind, TOKEN_KIND_LIST);

static bool is_plain(unsigned char c) {
        return c > ' ' && c < 0x7f && c != '%';
}

int token_format(TokenKind kind, const char *place, size_t length, char ret[static TOKEN_SIZE]) {
        char word[TOKEN_SIZE];
        size_t n = 0;

        if (kind != TOKEN_NONE)
                n = (size_t)snprintf(word, sizeof(word), "%s:", token_kind_to_string(kind));
        for (size_t i = 0; kind != TOKEN_NONE && i < length; i++) {
                unsigned char c = (unsigned char)place[i];
                size_t room = sizeof(word) - n;
                int written = is_plain(c) ? snprintf(word + n, room, "%c", c)
                                          : snprintf(word + n, room, "%%%02X", c);

                if ((size_t)written >= room)
                        return -ENAMETOOLONG;
                n += (size_t)written;
        }
        word[n] = '\0';
        memcpy(ret, word, n + 1);
        return 0;
}

static int digit(char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* No NUL may come of it. */
static int decode(const char *from, char to[static TOKEN_SIZE]) {
        size_t n = 0;

        for (; *from; from++, n++) {
                if (n == TOKEN_SIZE - 1)
                        return -EINVAL;
                if (*from != '%') {
                        to[n] = *from;
                        continue;
                }
                if (digit(from[1]) < 0 || digit(from[2]) < 0 || (from[1] == '0' && from[2] == '0'))
                        return -EINVAL;
                to[n] = (char)(digit(from[1]) * 16 + digit(from[2]));
                from += 2;
        }
        to[n] = '\0';
        return 0;
}

int token_parse(const char *word, Token *ret) {
        static const TokenKind kinds[] = {TOKEN_KEY, TOKEN_CARD};
        Token token = {.kind = TOKEN_NONE};

        for (size_t i = 0; *word && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
                const char *name = token_kind_to_string(kinds[i]);
                size_t length = strlen(name);

                if (strncmp(word, name, length) != 0 || word[length] != ':')
                        continue;
                token.kind = kinds[i];
                if (decode(word + length + 1, token.place) < 0)
                        return -EINVAL;
        }
        if (*word && token.kind == TOKEN_NONE)
                return -EINVAL;
        *ret = token;
        return 0;
}
