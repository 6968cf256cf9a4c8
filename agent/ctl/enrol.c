/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving people what they log in with, taking it away, and telling what they have. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/ctl/command.h"
#include "agent/ctl/enrol.h"
#include "agent/ctl/factors.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/json.h"
#include "agent/ctl/qr.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "pam_module/certificate.h"
#include "pam_module/codes.h"
#include "pam_module/issue.h"
#include "pam_module/totp.h"

enum {
        SUBSTITUTE_HOURS_DEFAULT = 12,
        SUBSTITUTE_HOURS_MAX = 72,
        RECOVERY_CODES_DEFAULT = 8,
        CONFIRM_DRIFT = 1
};

/* A number from 1 to MAX, or the default where the option is not given. -1 after one line on stderr. */
static int number_of(const Options *options, Option option, const char *name, int initial, int max) {
        const char *text = options->value[option];
        char *end;
        long number;

        if (!text)
                return initial;
        number = strtol(text, &end, 10);
        if (end == text || *end || number < 1 || number > max) {
                (void)fail(_("--%s needs a number from 1 to %d"), name, max);
                return -1;
        }
        return (int)number;
}

int enrol_new_totp(const Options *options, TotpEnrolment *ret) {
        const char *algorithm = options->value[OPTION_ALGORITHM], *digits = options->value[OPTION_DIGITS];
        int hash = algorithm ? totp_hash_from_string(algorithm) : TOTP_SHA1;

        if (hash < 0)
                return fail(_("--algorithm is SHA1, SHA256 or SHA512"));
        if (digits && strcmp(digits, "6") != 0 && strcmp(digits, "8") != 0)
                return fail(_("--digits is 6 or 8"));
        totp_generate((TotpHash)hash, digits ? (unsigned)(digits[0] - '0') : 6, ret);
        return 0;
}

int enrol_show(const TotpEnrolment *totp, const char *uri) {
        int r;

        puts(_("Have the person read this with their authenticator program:"));
        r = qr_print(uri, stdout);
        if (r < 0)
                return fail("%s", strerror(-r));
        printf("%s\n", uri);
        printf(_("The code of %u digits that it shows now: "), totp->digits);
        fflush(stdout);
        return 0;
}

/* A secret counts once the person has shown that it arrived. */
static int confirm(TotpEnrolment *totp) {
        char line[64];
        int r;

        if (!fgets(line, sizeof(line), stdin))
                return fail(_("no code was given; nothing was enrolled"));
        line[strcspn(line, "\r\n")] = '\0';
        r = totp_take(totp, line, time(NULL), CONFIRM_DRIFT);
        explicit_bzero(line, sizeof(line));
        return r < 0 ? fail(_("that is not the code; nothing was enrolled")) : 0;
}

static int print_uri(const char *user, const char *uri) {
        CLEANUP_JSON struct json_object *object = json_object_new_object();

        json_put_text(object, "user", user);
        json_put_text(object, "factor", "totp");
        json_put_text(object, "uri", uri);
        return json_print(object, "\n") < 0 ? fail(_("out of memory")) : EXIT_YES;
}

int command_enrol(const Options *options) {
        CLEANUP_FACTORS FactorsEdit edit = {.store = STORE_CLOSED};
        CLEANUP_SECRET Secret uri = {0};
        bool json = options->value[OPTION_JSON];
        TotpEnrolment *totp;

        if (own_is_meant(options))
                return own_enrol(options);
        if (options->n_arguments == 0)
                return fail(_("'%s' needs an argument; see sekishoctl %s --help"), "enrol", "enrol");
        if (geteuid() != 0)
                return others_enrol(options);
        if (factors_open(options, true, &edit) != 0)
                return EXIT_TROUBLE;
        totp = &edit.enrolment->totp;
        if (totp->enrolled)
                return fail(_("'%s' has totp already; take it away first with sekishoctl unenrol"),
                            edit.account.name);
        if (enrol_new_totp(options, totp) != 0)
                return EXIT_TROUBLE;
        if (totp_uri(totp, ENROL_ISSUER, edit.key, &uri) < 0)
                return fail(_("out of memory"));
        if (!json && (enrol_show(totp, uri.text) != 0 || confirm(totp) != 0))
                return EXIT_TROUBLE;
        memset(&edit.enrolment->failures[FACTOR_TOTP], 0, sizeof(Failures));
        if (factors_save(&edit, EVENT_FACTOR_ENROLLED, FACTOR_TOTP, 0) != 0)
                return EXIT_TROUBLE;
        if (json)
                return print_uri(edit.account.name, uri.text);
        printf(_("totp is enrolled for %s."), edit.account.name);
        putchar('\n');
        return EXIT_YES;
}

/* Everything, also where the enrolment cannot be read any more. */
static int unenrol_all(const Options *options) {
        CLEANUP_FACTORS FactorsEdit edit = {.store = STORE_CLOSED};

        if (factors_open_anew(options, &edit) != 0)
                return EXIT_TROUBLE;
        if (factors_save(&edit, EVENT_FACTOR_REMOVED, FACTOR_TOTP, 0) != 0)
                return EXIT_TROUBLE;
        return EXIT_YES;
}

