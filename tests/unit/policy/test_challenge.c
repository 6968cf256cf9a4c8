/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Challenges and their answers: what is misheard is found, and nobody answers for another terminal. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/challenge.h"

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const Challenge sample = {
        .terminal = 0x712345678, .object = 0x7abc, .minutes = 720, .random = 0x5deadbeef};

static void make_key(uint8_t key[CHALLENGE_KEY_BYTES], uint64_t terminal) {
        uint8_t fleet[CHALLENGE_KEY_BYTES];

        memset(fleet, 7, sizeof(fleet));
        challenge_terminal_key(fleet, terminal, key);
}

Test(challenge, is_read_as_it_was_written) {
        char text[CHALLENGE_TEXT_MAX];
        Challenge found;

        challenge_text(&sample, text);
        cr_assert_eq(strlen(text), 24);
        cr_assert_eq(challenge_parse(text, &found), 0);
        cr_assert_eq(found.terminal, sample.terminal);
        cr_assert_eq(found.object, sample.object);
        cr_assert_eq(found.minutes, sample.minutes);
        cr_assert_eq(found.random, sample.random);
}

Test(challenge, is_taken_as_people_say_it) {
        const Challenge zeros = {.terminal = 1};
        char text[CHALLENGE_TEXT_MAX], said[64] = "";
        Challenge found;
        size_t n = 0;

        challenge_text(&zeros, text);
        for (const char *at = text; *at; at++)
                if (*at != '-') {
                        said[n] = *at;
                        if (*at == '0')
                                said[n] = 'o';
                        else if (*at == '1')
                                said[n] = 'l';
                        n++;
                        said[n++] = ' ';
                }
        cr_assert_eq(challenge_parse(said, &found), 0, "%s", said);
        cr_assert_eq(found.terminal, 1);
}

Test(challenge, every_wrong_character_is_found) {
        char text[CHALLENGE_TEXT_MAX], wrong[CHALLENGE_TEXT_MAX];
        Challenge found;

        challenge_text(&sample, text);
        for (size_t i = 0; text[i]; i++)
                for (const char *other = alphabet; *other && text[i] != '-'; other++) {
                        if (*other == text[i])
                                continue;
                        memcpy(wrong, text, sizeof(wrong));
                        wrong[i] = *other;
                        cr_assert_eq(challenge_parse(wrong, &found), -EBADMSG, "%s", wrong);
                }
}

Test(challenge, every_two_swapped_characters_are_found) {
        char text[CHALLENGE_TEXT_MAX], wrong[CHALLENGE_TEXT_MAX];
        Challenge found;

        challenge_text(&sample, text);
        for (size_t i = 0; text[i]; i++)
                for (size_t j = i + 1; text[j]; j++) {
                        if (text[i] == text[j] || text[i] == '-' || text[j] == '-')
                                continue;
                        memcpy(wrong, text, sizeof(wrong));
                        wrong[i] = text[j];
                        wrong[j] = text[i];
                        cr_assert_eq(challenge_parse(wrong, &found), -EBADMSG, "%s", wrong);
                }
}

Test(challenge, what_is_none_is_refused) {
        static const char *const none[] = {"",
                                           "A",
                                           "AAAA-AAAA-AAAA-AAAA-AAA",
                                           "AAAA-AAAA-AAAA-AAAA-AAAA-A",
                                           "UUUU-UUUU-UUUU-UUUU-UUUU",
                                           "あ"};
        Challenge found;

        for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
                cr_assert_eq(challenge_parse(none[i], &found), -EINVAL, "%s", none[i]);
}

Test(challenge, a_code_answers_its_own_challenge_alone) {
        uint8_t key[CHALLENGE_KEY_BYTES];
        char code[CHALLENGE_CODE_MAX];
        Challenge others[] = {sample, sample, sample, sample};

        make_key(key, sample.terminal);
        challenge_answer(key, &sample, code);
        cr_assert_eq(strlen(code), 14);
        cr_assert_eq(challenge_check(key, &sample, code), 0);
        others[0].terminal ^= 1;
        others[1].object ^= 1;
        others[2].minutes ^= 1;
        others[3].random ^= 1;
        for (size_t i = 0; i < 4; i++)
                cr_assert_eq(challenge_check(key, &others[i], code), -EACCES, "%zu", i);
}

Test(challenge, one_terminals_key_answers_for_no_other) {
        uint8_t key[CHALLENGE_KEY_BYTES], other[CHALLENGE_KEY_BYTES];
        char code[CHALLENGE_CODE_MAX];

        make_key(key, sample.terminal);
        make_key(other, sample.terminal + 1);
        challenge_answer(other, &sample, code);
        cr_assert_eq(challenge_check(key, &sample, code), -EACCES);
}

Test(challenge, a_misheard_code_is_told_from_a_wrong_one) {
        uint8_t key[CHALLENGE_KEY_BYTES];
        char code[CHALLENGE_CODE_MAX];

        make_key(key, sample.terminal);
        challenge_answer(key, &sample, code);
        code[0] = code[0] == 'A' ? 'B' : 'A';
        cr_assert_eq(challenge_check(key, &sample, code), -EBADMSG);
        cr_assert_eq(challenge_check(key, &sample, ""), -EINVAL);
        cr_assert_eq(challenge_check(key, &sample, "00000000"), -EINVAL);
}

/* By Python: hmac.new(hmac.new(bytes([7]*32), ...).digest(), ...), see docs/grants.md for what is in them.
 */
Test(challenge, the_format_stays_what_helpdesks_have) {
        uint8_t key[CHALLENGE_KEY_BYTES];
        char text[CHALLENGE_TEXT_MAX], code[CHALLENGE_CODE_MAX], terminal[CHALLENGE_TERMINAL_MAX];
        uint64_t back;

        make_key(key, sample.terminal);
        challenge_text(&sample, text);
        challenge_answer(key, &sample, code);
        challenge_terminal_text(sample.terminal, terminal);
        cr_assert_str_eq(text, "W938-NKRY-NWPG-QFAV-FQFZ");
        cr_assert_str_eq(code, "SPEW-S4N5-QNC0");
        cr_assert_eq(challenge_terminal_parse(terminal, &back), 0);
        cr_assert_eq(back, sample.terminal);
}

Test(challenge, media_people_and_machines_differ) {
        cr_assert_neq(challenge_object("a", "b", "c", "u"), challenge_object("a", "b", "c", "v"));
        cr_assert_neq(challenge_object("ab", "", "c", "u"), challenge_object("a", "b", "c", "u"));
        cr_assert_neq(challenge_terminal("0123"), challenge_terminal("0124"));
        cr_assert_lt(challenge_terminal("0123"), UINT64_C(1) << 35);
}

Test(challenge, a_key_is_64_digits) {
        uint8_t key[CHALLENGE_KEY_BYTES];
        char text[66];

        memset(text, 'a', sizeof(text));
        text[64] = '\0';
        cr_assert_eq(challenge_key_parse(text, key), 0);
        cr_assert_eq(key[31], 0xaa);
        text[63] = '\0';
        cr_assert_eq(challenge_key_parse(text, key), -EINVAL);
        memset(text, 'a', 65);
        text[65] = '\0';
        cr_assert_eq(challenge_key_parse(text, key), -EINVAL);
        text[64] = '\0';
        text[9] = 'g';
        cr_assert_eq(challenge_key_parse(text, key), -EINVAL);
}
