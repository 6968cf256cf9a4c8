/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IC cards for people. The store is not locked while a person is waited for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/ctl/command.h"
#include "agent/ctl/enrol_devices.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "pam_module/card_people.h"
#include "pam_module/pkcs11.h"

static const char *module_error_text(int r) {
        switch (-r) {
        case ENOENT:
                return _("it is not there");
        case EPERM:
                return _("somebody else than root may write to it, or to a directory above it");
        case ELIBACC:
                return _("it is no PKCS#11 module, or does not start");
        default:
                return strerror(-r);
        }
}

static const char *error_text(int r) {
        switch (-r) {
        case ENODEV:
                return _("no card is in a reader");
        case ENOKEY:
                return _("no card here has a certificate, and a key for it, that signs");
        case ENOTUNIQ:
                return _("there is more than one certificate; say which by --slot or --certificate");
        case EKEYREJECTED:
                return _("that is not its PIN, or its key does not fit its certificate");
        case EACCES:
                return _("its PIN is locked after too many wrong ones");
        case EKEYEXPIRED:
                return _("its PIN has to be set or changed first");
        case ECANCELED:
                return _("no PIN was given");
        case EEXIST:
                return _("it is enrolled for this person already");
        default:
                return strerror(-r);
        }
}

static const char *state_text(CertificateState state) {
        switch (state) {
        case CERTIFICATE_EXPIRED:
                return _("its certificate has expired");
        case CERTIFICATE_NOT_YET:
                return _("its certificate is not valid yet");
        case CERTIFICATE_REVOKED:
                return _("its certificate was revoked");
        case CERTIFICATE_UNTRUSTED:
                return _("its certificate is not of an authority in the file of mfa.card.ca");
        case CERTIFICATE_UNSUITABLE:
                return _("its certificate is not one for signing");
        case CERTIFICATE_CRL_STALE:
                return _("the lists in the file of mfa.card.crl are not whole, or out of date");
        case CERTIFICATE_BROKEN:
        case CERTIFICATE_GOOD:
                break;
        }
        return _("its certificate cannot be checked by the files of mfa.card.ca and mfa.card.crl");
}

static int slot_of(const Options *options, long *ret) {
        const char *text = options->value[OPTION_SLOT];
        char *end;

        *ret = -1;
        if (!text)
                return 0;
        errno = 0;
        *ret = strtol(text, &end, 10);
        return errno || end == text || *end || *ret < 0 ? fail(_("--slot needs a number")) : 0;
}

static int show(const Options *options, const Card *card) {
        char from[TIMESPEC_TEXT_MAX], until[TIMESPEC_TEXT_MAX];
        CertificateText text;
        int r = certificate_describe(card->certificate, card->length, &text);

        if (r < 0 || options->value[OPTION_JSON])
                return r;
        printf(_("Card %s, certificate %s:\n"), card->name, card->object);
        fputs(_("  of         "), stdout);
        text_print(text.subject, stdout);
        fputs(_("\n  issued by  "), stdout);
        text_print(text.issuer, stdout);
        printf(_("\n  valid      %s to %s\n"), timespec_for_person((uint64_t)text.from * USEC_PER_SEC, from),
               timespec_for_person((uint64_t)text.until * USEC_PER_SEC, until));
        fflush(stdout);
        return 0;
}

/* The card signs: what is enrolled works, and is here. 0 or -errno. */
static int prove(const Options *options, Card *card) {
        CLEANUP_SECRET Secret pin = {0};
        int r;

        if (card_pin_state(card) == CARD_PIN_LOCKED)
                return -EACCES;
        if (card->pin_needed && card->pin_by_reader) {
                enrol_say(options, _("Have the PIN of the card typed at the reader."));
                r = card_login(card, NULL);
        } else if (card->pin_needed) {
                r = enrol_read_secret(options, _("PIN of the card: "), &pin);
                r = r == -ENODATA ? -ECANCELED : r < 0 ? r : card_login(card, pin.text);
        } else
                r = 0;
        return r < 0 ? r : card_prove(card, pin.text, card->certificate, card->length);
}

static int take(const Options *options, const MfaCard *policy, const FactorsEdit *edit, CardEnrolment *ret) {
        const char *path = policy->module ? policy->module : MFA_CARD_MODULE_DEFAULT;
        CLEANUP_CARD_MODULE CardModule module = {0};
        CLEANUP_CARD Card card = {0};
        CertificateRules rules = {.ca = policy->ca, .crl = policy->crl, .now = time(NULL)};
        CertificateState state;
        long slot;
        int r;

        if (slot_of(options, &slot) != 0)
                return EXIT_TROUBLE;
        r = card_module_open(path, &module);
        if (r < 0)
                return fail(_("%s: %s; nothing was enrolled"), path, module_error_text(r));
        r = card_find_new(&module, slot, options->value[OPTION_CERTIFICATE], &card);
        if (r == 0)
                r = show(options, &card);
        if (r == 0 && enrolment_find_card(edit->enrolment, card.certificate, card.length))
                r = -EEXIST;
        if (r < 0)
                return fail(_("%s; nothing was enrolled"), error_text(r));
        state = certificate_check(card.certificate, card.length, &rules);
        if (state != CERTIFICATE_GOOD)
                return fail(_("%s; nothing was enrolled"), state_text(state));
        r = prove(options, &card);
        if (r < 0)
                return fail(_("%s; nothing was enrolled"), error_text(r));
        memcpy(ret->certificate, card.certificate, card.length);
        ret->length = card.length;
        return 0;
}

/* Of those who share an account a card says who it is. */
static int check_others(const FactorsEdit *edit, const CardEnrolment *card) {
        CLEANUP_CARD_PEOPLE CardPeople people = {0};
        const char *other;
        int r = card_people_load(&edit->store, edit->account.name, edit->account.subject.uid, &people);

        if (r < 0)
                return fail(_("%s; nothing was enrolled"), error_text(r));
        other = card_people_other(&people, edit->person, card);
        return other ? fail(_("it is enrolled for %s already; nothing was enrolled"), other) : 0;
}

static int add(Enrolment *enrolment, const CardEnrolment *card) {
        if (enrolment_find_card(enrolment, card->certificate, card->length))
                return fail(_("%s; nothing was enrolled"), error_text(-EEXIST));
        for (size_t i = 0; i < CARDS_MAX; i++)
                if (enrolment->cards[i].length == 0) {
                        enrolment->cards[i] = *card;
                        return 0;
                }
        return fail(_("there are %d cards already; take them away first with sekishoctl unenrol"),
                    CARDS_MAX);
}

int command_enrol_card(const Options *options) {
        CLEANUP_FACTORS FactorsEdit before = {.store = STORE_CLOSED}, edit = {.store = STORE_CLOSED};
        CLEANUP_POLICY Policy *policy = NULL;
        CardEnrolment card = {.length = 0};

        if (enrol_word(options, OPTION_PERSON, "person", "", card.person, sizeof(card.person)) != 0 ||
            enrol_word(options, OPTION_LABEL, "label", "card", card.label, sizeof(card.label)) != 0 ||
            enrol_policy(options, &policy) != 0 || factors_open(options, true, &before) != 0)
                return EXIT_TROUBLE;
        store_close(&before.store);
        if (take(options, &policy->mfa_card, &before, &card) != 0 ||
            factors_open(options, true, &edit) != 0 || check_others(&edit, &card) != 0 ||
            add(edit.enrolment, &card) != 0)
                return EXIT_TROUBLE;
        return enrol_save(options, &edit, FACTOR_CARD);
}