int command_unenrol(const Options *options) {
        CLEANUP_FACTORS FactorsEdit edit = {.store = STORE_CLOSED};
        int factor;

        if (geteuid() != 0)
                return others_unenrol(options);
        if (options->n_arguments < 2)
                return unenrol_all(options);
        factor = factor_from_string(options->arguments[1]);
        if (factor < 0 || factor == FACTOR_PASSWORD || factor == FACTOR_CARD_PIN)
                return fail(_("'%s' is no factor that can be taken away"), options->arguments[1]);
        if (factors_open(options, false, &edit) != 0)
                return EXIT_TROUBLE;
        issue_take_away(edit.enrolment, (Factor)factor);
        return factors_save(&edit, EVENT_FACTOR_REMOVED, (Factor)factor, 0) != 0 ? EXIT_TROUBLE : EXIT_YES;
}

static struct json_object *keys_json(const Enrolment *enrolment) {
        struct json_object *list = json_object_new_array();

        for (size_t i = 0; i < FIDO2_KEYS_MAX; i++) {
                const Fido2Key *key = &enrolment->fido2[i];
                struct json_object *object;

                if (key->length == 0)
                        continue;
                object = json_object_new_object();
                json_put_text(object, "label", key->label);
                json_put_text(object, "relying_party", key->relying_party);
                json_put_text(object, "person", key->person);
                json_put_number(object, "counter", key->counter);
                json_object_array_add(list, object);
        }
        return list;
}

static struct json_object *cards_json(const Enrolment *enrolment) {
        struct json_object *list = json_object_new_array();

        for (const CardEnrolment *card = enrolment->cards; card < enrolment->cards + CARDS_MAX; card++) {
                CertificateText text = {.subject = ""};
                struct json_object *object;

                if (card->length == 0)
                        continue;
                (void)certificate_describe(card->certificate, card->length, &text);
                object = json_object_new_object();
                json_put_text(object, "label", card->label);
                json_put_text(object, "person", card->person);
                json_put_text(object, "subject", text.subject);
                json_put_text(object, "issuer", text.issuer);
                json_put_number(object, "until", (int64_t)text.until);
                json_object_array_add(list, object);
        }
        return list;
}

static struct json_object *factors_json(const FactorsEdit *edit) {
        struct json_object *object = json_object_new_object(), *list = json_object_new_array();
        const Enrolment *enrolment = edit->enrolment;
        unsigned factors = enrolment_factors(enrolment);

        json_put_text(object, "user", edit->account.name);
        json_put_text(object, "person", edit->person);
        for (unsigned i = 0; i < FACTORS_N; i++)
                if (factors & FACTOR_BIT(i))
                        json_append_text(list, factor_to_string((Factor)i));
        json_object_object_add(object, "factors", list);
        json_put_number(object, "recovery_left", enrolment_recovery_left(enrolment));
        if (enrolment->substitute.issued) {
                json_put_number(object, "substitute_until", (int64_t)enrolment->substitute.until);
                json_put_number(object, "substitute_uses", enrolment->substitute.uses);
                json_put_text(object, "substitute_by", enrolment->substitute.by);
        }
        if (enrolment_cards(enrolment) > 0)
                json_object_object_add(object, "cards", cards_json(enrolment));
        if (enrolment_fido2_keys(enrolment) > 0)
                json_object_object_add(object, "fido2", keys_json(enrolment));
        if (enrolment->fingerprint.enrolled) {
                json_put_text(object, "fingers", enrolment->fingerprint.fingers);
                json_put_text(object, "fingers_person", enrolment->fingerprint.person);
        }
        return object;
}

static const char *blank_before(const char *text) {
        return *text ? ", " : "";
}

static void print_card(const CardEnrolment *card) {
        CertificateText text = {.subject = "?"};
        char until[TIMESPEC_TEXT_MAX];

        if (card->length == 0)
                return;
        (void)certificate_describe(card->certificate, card->length, &text);
        printf("card: %s, ", card->label);
        text_print(text.subject, stdout);
        printf(_(", until %s"), timespec_for_person((uint64_t)text.until * USEC_PER_SEC, until));
        printf("%s%s\n", blank_before(card->person), card->person);
}

static void print_devices(const Enrolment *enrolment) {
        const FingerprintEnrolment *fingerprint = &enrolment->fingerprint;

        for (size_t i = 0; i < CARDS_MAX; i++)
                print_card(&enrolment->cards[i]);
        for (size_t i = 0; i < FIDO2_KEYS_MAX; i++)
                if (enrolment->fido2[i].length > 0)
                        printf("fido2: %s, %s%s%s\n", enrolment->fido2[i].label,
                               enrolment->fido2[i].relying_party, blank_before(enrolment->fido2[i].person),
                               enrolment->fido2[i].person);
        if (fingerprint->enrolled)
                printf("fingerprint: %s%s%s\n", fingerprint->fingers, blank_before(fingerprint->person),
                       fingerprint->person);
}

