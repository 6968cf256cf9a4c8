/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IC cards. A card is believed where its key has signed what was made up a moment before, by the certificate
 * that was enrolled: never by the one that the card shows.
 */
#include <errno.h>
#include <string.h>

#include "pam_module/conversation.h"
#include "pam_module/device_module.h"
#include "pam_module/factor_device.h"
#include "pam_module/pkcs11.h"

#define CARD_FACTORS (FACTOR_BIT(FACTOR_CARD) | FACTOR_BIT(FACTOR_CARD_PIN))

typedef struct Cards {
        CardEnrolment list[CARDS_MAX];
        size_t n;
} Cards;

/* What is enrolled, if no wait is due. The person is asked without the lock. */
static Proof take_cards(Verification *verification, Enrolment *enrolment, void *userdata) {
        Cards *cards = userdata;

        (void)verification;
        for (size_t i = 0; i < CARDS_MAX; i++)
                if (enrolment->cards[i].length > 0)
                        cards->list[cards->n++] = enrolment->cards[i];
        return cards->n > 0 ? PROOF_ABSENT : PROOF_NOT_ENROLLED;
}

/* It has signed; is it still enrolled? */
static Proof check_enrolled(Verification *verification, Enrolment *enrolment, void *userdata) {
        const CardEnrolment *card = userdata;

        (void)verification;
        return enrolment_find_card(enrolment, card->certificate, card->length) ? PROOF_PROVEN
                                                                               : PROOF_NOT_ENROLLED;
}

/* Waits for one of CARDS. PKCS#11 has a call to wait for a card, but none that ends: it is looked for again
 * and again. */
static int find(const Login *login, const CardModule *module, const Cards *cards, Card *ret) {
        uint64_t start = 0;
        int told = 0, r;

        do {
                r = card_find(module, cards->list, cards->n, ret);
                if ((r != -ENODEV && r != -ENOKEY) || factor_has_other(login, CARD_FACTORS))
                        return r;
                if (told != r)
                        factor_tell(login, r == -ENODEV ? _("Put your card into the reader.")
                                                        : _("This card is not enrolled for you. Put in "
                                                            "yours."));
                told = r;
        } while (factor_look_again(&start, login->policy->mfa_card.wait));
        return r;
}

/* Before anybody types a PIN for nothing. PROOF_PROVEN: it may stand for the person. */
static Proof check_certificate(Login *login, const CardEnrolment *card) {
        CertificateRules rules = {.ca = login->policy->mfa_card.ca,
                                  .crl = login->policy->mfa_card.crl,
                                  .now = login->now.wall};
        CertificateState state = certificate_check(card->certificate, card->length, &rules);

        if (state == CERTIFICATE_GOOD)
                return PROOF_PROVEN;
        login->why = certificate_state_to_string(state);
        switch (state) {
        case CERTIFICATE_EXPIRED:
                factor_tell(login, _("The certificate of this card has expired."));
                return PROOF_EXPIRED;
        case CERTIFICATE_NOT_YET:
                factor_tell(login, _("The certificate of this card is not valid yet."));
                return PROOF_REFUSED;
        case CERTIFICATE_REVOKED:
                factor_tell(login, _("The certificate of this card was revoked."));
                return PROOF_REFUSED;
        case CERTIFICATE_UNTRUSTED:
        case CERTIFICATE_UNSUITABLE:
                factor_tell(login, _("This card is not one that counts here."));
                return PROOF_REFUSED;
        case CERTIFICATE_CRL_STALE:
        case CERTIFICATE_BROKEN:
        case CERTIFICATE_GOOD:
                break;
        }
        factor_tell(login, _("Whether this card counts cannot be found out now."));
        return PROOF_BROKEN;
}

static const char *locked_text(void) {
        return _("The PIN of this card is locked after too many wrong ones. It has to be unlocked where the "
                 "card was issued.");
}

/* Asks for the PIN and gives it to the card. 0 or -errno; PIN is kept for keys that want it once more. */
static int log_in(const Login *login, Card *card, Secret *pin) {
        char prompt[128];
        int r;

        switch (card_pin_state(card)) {
        case CARD_PIN_LOCKED:
                return -EACCES;
        case CARD_PIN_UNSET:
                return -EKEYEXPIRED;
        case CARD_PIN_FINAL:
                factor_tell(login, _("Only one try is left: another wrong PIN locks the card."));
                break;
        case CARD_PIN_LOW:
                factor_tell(login, _("A wrong PIN was given before: few tries are left."));
                break;
        case CARD_PIN_OK:
                break;
        }
        if (card->pin_by_reader) {
                factor_tell(login, _("Type the PIN of the card at the reader."));
                return card_login(card, NULL);
        }
        (void)snprintf(prompt, sizeof(prompt), _("PIN of the card (%s): "), card->name);
        r = conversation_ask_secret(login->pamh, prompt, pin);
        if (r < 0)
                return r == -ENODATA ? -ECANCELED : r;
        return card_login(card, pin->text);
}

static void tell_tries(const Login *login, const Card *card) {
        switch (card_pin_state(card)) {
        case CARD_PIN_LOCKED:
                factor_tell(login, locked_text());
                return;
        case CARD_PIN_FINAL:
                factor_tell(login, _("That is not the PIN of the card. Only one try is left: another wrong "
                                     "PIN locks it."));
                return;
        case CARD_PIN_LOW:
                factor_tell(login, _("That is not the PIN of the card. Few tries are left."));
                return;
        case CARD_PIN_OK:
        case CARD_PIN_UNSET:
                factor_tell(login, _("That is not the PIN of the card."));
                return;
        }
}

