/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pkcs11.h: IC cards by a PKCS#11 module: finding the one that was enrolled, its PIN, having it sign.
 * Whatever card and module say is no proof: that is certificate.h's. Modules run in this process, so that
 * only what root alone can have put there is loaded, and they see none of the environment, where
 * OPENSC_CONF, SOFTHSM2_CONF and the like would name files of whoever calls su.
 */
#pragma once

#include <p11-kit/p11-kit.h>
#include <p11-kit/pkcs11.h>

#include "pam_module/certificate.h"
#include "pam_module/enrolment.h"
#include "pam_module/token.h"

enum {
        CARD_NAME_SIZE = 64,
        CARD_ID_MAX = 128
};

typedef struct CardModule {
        CK_FUNCTION_LIST *functions;
        bool initialised;
} CardModule;

void card_module_close(CardModule *module);
#define CLEANUP_CARD_MODULE CLEANUP(card_module_close)

/* 0; -ENOENT; -EPERM: not root's alone, and not loaded; -ELIBACC: no PKCS#11 module, or it does not start.
 */
int card_module_open(const char *path, CardModule *ret);

/* A card in a reader with a session. Zeroed: none. */
typedef struct Card {
        CK_FUNCTION_LIST *functions; /* borrowed of the module */
        CK_SLOT_ID slot;
        CK_SESSION_HANDLE session;
        bool logged_in, key_is_private;
        bool pin_by_reader, pin_needed;
        char name[CARD_NAME_SIZE];   /* of the token, as far as it is ASCII */
        char object[CARD_NAME_SIZE]; /* of the certificate */
        size_t enrolled;             /* which of those that were looked for it is */
        size_t length;               /* of the certificate */
        unsigned char certificate[CARD_CERTIFICATE_MAX];
        size_t id_length;
        unsigned char id[CARD_ID_MAX]; /* which of its keys */
} Card;

void card_close(Card *card);
#define CLEANUP_CARD CLEANUP(card_close)

/* Looks for a card with one of the N certificates. 0, -ENODEV: none is in a reader; -ENOKEY: other ones are;
 * -errno. */
int card_find(const CardModule *module, const CardEnrolment *cards, size_t n, Card *ret);

/* Which of the N certificates are on cards in readers: HERE is true for these. How many, or -errno. */
int card_find_all(const CardModule *module, const CardEnrolment *cards, size_t n, bool *here);

/* The same for a card that is to be enrolled: the only certificate that can sign, or of these the one in
 * SLOT, if that is not negative, whose name is NAME, if that is not NULL. -ENOTUNIQ: there are more. */
int card_find_new(const CardModule *module, long slot, const char *name, Card *ret);

/* What the card tells of its PIN. */
#define CARD_PIN_LIST(X)                                                                                    \
        X(CARD_PIN_OK, "ok")                                                                                \
        X(CARD_PIN_LOW, "low")     /* wrong ones were given */                                              \
        X(CARD_PIN_FINAL, "final") /* one more locks it */                                                  \
        X(CARD_PIN_LOCKED, "locked")                                                                        \
        X(CARD_PIN_UNSET, "unset") /* it has to be set or changed first */
DECLARE_ENUM(CardPin, card_pin, CARD_PIN_LIST);
CardPin card_pin_state(const Card *card);

/* What the session that the card opens hangs on (token.h); "" where it cannot be taken out. */
void card_token(const Card *card, char ret[static TOKEN_SIZE]);

/* Gives PIN to the card; NULL: the person types it at the reader. 0, -EKEYREJECTED: wrong; -EACCES: locked;
 * -EKEYEXPIRED: to be changed first; -ENODEV: the card is gone; -ECANCELED; -errno. */
int card_login(Card *card, const char *pin);

/* Has the key of the certificate sign MESSAGE. PIN is as given to card_login, for keys that want it again.
 * 0, -ENOKEY: no key that can; as card_login. */
int card_sign(Card *card, const char *pin, const void *message, size_t length, Signature *ret);

/* Has the card sign something fresh, and checks that against CERTIFICATE: 0, -EKEYREJECTED if it does not
 * fit, as card_sign. */
int card_prove(Card *card, const char *pin, const unsigned char *certificate, size_t length);

/* Whether the PIN stands between whoever has the card and the key: asked for, taken, and needed. */
bool card_proves_pin(const Card *card);
