/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * challenge.h: exceptions by telephone, for terminals without a network. The terminal shows a challenge:
 * which terminal, which medium and person, how many minutes, and something random. Who has the fleet's key
 * answers with a code made from it. The terminal has a secret of its own, made from that key, which answers
 * for no other terminal. Pure: nothing is read, and what is random is handed in.
 *
 * Both are written in Crockford's base32 without I, L, O and U, in groups of four, with a check character: a
 * sum over GF(32) with weights that differ, so that one wrong character and two swapped ones are always
 * found.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
        CHALLENGE_KEY_BYTES = 32,
        CHALLENGE_MINUTES_MAX = 1023,
        CHALLENGE_TERMINAL_MAX = 10, /* text of a terminal's number, with its NUL */
        CHALLENGE_TEXT_MAX = 25,     /* five groups of four */
        CHALLENGE_CODE_MAX = 15      /* three groups of four */
};

typedef struct Challenge {
        uint64_t terminal; /* 35 bits */
        uint16_t object;   /* 15 bits */
        uint16_t minutes;  /* 10 bits */
        uint64_t random;   /* 35 bits; what lies above is dropped */
} Challenge;

/* The number of the terminal whose /etc/machine-id this is. */
uint64_t challenge_terminal(const char *machine_id);

/* A short number for a medium and who is to write to it. */
uint16_t challenge_object(const char *vendor, const char *product, const char *serial, const char *user);

/* The terminal's number as people write it, and back: 0, or -EINVAL if it is none or its check fails. */
void challenge_terminal_text(uint64_t terminal, char ret[static CHALLENGE_TERMINAL_MAX]);
int challenge_terminal_parse(const char *text, uint64_t *ret);

/* As it is read out, and back: case, blanks and hyphens do not matter, and O, I and L count as 0 and 1.
 * 0; -EINVAL if it is none, -EBADMSG if its check fails. */
void challenge_text(const Challenge *challenge, char ret[static CHALLENGE_TEXT_MAX]);
int challenge_parse(const char *text, Challenge *ret);

/* The secret of a terminal, from the fleet's key. */
void challenge_terminal_key(const uint8_t fleet[static CHALLENGE_KEY_BYTES], uint64_t terminal,
                            uint8_t ret[static CHALLENGE_KEY_BYTES]);

/* The code that answers CHALLENGE, by the terminal's secret. */
void challenge_answer(const uint8_t key[static CHALLENGE_KEY_BYTES], const Challenge *challenge,
                      char ret[static CHALLENGE_CODE_MAX]);

/* Whether CODE does, in constant time: 0; -EINVAL if it is no code, -EBADMSG if its check character says
 * that it was misheard, -EACCES. */
int challenge_check(const uint8_t key[static CHALLENGE_KEY_BYTES], const Challenge *challenge,
                    const char *code);

/* A key as it is kept in a file, 64 hexadecimal digits: 0 or -EINVAL. */
int challenge_key_parse(const char *text, uint8_t ret[static CHALLENGE_KEY_BYTES]);
