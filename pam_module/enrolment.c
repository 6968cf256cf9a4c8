/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/enrolment.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

DEFINE_ENUM_STRINGS(TotpHash, totp_hash, TOTP_HASH_LIST)

_Static_assert(HASH_SIZE == crypto_pwhash_STRBYTES, "a hash of libsodium's fits");

enum {
        WORDS_MAX = 8
};

static const char head[] = "sekisho-factors 1";

Enrolment *enrolment_new(void) {
        return secret_alloc(sizeof(Enrolment));
}

unsigned enrolment_recovery_left(const Enrolment *enrolment) {
        unsigned n = 0;

        for (size_t i = 0; i < RECOVERY_SLOTS; i++)
                n += enrolment->recovery[i][0] != '\0';
        return n;
}

unsigned enrolment_fido2_keys(const Enrolment *enrolment) {
        unsigned n = 0;

        for (size_t i = 0; i < FIDO2_KEYS_MAX; i++)
                n += enrolment->fido2[i].length > 0;
        return n;
}

unsigned enrolment_cards(const Enrolment *enrolment) {
        unsigned n = 0;

        for (size_t i = 0; i < CARDS_MAX; i++)
                n += enrolment->cards[i].length > 0;
        return n;
}

const CardEnrolment *enrolment_find_card(const Enrolment *enrolment, const unsigned char *certificate,
                                         size_t length) {
        for (const CardEnrolment *card = enrolment->cards; card < enrolment->cards + CARDS_MAX; card++)
                if (length > 0 && card->length == length &&
                    memcmp(card->certificate, certificate, length) == 0)
                        return card;
        return NULL;
}

unsigned enrolment_factors(const Enrolment *enrolment) {
        return (enrolment->totp.enrolled ? FACTOR_BIT(FACTOR_TOTP) : 0) |
               (enrolment_recovery_left(enrolment) > 0 ? FACTOR_BIT(FACTOR_RECOVERY) : 0) |
               (enrolment->substitute.issued ? FACTOR_BIT(FACTOR_SUBSTITUTE) : 0) |
               (enrolment_cards(enrolment) > 0 ? FACTOR_BIT(FACTOR_CARD) | FACTOR_BIT(FACTOR_CARD_PIN) : 0) |
               (enrolment_fido2_keys(enrolment) > 0 ? FACTOR_BIT(FACTOR_FIDO2) : 0) |
               (enrolment->fingerprint.enrolled ? FACTOR_BIT(FACTOR_FINGERPRINT) : 0);
}

bool enrolment_is_word(const char *text, size_t max) {
        size_t n = 0;

        for (; text[n]; n++)
                if (text[n] <= ' ' || text[n] > '~')
                        return false;
        return n > 0 && n <= max;
}

/* Decimal digits up to MAX, without sign or leading zeros. */
static bool take_number(const char *word, uint64_t max, uint64_t *ret) {
        uint64_t number = 0;

        if (!*word || (word[0] == '0' && word[1]))
                return false;
        for (; *word; word++) {
                unsigned digit = (unsigned)(*word - '0');

                if (*word < '0' || *word > '9' || number > (max - digit) / 10)
                        return false;
                number = number * 10 + digit;
        }
        *ret = number;
        return true;
}

static bool take_time(const char *word, time_t *ret) {
        uint64_t number;

        if (!take_number(word, INT64_MAX, &number))
                return false;
        *ret = (time_t)number;
        return true;
}

static bool take_small(const char *word, unsigned max, unsigned *ret) {
        uint64_t number;

        if (!take_number(word, max, &number))
                return false;
        *ret = (unsigned)number;
        return true;
}

static bool take_word(const char *word, char *ret, size_t size) {
        size_t length = strlen(word);

        if (!enrolment_is_word(word, size - 1))
                return false;
        memcpy(ret, word, length + 1);
        return true;
}

/* totp SHA1 6 SECRET LAST */
static bool take_totp(char **words, Enrolment *ret) {
        TotpEnrolment *totp = &ret->totp;
        int hash = totp_hash_from_string(words[1]);
        const char *end = NULL;

        if (totp->enrolled || hash < 0 || !take_small(words[2], 8, &totp->digits) ||
            (totp->digits != 6 && totp->digits != 8) ||
            sodium_hex2bin(totp->secret, sizeof(totp->secret), words[3], strlen(words[3]), NULL,
                           &totp->length, &end) < 0 ||
            !end || *end || totp->length < TOTP_SECRET_MIN || !take_number(words[4], INT64_MAX, &totp->last))
                return false;
        totp->hash = (TotpHash)hash;
        totp->enrolled = true;
        return true;
}