static void print_factors(const FactorsEdit *edit) {
        const Enrolment *enrolment = edit->enrolment;
        char time[TIMESPEC_TEXT_MAX];

        if (enrolment_factors(enrolment) == 0)
                puts(_("nothing is enrolled"));
        if (enrolment->totp.enrolled)
                printf("totp: %s, %u\n", totp_hash_to_string(enrolment->totp.hash), enrolment->totp.digits);
        print_devices(enrolment);
        if (enrolment_recovery_left(enrolment) > 0)
                printf(_("recovery: %u codes left\n"), enrolment_recovery_left(enrolment));
        if (enrolment->substitute.issued)
                printf(_("substitute: until %s, issued by %s, used %u times\n"),
                       timespec_for_person((uint64_t)enrolment->substitute.until * USEC_PER_SEC, time),
                       enrolment->substitute.by, enrolment->substitute.uses);
        for (unsigned i = 0; i < FACTORS_N; i++)
                if (enrolment->failures[i].n > 0)
                        printf(_("%s: %u failures in a row\n"), factor_to_string((Factor)i),
                               enrolment->failures[i].n);
}

int command_factors(const Options *options) {
        CLEANUP_FACTORS FactorsEdit edit = {.store = STORE_CLOSED};
        CLEANUP_JSON struct json_object *object = NULL;

        if (own_is_meant(options))
                return own_factors(options);
        if (options->n_arguments == 0)
                return fail(_("'%s' needs an argument; see sekishoctl %s --help"), "factors", "factors");
        if (geteuid() != 0)
                return others_factors(options);
        if (factors_open_to_read(options, &edit) != 0)
                return EXIT_TROUBLE;
        if (options->value[OPTION_JSON]) {
                object = factors_json(&edit);
                if (json_print(object, "\n") < 0)
                        return fail(_("out of memory"));
        } else
                print_factors(&edit);
        return enrolment_factors(edit.enrolment) ? EXIT_YES : EXIT_NO;
}

static int print_codes(const Options *options, char (*codes)[CODE_SIZE], int n) {
        CLEANUP_JSON struct json_object *object = NULL;
        struct json_object *list;

        if (!options->value[OPTION_JSON]) {
                for (int i = 0; i < n; i++)
                        puts(codes[i]);
                return EXIT_YES;
        }
        object = json_object_new_object();
        list = json_object_new_array();
        for (int i = 0; i < n; i++)
                json_append_text(list, codes[i]);
        json_object_object_add(object, "codes", list);
        return json_print(object, "\n") < 0 ? fail(_("out of memory")) : EXIT_YES;
}

int command_recovery_codes(const Options *options) {
        CLEANUP_FACTORS FactorsEdit edit = {.store = STORE_CLOSED};
        CLEANUP_SECRET Secret codes = {0};
        int n = number_of(options, OPTION_NUMBER, "number", RECOVERY_CODES_DEFAULT, RECOVERY_SLOTS), r;

        if (n < 0 || factors_open(options, true, &edit) != 0)
                return EXIT_TROUBLE;
        codes.text = secret_alloc((size_t)RECOVERY_SLOTS * CODE_SIZE);
        r = codes.text ? recovery_issue(edit.enrolment, (unsigned)n, (char(*)[CODE_SIZE])codes.text)
                       : -ENOMEM;
        if (r < 0)
                return fail("%s", strerror(-r));
        memset(&edit.enrolment->failures[FACTOR_RECOVERY], 0, sizeof(Failures));
        if (factors_save(&edit, EVENT_FACTOR_ENROLLED, FACTOR_RECOVERY, 0) != 0)
                return EXIT_TROUBLE;
        return print_codes(options, (char(*)[CODE_SIZE])codes.text, n);
}

int command_substitute(const Options *options) {
        CLEANUP_FACTORS FactorsEdit edit = {.store = STORE_CLOSED};
        CLEANUP_SECRET Secret code = {0};
        int hours = number_of(options, OPTION_FOR_HOURS, "for-hours", SUBSTITUTE_HOURS_DEFAULT,
                              SUBSTITUTE_HOURS_MAX),
            r;
        time_t now = time(NULL), until = now + (time_t)hours * 3600;

        if (hours < 0 || factors_open(options, true, &edit) != 0)
                return EXIT_TROUBLE;
        code.text = secret_alloc(CODE_SIZE);
        r = code.text ? substitute_issue(edit.enrolment, now, until, edit.by, code.text) : -ENOMEM;
        if (r < 0)
                return fail("%s", strerror(-r));
        memset(&edit.enrolment->failures[FACTOR_SUBSTITUTE], 0, sizeof(Failures));
        if (factors_save(&edit, EVENT_SUBSTITUTE_ISSUED, FACTOR_SUBSTITUTE, until) != 0)
                return EXIT_TROUBLE;
        return print_codes(options, (char(*)[CODE_SIZE])code.text, 1);
}
