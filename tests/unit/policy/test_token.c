/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/token.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(token, is_read_as_it_was_written) {
        static const struct {
                TokenKind kind;
                const char *place, *word;
        } cases[] = {
                {TOKEN_NONE, "", ""},
                {TOKEN_KEY, "", "key:"},
                {TOKEN_KEY, "/sys/devices/a:b/0003:1050:0407.0005",
                 "key:/sys/devices/a:b/0003:1050:0407.0005"},
                {TOKEN_CARD, "Reader (A%) 00 00", "card:Reader%20(A%25)%2000%2000"},
                {TOKEN_CARD, "\xe8\n\x7f", "card:%E8%0A%7F"},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                char word[TOKEN_SIZE];
                Token token = {0};

                cr_assert_eq(token_format(cases[i].kind, cases[i].place, strlen(cases[i].place), word), 0);
                cr_expect_str_eq(word, cases[i].word);
                cr_assert_eq(token_parse(word, &token), 0, "%s", word);
                cr_expect_eq(token.kind, cases[i].kind);
                cr_expect_str_eq(token.place, cases[i].place);
        }
}

Test(token, that_is_none_is_refused) {
        static const char *const cases[] = {"key",      "usb:/sys", "card",      "card:%", "card:%2",
                                            "card:%g0", "card:%2f", "card:a%00", "none:",  "/sys/devices"};

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                Token token;

                cr_expect_eq(token_parse(cases[i], &token), -EINVAL, "%s", cases[i]);
        }
}

Test(token, is_no_longer_than_there_is_room_for) {
        char place[TOKEN_SIZE], word[TOKEN_SIZE] = "before";
        Token token;

        memset(place, 'a', sizeof(place));
        cr_expect_eq(token_format(TOKEN_KEY, place, TOKEN_SIZE - 5, word), 0);
        cr_expect_eq(strlen(word), TOKEN_SIZE - 1);
        cr_expect_eq(token_parse(word, &token), 0);
        cr_expect_eq(token_format(TOKEN_KEY, place, TOKEN_SIZE - 4, word), -ENAMETOOLONG);
        memset(place, ' ', sizeof(place));
        cr_expect_eq(token_format(TOKEN_CARD, place, TOKEN_SIZE / 3, word), -ENAMETOOLONG);
}