/* recovery SLOT HASH */
static bool take_recovery(char **words, Enrolment *ret) {
        unsigned slot;

        return take_small(words[1], RECOVERY_SLOTS - 1, &slot) && !ret->recovery[slot][0] &&
               take_word(words[2], ret->recovery[slot], HASH_SIZE);
}

/* substitute FROM UNTIL USES HASH BY */
static bool take_substitute(char **words, Enrolment *ret) {
        SubstituteEnrolment *substitute = &ret->substitute;

        if (substitute->issued)
                return false;
        substitute->issued = true;
        return take_time(words[1], &substitute->from) && take_time(words[2], &substitute->until) &&
               take_small(words[3], INT32_MAX, &substitute->uses) &&
               take_word(words[4], substitute->hash, HASH_SIZE) &&
               take_word(words[5], substitute->by, ISSUER_SIZE);
}

/* A word, or "-" for none. */
static bool take_optional(const char *word, char *ret, size_t size) {
        return strcmp(word, "-") == 0 || take_word(word, ret, size);
}

static bool take_bytes(const char *word, unsigned char *ret, size_t size, size_t *ret_length) {
        const char *end = NULL;

        return sodium_hex2bin(ret, size, word, strlen(word), NULL, ret_length, &end) == 0 && end && !*end;
}

/* fido2 ES256 RELYING-PARTY ID PUBLIC-KEY COUNTER LABEL PERSON */
static bool take_fido2(char **words, Enrolment *ret) {
        Fido2Key *key = ret->fido2;
        uint64_t counter;
        size_t length;

        while (key < ret->fido2 + FIDO2_KEYS_MAX && key->length > 0)
                key++;
        if (key == ret->fido2 + FIDO2_KEYS_MAX || strcmp(words[1], "ES256") != 0 ||
            !take_word(words[2], key->relying_party, RELYING_PARTY_SIZE) ||
            !take_bytes(words[3], key->id, FIDO2_ID_MAX, &key->length) || key->length == 0 ||
            !take_bytes(words[4], key->public_key, FIDO2_PUBLIC_SIZE, &length) ||
            length != FIDO2_PUBLIC_SIZE || !take_number(words[5], UINT32_MAX, &counter))
                return false;
        for (const Fido2Key *other = ret->fido2; other < key; other++)
                if (other->length == key->length && memcmp(other->id, key->id, key->length) == 0)
                        return false;
        key->counter = (uint32_t)counter;
        return take_word(words[6], key->label, LABEL_SIZE) &&
               take_optional(words[7], key->person, PERSON_SIZE);
}

/* fingerprint FINGERS PERSON */
static bool take_fingerprint(char **words, Enrolment *ret) {
        if (ret->fingerprint.enrolled)
                return false;
        ret->fingerprint.enrolled = true;
        return take_word(words[1], ret->fingerprint.fingers, FINGERS_SIZE) &&
               take_optional(words[2], ret->fingerprint.person, PERSON_SIZE);
}

/* card CERTIFICATE LABEL PERSON */
static bool take_card(char **words, Enrolment *ret) {
        CardEnrolment card = {.length = 0};
        const char *end = NULL;
        unsigned n = enrolment_cards(ret);

        if (n == CARDS_MAX ||
            sodium_base642bin(card.certificate, sizeof(card.certificate), words[1], strlen(words[1]), NULL,
                              &card.length, &end, sodium_base64_VARIANT_ORIGINAL) < 0 ||
            !end || *end || card.length == 0 || enrolment_find_card(ret, card.certificate, card.length) ||
            !take_word(words[2], card.label, LABEL_SIZE) ||
            !take_optional(words[3], card.person, PERSON_SIZE))
                return false;
        ret->cards[n] = card;
        return true;
}