/* What became of it where the PIN was not taken. */
static Proof fail_pin(Login *login, Verification *verification, const Card *card, int r) {
        switch (-r) {
        case EKEYREJECTED:
                tell_tries(login, card);
                return factor_failed(login, verification);
        case EACCES:
                factor_tell(login, locked_text());
                login->why = "the PIN of the card is locked";
                return PROOF_REFUSED;
        case EKEYEXPIRED:
                factor_tell(login,
                            _("The PIN of this card has to be set or changed before it can be used."));
                return PROOF_REFUSED;
        case ENODEV:
                factor_tell(login, _("The card was taken out."));
                return PROOF_REFUSED;
        case ECANCELED:
                return PROOF_REFUSED;
        default:
                login->why = r == -ENOMEM ? "out of memory" : "the PIN could not be given to the card";
                return PROOF_BROKEN;
        }
}

/* What became of it where the card did not sign, or not as it should. */
static Proof fail_signature(Login *login, Verification *verification, int r) {
        switch (-r) {
        case EKEYREJECTED:
                login->why = "the signature is not of the card that was enrolled";
                factor_tell(login, _("The card could not prove that it is yours."));
                return factor_failed(login, verification);
        case ENODEV:
                factor_tell(login, _("The card was taken out."));
                return PROOF_REFUSED;
        case ENOKEY:
                login->why = "the card has no key that fits its certificate";
                factor_tell(login, _("The card could not prove that it is yours."));
                return PROOF_REFUSED;
        case ECANCELED:
                return PROOF_REFUSED;
        default:
                login->why = r == -ENOMEM ? "out of memory" : "the card cannot be used";
                return PROOF_BROKEN;
        }
}

/* Recorded here where another factor is asked for instead. */
static Proof no_module(Login *login, int r) {
        login->why = r == -ENOMEM  ? "out of memory"
                     : r == -EPERM ? "somebody else than root may write to the PKCS#11 module"
                                   : "the PKCS#11 module of mfa.card cannot be loaded";
        if (r == -ENOMEM || !factor_has_other(login, CARD_FACTORS))
                return PROOF_BROKEN;
        login_record(login, EVENT_FACTOR_FAILED, FACTOR_CARD, proof_to_string(PROOF_BROKEN));
        login->why = NULL;
        return PROOF_ABSENT;
}

static Proof prove_with(Login *login, Verification *verification, const CardEnrolment *enrolled,
                        Card *card) {
        CLEANUP_SECRET Secret pin = {0};
        Proof proof = check_certificate(login, enrolled);
        int r = 0;

        if (proof != PROOF_PROVEN)
                return proof;
        if (card->pin_needed)
                r = log_in(login, card, &pin);
        if (moment_now(&verification->now) < 0) {
                login->why = "there is no clock";
                return PROOF_BROKEN;
        }
        if (r < 0)
                return fail_pin(login, verification, card, r);
        r = card_prove(card, pin.text, enrolled->certificate, enrolled->length);
        if (r < 0)
                return fail_signature(login, verification, r);
        proof = factor_done(login, verification,
                            verify_factor(verification, check_enrolled, (void *)(uintptr_t)enrolled));
        if (proof == PROOF_PROVEN && card_proves_pin(card))
                login->proven |= FACTOR_BIT(FACTOR_CARD_PIN) & login->decision.accepted;
        return proof;
}

static Proof prove_card(Login *login, unsigned wanted, Factor *ret) {
        const char *path = login->policy->mfa_card.module;
        Verification verification = login_verification(login, FACTOR_CARD);
        CLEANUP_CARD_MODULE CardModule module = {0};
        CLEANUP_CARD Card card = {0};
        Cards cards = {.n = 0};
        Proof proof;
        int r;

        *ret = FACTOR_CARD;
        if (factor_is_remote(login))
                return PROOF_ABSENT;
        proof = verify_factor(&verification, take_cards, &cards);
        if (proof != PROOF_ABSENT)
                return factor_done(login, &verification, proof);
        r = card_module_open(path ? path : MFA_CARD_MODULE_DEFAULT, &module);
        if (r < 0)
                return no_module(login, r);
        r = find(login, &module, &cards, &card);
        if (r == -ENODEV || r == -ENOKEY)
                return PROOF_ABSENT;
        if (r < 0) {
                login->why = r == -ENOMEM ? "out of memory" : "the card cannot be read";
                return PROOF_BROKEN;
        }
        proof = prove_with(login, &verification, &cards.list[card.enrolled], &card);
        if (proof == PROOF_PROVEN)
                card_token(&card, login->token);
        if (proof == PROOF_PROVEN && !(wanted & FACTOR_BIT(FACTOR_CARD))) {
                /* the card alone has been proven before, by something else */
                if (login->proven & FACTOR_BIT(FACTOR_CARD_PIN))
                        *ret = FACTOR_CARD_PIN;
                else
                        proof = PROOF_REFUSED;
        }
        return proof;
}

static int find_person(const CardPeople *people, const char *path, char ret[static PERSON_SIZE]) {
        return card_people_find(people, path ? path : MFA_CARD_MODULE_DEFAULT, ret);
}

__attribute__((visibility("default"))) const DeviceModule sekisho_device_card = {
        .build = DEVICE_BUILD,
        .prove = prove_card,
        .person = find_person,
};
