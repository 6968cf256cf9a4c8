/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/challenge.h"

#include <errno.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>

#include "policy/scope.h"

enum {
        BITS = 5,
        GROUP = 4,
        TERMINAL_SYMBOLS = 7,
        OBJECT_SYMBOLS = 3,
        MINUTES_SYMBOLS = 2,
        RANDOM_SYMBOLS = 7,
        CHALLENGE_SYMBOLS = TERMINAL_SYMBOLS + OBJECT_SYMBOLS + MINUTES_SYMBOLS + RANDOM_SYMBOLS,
        CODE_SYMBOLS = 11,
        SYMBOLS_MAX = CHALLENGE_SYMBOLS + 1
};

_Static_assert((int)CHALLENGE_KEY_BYTES == (int)crypto_auth_hmacsha256_KEYBYTES, "an HMAC's key");

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* GF(32), x^5 + x^2 + 1: times x. */
static unsigned times_x(unsigned v) {
        v <<= 1;
        return v & 0x20U ? v ^ 0x25U : v;
}

/* x is primitive, so its powers up to the 30th differ and none is 0 (Horner's rule, one more at the end). */
static uint8_t check_symbol(const uint8_t *symbols, size_t n) {
        unsigned sum = 0;

        for (size_t i = 0; i < n; i++)
                sum = times_x(sum) ^ symbols[i];
        return (uint8_t)times_x(sum);
}

static void put(uint8_t *symbols, uint64_t value, size_t n) {
        while (n > 0) {
                symbols[--n] = (uint8_t)(value & 31U);
                value >>= BITS;
        }
}

static uint64_t take(const uint8_t *symbols, size_t n) {
        uint64_t value = 0;

        for (size_t i = 0; i < n; i++)
                value = value << BITS | symbols[i];
        return value;
}

/* N symbols and their check, in groups. RET has room for them. */
static void write_text(const uint8_t *symbols, size_t n, char *ret) {
        for (size_t i = 0; i <= n; i++) {
                if (i > 0 && i % GROUP == 0)
                        *ret++ = '-';
                *ret++ = alphabet[i < n ? symbols[i] : check_symbol(symbols, n)];
        }
        *ret = '\0';
}

static int symbol_of(char c) {
        const char *found;

        if (c >= 'a' && c <= 'z')
                c = (char)(c - 'a' + 'A');
        if (c == 'O')
                c = '0';
        else if (c == 'I' || c == 'L')
                c = '1';
        found = c ? strchr(alphabet, c) : NULL;
        return found ? (int)(found - alphabet) : -1;
}

/* Exactly N symbols and a right check. */
static int read_text(const char *text, uint8_t symbols[static SYMBOLS_MAX], size_t n) {
        size_t found = 0;

        for (; *text; text++) {
                int symbol = symbol_of(*text);

                if (*text == '-' || *text == ' ')
                        continue;
                if (symbol < 0 || found > n)
                        return -EINVAL;
                symbols[found++] = (uint8_t)symbol;
        }
        if (found != n + 1)
                return -EINVAL;
        return check_symbol(symbols, n) == symbols[n] ? 0 : -EBADMSG;
}

static void hash_part(crypto_hash_sha256_state *state, const char *text) {
        const uint8_t absent = text ? 1 : 0;

        crypto_hash_sha256_update(state, &absent, 1);
        if (text)
                crypto_hash_sha256_update(state, (const uint8_t *)text, strlen(text) + 1);
}

uint64_t challenge_terminal(const char *machine_id) {
        static const char label[] = "sekisho grant terminal";
        uint8_t hash[crypto_hash_sha256_BYTES];
        crypto_hash_sha256_state state;
        uint64_t value = 0;

        crypto_hash_sha256_init(&state);
        hash_part(&state, label);
        hash_part(&state, machine_id);
        crypto_hash_sha256_final(&state, hash);
        for (size_t i = 0; i < 5; i++)
                value = value << 8 | hash[i];
        return value >> 5;
}

uint16_t challenge_object(const char *vendor, const char *product, const char *serial, const char *user) {
        uint8_t hash[crypto_hash_sha256_BYTES];
        crypto_hash_sha256_state state;

        crypto_hash_sha256_init(&state);
        hash_part(&state, vendor);
        hash_part(&state, product);
        hash_part(&state, serial);
        hash_part(&state, user);
        crypto_hash_sha256_final(&state, hash);
        return (uint16_t)((hash[0] << 8 | hash[1]) >> 1);
}

void challenge_terminal_text(uint64_t terminal, char ret[static CHALLENGE_TERMINAL_MAX]) {
        uint8_t symbols[TERMINAL_SYMBOLS];

        put(symbols, terminal, TERMINAL_SYMBOLS);
        write_text(symbols, TERMINAL_SYMBOLS, ret);
}

int challenge_terminal_parse(const char *text, uint64_t *ret) {
        uint8_t symbols[SYMBOLS_MAX];

        if (read_text(text, symbols, TERMINAL_SYMBOLS) < 0)
                return -EINVAL;
        *ret = take(symbols, TERMINAL_SYMBOLS);
        return 0;
}