/* failures FACTOR N WALL BOOTTIME BOOT-ID */
static bool take_failures(char **words, Enrolment *ret) {
        int factor = factor_from_string(words[1]);
        Failures *failures;

        if (factor < 0 || factor >= FACTORS_N || ret->failures[factor].n > 0)
                return false;
        failures = &ret->failures[factor];
        return take_small(words[2], INT32_MAX, &failures->n) && failures->n > 0 &&
               take_time(words[3], &failures->wall) &&
               take_number(words[4], INT64_MAX, &failures->boottime) &&
               take_word(words[5], failures->boot_id, BOOT_ID_SIZE);
}

static bool take_uid(char **words, Enrolment *ret) {
        uint64_t uid;

        if (ret->uid != (uid_t)-1 || !take_number(words[1], UINT32_MAX - 1, &uid))
                return false;
        ret->uid = (uid_t)uid;
        return true;
}

static bool take_generation(char **words, Enrolment *ret) {
        return ret->generation == 0 && take_number(words[1], INT64_MAX, &ret->generation) &&
               ret->generation > 0;
}

static bool take_first_seen(char **words, Enrolment *ret) {
        return ret->first_seen == 0 && take_time(words[1], &ret->first_seen) && ret->first_seen > 0;
}

static bool take_last_seen(char **words, Enrolment *ret) {
        return ret->last_seen == 0 && take_time(words[1], &ret->last_seen) && ret->last_seen > 0;
}

static const struct {
        const char *name;
        size_t n_words;
        bool (*take)(char **words, Enrolment *ret);
} lines[] = {
        {"uid", 2, take_uid},
        {"generation", 2, take_generation},
        {"first-seen", 2, take_first_seen},
        {"last-seen", 2, take_last_seen},
        {"totp", 5, take_totp},
        {"recovery", 3, take_recovery},
        {"substitute", 6, take_substitute},
        {"failures", 6, take_failures},
        {"fido2", 8, take_fido2},
        {"fingerprint", 3, take_fingerprint},
        {"card", 4, take_card},
};

/* Cuts LINE into words with one blank between; 0 if that cannot be. */
static size_t cut(char *line, char *words[static WORDS_MAX]) {
        size_t n = 0;

        for (char *word = line; n < WORDS_MAX; word++) {
                words[n++] = word;
                word += strcspn(word, " ");
                if (word == words[n - 1])
                        return 0;
                if (!*word)
                        return n;
                *word = '\0';
        }
        return 0;
}

static bool take_line(char *line, Enrolment *ret) {
        char *words[WORDS_MAX];
        size_t n = cut(line, words);

        for (size_t i = 0; n > 0 && i < ELEMENTS(lines); i++)
                if (strcmp(lines[i].name, words[0]) == 0)
                        return n == lines[i].n_words && lines[i].take(words, ret);
        return false;
}

/* The text has a first line that says what it is and a last one that says it is whole. */
static int parse_lines(char *text, Enrolment *ret) {
        bool first = true;
        char *line, *end;

        for (line = text; (end = strchr(line, '\n')); line = end + 1) {
                *end = '\0';
                if (!first && strcmp(line, "end") == 0)
                        return end[1] || ret->generation == 0 || ret->uid == (uid_t)-1 ? -EBADMSG : 0;
                if (first ? strcmp(line, head) != 0 : !take_line(line, ret))
                        return -EBADMSG;
                first = false;
        }
        return -EBADMSG;
}

int enrolment_parse(const char *text, size_t length, Enrolment *ret) {
        CLEANUP_SECRET Secret copy = {0};
        int r;

        if (length == 0 || length > ENROLMENT_SIZE_MAX || memchr(text, '\0', length))
                return -EBADMSG;
        r = secret_from(text, length, &copy);
        if (r < 0)
                return r;
        ret->uid = (uid_t)-1;
        return parse_lines(copy.text, ret);
}

static __attribute__((format(printf, 2, 3))) void add(Secret *text, const char *format, ...) {
        va_list arguments;
        int n;

        va_start(arguments, format);
        n = vsnprintf(text->text + text->length, ENROLMENT_SIZE_MAX - text->length, format, arguments);
        va_end(arguments);
        if (n > 0 && (size_t)n < ENROLMENT_SIZE_MAX - text->length)
                text->length += (size_t)n;
        else
                text->length = ENROLMENT_SIZE_MAX - 1; /* cut off: no "end", refused below */
}

