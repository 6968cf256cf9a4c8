/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/codes.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

enum {
        RECOVERY_RANDOM = 12, /* characters of 5 bits */
        SUBSTITUTE_RANDOM = 10,
        HASH_MEMORY = 16 * 1024 * 1024, /* the codes are random: it is the store's thief who has to pay */
        HASH_PASSES = 3
};

static char canonical(char c) {
        static const char from[] = "abcdefghijklmnopqrstuvwxyzILO", to[] = "ABCDEFGH1JK1MN0PQRSTUVWXYZ110";
        const char *found = c ? strchr(from, c) : NULL;

        if (found)
                return to[found - from];
        return c;
}

int code_normalise(const char *code, Secret *ret) {
        size_t length = strlen(code);
        char *text = secret_alloc(length + 1), *to = text;

        if (!text)
                return -ENOMEM;
        for (const char *p = code; *p; p++)
                if (*p != '-' && *p != ' ')
                        *to++ = canonical(*p);
        *ret = (Secret){.text = text, .length = (size_t)(to - text)};
        return 0;
}

bool recovery_has_form(const char *code) {
        return code[0] == 'R' && code[1] >= '0' && code[1] < '0' + RECOVERY_SLOTS &&
               strlen(code) == 2 + RECOVERY_RANDOM && strspn(code + 2, alphabet) == RECOVERY_RANDOM;
}

bool substitute_has_form(const char *code) {
        return code[0] == 'S' && strlen(code) == 1 + SUBSTITUTE_RANDOM &&
               strspn(code + 1, alphabet) == SUBSTITUTE_RANDOM;
}

static void add_random(char *code, size_t n) {
        char *end = code + strlen(code);

        for (size_t i = 0; i < n; i++)
                *end++ = alphabet[randombytes_uniform(sizeof(alphabet) - 1)];
        *end = '\0';
}

static int hash(const char *code, char ret[static HASH_SIZE]) {
        return crypto_pwhash_str_alg(ret, code, strlen(code), HASH_PASSES, HASH_MEMORY,
                                     crypto_pwhash_ALG_ARGON2ID13) < 0
                       ? -ENOMEM
                       : 0;
}

/* Puts hyphens into CODE, which has room for them, before its Nth characters. */
static void group(char *code, const size_t *places, size_t n) {
        for (size_t i = 0; i < n; i++) {
                memmove(code + places[i] + 1, code + places[i], strlen(code + places[i]) + 1);
                code[places[i]] = '-';
        }
}

int recovery_issue(Enrolment *enrolment, unsigned n, char codes[static RECOVERY_SLOTS][CODE_SIZE]) {
        static const size_t places[] = {6, 11};

        if (n < 1 || n > RECOVERY_SLOTS)
                return -EINVAL;
        memset(enrolment->recovery, 0, sizeof(enrolment->recovery));
        for (unsigned i = 0; i < n; i++) {
                int r;

                codes[i][0] = 'R';
                codes[i][1] = (char)('0' + i);
                codes[i][2] = '\0';
                add_random(codes[i], RECOVERY_RANDOM);
                r = hash(codes[i], enrolment->recovery[i]);
                if (r < 0)
                        return r;
                group(codes[i], places, ELEMENTS(places));
        }
        return 0;
}

int substitute_issue(Enrolment *enrolment, time_t from, time_t until, const char *by,
                     char code[static CODE_SIZE]) {
        static const size_t places[] = {6};
        SubstituteEnrolment *substitute = &enrolment->substitute;
        int r;

        if (from < 0 || until <= from || !enrolment_is_word(by, ISSUER_SIZE - 1))
                return -EINVAL;
        memset(substitute, 0, sizeof(*substitute));
        memcpy(code, "S", 2);
        add_random(code, SUBSTITUTE_RANDOM);
        r = hash(code, substitute->hash);
        if (r < 0)
                return r;
        group(code, places, ELEMENTS(places));
        substitute->issued = true;
        substitute->from = from;
        substitute->until = until;
        memcpy(substitute->by, by, strlen(by) + 1);
        return 0;
}

int recovery_take(Enrolment *enrolment, const char *code) {
        char *stored;

        if (!recovery_has_form(code))
                return -EKEYREJECTED;
        stored = enrolment->recovery[code[1] - '0'];
        if (!stored[0] || crypto_pwhash_str_verify(stored, code, strlen(code)) < 0)
                return -EKEYREJECTED;
        memset(stored, 0, HASH_SIZE);
        return 0;
}

int substitute_take(Enrolment *enrolment, const char *code, time_t now) {
        SubstituteEnrolment *substitute = &enrolment->substitute;

        if (!substitute->issued || !substitute_has_form(code) ||
            crypto_pwhash_str_verify(substitute->hash, code, strlen(code)) < 0)
                return -EKEYREJECTED;
        if (now < substitute->from || now >= substitute->until)
                return -EKEYEXPIRED;
        substitute->uses++;
        return 0;
}