static void to_symbols(const Challenge *challenge, uint8_t symbols[static SYMBOLS_MAX]) {
        put(symbols, challenge->terminal, TERMINAL_SYMBOLS);
        symbols += TERMINAL_SYMBOLS;
        put(symbols, challenge->object, OBJECT_SYMBOLS);
        symbols += OBJECT_SYMBOLS;
        put(symbols, challenge->minutes, MINUTES_SYMBOLS);
        symbols += MINUTES_SYMBOLS;
        put(symbols, challenge->random, RANDOM_SYMBOLS);
}

void challenge_text(const Challenge *challenge, char ret[static CHALLENGE_TEXT_MAX]) {
        uint8_t symbols[SYMBOLS_MAX];

        to_symbols(challenge, symbols);
        write_text(symbols, CHALLENGE_SYMBOLS, ret);
}

int challenge_parse(const char *text, Challenge *ret) {
        uint8_t symbols[SYMBOLS_MAX];
        const uint8_t *at = symbols;
        int r = read_text(text, symbols, CHALLENGE_SYMBOLS);
        Challenge found;

        if (r < 0)
                return r;
        found.terminal = take(at, TERMINAL_SYMBOLS);
        at += TERMINAL_SYMBOLS;
        found.object = (uint16_t)take(at, OBJECT_SYMBOLS);
        at += OBJECT_SYMBOLS;
        found.minutes = (uint16_t)take(at, MINUTES_SYMBOLS);
        at += MINUTES_SYMBOLS;
        found.random = take(at, RANDOM_SYMBOLS);
        *ret = found;
        return 0;
}

/* HMAC-SHA-256 over LABEL, with its NUL, and N symbols. */
static void mac(const uint8_t *key, const char *label, const uint8_t *symbols, size_t n,
                uint8_t ret[static crypto_auth_hmacsha256_BYTES]) {
        crypto_auth_hmacsha256_state state;

        crypto_auth_hmacsha256_init(&state, key, CHALLENGE_KEY_BYTES);
        crypto_auth_hmacsha256_update(&state, (const uint8_t *)label, strlen(label) + 1);
        crypto_auth_hmacsha256_update(&state, symbols, n);
        crypto_auth_hmacsha256_final(&state, ret);
        explicit_bzero(&state, sizeof(state));
}

void challenge_terminal_key(const uint8_t fleet[static CHALLENGE_KEY_BYTES], uint64_t terminal,
                            uint8_t ret[static CHALLENGE_KEY_BYTES]) {
        uint8_t symbols[TERMINAL_SYMBOLS];

        put(symbols, terminal, TERMINAL_SYMBOLS);
        mac(fleet, "sekisho grant key 1", symbols, TERMINAL_SYMBOLS, ret);
}

static void answer_symbols(const uint8_t *key, const Challenge *challenge,
                           uint8_t ret[static CODE_SYMBOLS]) {
        uint8_t symbols[SYMBOLS_MAX], hash[crypto_auth_hmacsha256_BYTES];
        uint64_t value = 0;

        to_symbols(challenge, symbols);
        mac(key, "sekisho grant answer 1", symbols, CHALLENGE_SYMBOLS, hash);
        for (size_t i = 0; i < sizeof(value); i++)
                value = value << 8 | hash[i];
        put(ret, value, CODE_SYMBOLS);
        explicit_bzero(hash, sizeof(hash));
}

void challenge_answer(const uint8_t key[static CHALLENGE_KEY_BYTES], const Challenge *challenge,
                      char ret[static CHALLENGE_CODE_MAX]) {
        uint8_t symbols[CODE_SYMBOLS];

        answer_symbols(key, challenge, symbols);
        write_text(symbols, CODE_SYMBOLS, ret);
        explicit_bzero(symbols, sizeof(symbols));
}

int challenge_check(const uint8_t key[static CHALLENGE_KEY_BYTES], const Challenge *challenge,
                    const char *code) {
        uint8_t given[SYMBOLS_MAX], right[CODE_SYMBOLS];
        int r = read_text(code, given, CODE_SYMBOLS);

        if (r < 0)
                return r;
        answer_symbols(key, challenge, right);
        r = sodium_memcmp(given, right, CODE_SYMBOLS) == 0 ? 0 : -EACCES;
        explicit_bzero(right, sizeof(right));
        return r;
}

int challenge_key_parse(const char *text, uint8_t ret[static CHALLENGE_KEY_BYTES]) {
        size_t n = 0;

        if (strlen(text) != 2 * (size_t)CHALLENGE_KEY_BYTES ||
            sodium_hex2bin(ret, CHALLENGE_KEY_BYTES, text, strlen(text), NULL, &n, NULL) < 0 ||
            n != CHALLENGE_KEY_BYTES) {
                explicit_bzero(ret, CHALLENGE_KEY_BYTES);
                return -EINVAL;
        }
        return 0;
}