static void add_totp(const TotpEnrolment *totp, char *hex, size_t size, Secret *text) {
        if (!totp->enrolled)
                return;
        sodium_bin2hex(hex, size, totp->secret, totp->length);
        add(text, "totp %s %u %s %" PRIu64 "\n", totp_hash_to_string(totp->hash), totp->digits, hex,
            totp->last);
}

static void add_codes(const Enrolment *enrolment, Secret *text) {
        const SubstituteEnrolment *substitute = &enrolment->substitute;

        for (size_t i = 0; i < RECOVERY_SLOTS; i++)
                if (enrolment->recovery[i][0])
                        add(text, "recovery %zu %s\n", i, enrolment->recovery[i]);
        if (substitute->issued)
                add(text, "substitute %lld %lld %u %s %s\n", (long long)substitute->from,
                    (long long)substitute->until, substitute->uses, substitute->hash, substitute->by);
        for (size_t i = 0; i < FACTORS_N; i++)
                if (enrolment->failures[i].n > 0)
                        add(text, "failures %s %u %lld %" PRIu64 " %s\n", factor_to_string((Factor)i),
                            enrolment->failures[i].n, (long long)enrolment->failures[i].wall,
                            enrolment->failures[i].boottime, enrolment->failures[i].boot_id);
}

static void add_fido2(const Fido2Key *key, Secret *text) {
        char id[2 * FIDO2_ID_MAX + 1], public_key[2 * FIDO2_PUBLIC_SIZE + 1];

        if (key->length == 0)
                return;
        sodium_bin2hex(id, sizeof(id), key->id, key->length);
        sodium_bin2hex(public_key, sizeof(public_key), key->public_key, FIDO2_PUBLIC_SIZE);
        add(text, "fido2 ES256 %s %s %s %" PRIu32 " %s %s\n", key->relying_party, id, public_key,
            key->counter, key->label, key->person[0] ? key->person : "-");
}

static void add_card(const CardEnrolment *card, Secret *text) {
        char certificate[sodium_base64_ENCODED_LEN(CARD_CERTIFICATE_MAX, sodium_base64_VARIANT_ORIGINAL)];

        if (card->length == 0)
                return;
        sodium_bin2base64(certificate, sizeof(certificate), card->certificate, card->length,
                          sodium_base64_VARIANT_ORIGINAL);
        add(text, "card %s %s %s\n", certificate, card->label, card->person[0] ? card->person : "-");
}

static void add_devices(const Enrolment *enrolment, Secret *text) {
        const FingerprintEnrolment *fingerprint = &enrolment->fingerprint;

        for (size_t i = 0; i < FIDO2_KEYS_MAX; i++)
                add_fido2(&enrolment->fido2[i], text);
        for (size_t i = 0; i < CARDS_MAX; i++)
                add_card(&enrolment->cards[i], text);
        if (fingerprint->enrolled)
                add(text, "fingerprint %s %s\n", fingerprint->fingers,
                    fingerprint->person[0] ? fingerprint->person : "-");
}

int enrolment_format(const Enrolment *enrolment, Secret *ret) {
        CLEANUP_SECRET Secret text = {.text = secret_alloc(ENROLMENT_SIZE_MAX)},
                              hex = {.text = secret_alloc(2 * TOTP_SECRET_MAX + 1)};
        CLEANUP_ENROLMENT Enrolment *again = enrolment_new();
        int r;

        if (!text.text || !hex.text || !again)
                return -ENOMEM;
        add(&text, "%s\nuid %" PRIu32 "\ngeneration %" PRIu64 "\n", head, (uint32_t)enrolment->uid,
            enrolment->generation);
        if (enrolment->first_seen)
                add(&text, "first-seen %lld\n", (long long)enrolment->first_seen);
        if (enrolment->last_seen)
                add(&text, "last-seen %lld\n", (long long)enrolment->last_seen);
        add_totp(&enrolment->totp, hex.text, 2 * TOTP_SECRET_MAX + 1, &text);
        add_codes(enrolment, &text);
        add_devices(enrolment, &text);
        add(&text, "end\n");
        r = enrolment_parse(text.text, text.length, again);
        if (r < 0)
                return r == -EBADMSG ? -EINVAL : r;
        *ret = text;
        text = (Secret){0};
        return 0;
}
