/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enrolment.h: what a person has been given to log in with, and what has become of it, as a text of lines.
 * Pure: parsing and formatting, no files. Enrolments hold secrets: they live in memory of secret_alloc().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "pam_module/secret.h"
#include "policy/model.h"

enum {
        ENROLMENT_SIZE_MAX = 65536, /* bytes of text */
        TOTP_SECRET_MIN = 16,       /* RFC 4226, R6: at least 128 bits */
        TOTP_SECRET_MAX = 64,
        RECOVERY_SLOTS = 10,
        HASH_SIZE = 128, /* crypto_pwhash_STRBYTES */
        BOOT_ID_SIZE = 37,
        ISSUER_SIZE = 256,
        FIDO2_KEYS_MAX = 8,
        FIDO2_ID_MAX = 512,
        FIDO2_PUBLIC_SIZE = 64, /* X and Y of P-256 */
        RELYING_PARTY_SIZE = 64,
        LABEL_SIZE = 64,
        PERSON_SIZE = 64,
        FINGERS_SIZE = 256,
        CARDS_MAX = 8,
        CARD_CERTIFICATE_MAX = 3072,
        FACTORS_N = FACTOR_SUBSTITUTE + 1
};

#define TOTP_HASH_LIST(X)                                                                                   \
        X(TOTP_SHA1, "SHA1")                                                                                \
        X(TOTP_SHA256, "SHA256")                                                                            \
        X(TOTP_SHA512, "SHA512")
DECLARE_ENUM(TotpHash, totp_hash, TOTP_HASH_LIST);

typedef struct TotpEnrolment {
        bool enrolled;
        TotpHash hash;
        unsigned digits; /* 6 or 8 */
        unsigned char secret[TOTP_SECRET_MAX];
        size_t length;
        uint64_t last; /* the step whose code was taken last: neither it nor an earlier one counts again */
} TotpEnrolment;

/* In place of a forgotten card, for some hours. */
typedef struct SubstituteEnrolment {
        bool issued;
        time_t from, until;
        unsigned uses;
        char hash[HASH_SIZE];
        char by[ISSUER_SIZE]; /* who issued it */
} SubstituteEnrolment;

/* A security key: what is public of a credential that it made, and nothing that could be used to log in. */
typedef struct Fido2Key {
        size_t length; /* of the identifier; 0: there is none */
        unsigned char id[FIDO2_ID_MAX];
        unsigned char public_key[FIDO2_PUBLIC_SIZE]; /* ES256 */
        char relying_party[RELYING_PARTY_SIZE];
        uint32_t counter; /* of signatures, as the key told it last */
        char label[LABEL_SIZE];
        char person[PERSON_SIZE]; /* who it was handed to, where that is another name than the account's; ""
                                   */
} Fido2Key;

/* Fingers are kept by fprintd, and here that they count, and which those were. */
typedef struct FingerprintEnrolment {
        bool enrolled;
        char fingers[FINGERS_SIZE]; /* fprintd's names, in order, with commas */
        char person[PERSON_SIZE];
} FingerprintEnrolment;

/* An IC card: its certificate, which is public, in DER. */
typedef struct CardEnrolment {
        size_t length; /* 0: there is none */
        unsigned char certificate[CARD_CERTIFICATE_MAX];
        char label[LABEL_SIZE];
        char person[PERSON_SIZE]; /* as of Fido2Key */
} CardEnrolment;

/* Failures in a row of one factor, and when the last one was, by both clocks. */
typedef struct Failures {
        unsigned n;
        time_t wall;
        uint64_t boottime; /* seconds of CLOCK_BOOTTIME, in this boot: */
        char boot_id[BOOT_ID_SIZE];
} Failures;

typedef struct Enrolment {
        uid_t uid;
        uint64_t generation; /* one more with each time it is written */
        uint64_t base;       /* the last of them that was written whole; of the store, not of the text */
        time_t first_seen;   /* first login without a second factor, while that did; 0: not yet */
        time_t last_seen;    /* the latest such login: no clock says less */
        TotpEnrolment totp;
        char recovery[RECOVERY_SLOTS][HASH_SIZE]; /* "": used, or never issued */
        SubstituteEnrolment substitute;
        Fido2Key fido2[FIDO2_KEYS_MAX];
        FingerprintEnrolment fingerprint;
        CardEnrolment cards[CARDS_MAX];
        Failures failures[FACTORS_N]; /* by Factor */
} Enrolment;

/* An empty one, NULL without memory. */
Enrolment *enrolment_new(void);
#define enrolment_free secret_free
static inline void scope_enrolment_free(Enrolment **enrolment) {
        if (*enrolment)
                secret_free(*enrolment);
}
#define CLEANUP_ENROLMENT CLEANUP(scope_enrolment_free)

/* What is enrolled, a FACTOR_BIT each. */
unsigned enrolment_factors(const Enrolment *enrolment);
unsigned enrolment_recovery_left(const Enrolment *enrolment);
unsigned enrolment_fido2_keys(const Enrolment *enrolment);
unsigned enrolment_cards(const Enrolment *enrolment);
/* The card with this certificate, or NULL. */
const CardEnrolment *enrolment_find_card(const Enrolment *enrolment, const unsigned char *certificate,
                                         size_t length);

/* Whether TEXT can stand as one word of the text: visible ASCII, no blanks, 1 to MAX bytes. */
bool enrolment_is_word(const char *text, size_t max);

/* Reads TEXT into RET, which is empty. 0, or -EBADMSG for anything that enrolment_format does not write. */
int enrolment_parse(const char *text, size_t length, Enrolment *ret);

/* 0 and RET, or -ENOMEM, or -EINVAL for what could not be read again. */
int enrolment_format(const Enrolment *enrolment, Secret *ret);
