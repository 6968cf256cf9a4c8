/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/enrolment.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static void init(void) {
        cr_assert_eq(secret_init(), 0);
}

TestSuite(enrolment, .init = init);

#define START "sekisho-factors 1\nuid 1001\ngeneration 7\n"
#define HEX   "3132333435363738393031323334353637383930"

#define KEY HEX HEX HEX "01020304"

static const char whole[] = START "first-seen 1800000000\ntotp SHA256 8 " HEX
                                  " 59\nrecovery 0 $argon2id$a\nrecovery 9 $argon2id$b\n"
                                  "substitute 10 20 3 $argon2id$c kacho\nfailures totp 2 1000 500 "
                                  "boot\nfailures recovery 1 1001 501 -\n"
                                  "fido2 ES256 pam.sekisho 0a0b " KEY " 4294967295 blue 10482\n"
                                  "fido2 ES256 pam.sekisho 0a0c " KEY " 0 key -\n"
                                  "card AAEC blue-3 10482\ncard AAED card -\n"
                                  "fingerprint left-thumb,right-thumb -\nend\n";

Test(enrolment, is_written_as_it_was_read) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new();
        CLEANUP_SECRET Secret text = {0};

        cr_assert_eq(enrolment_parse(whole, strlen(whole), enrolment), 0);
        cr_expect_eq(enrolment->uid, 1001);
        cr_expect_eq(enrolment->generation, 7);
        cr_expect(enrolment->totp.hash == TOTP_SHA256 && enrolment->totp.length == 20 &&
                  enrolment->totp.last == 59);
        cr_expect_eq(enrolment_recovery_left(enrolment), 2);
        cr_expect_eq(enrolment_factors(enrolment),
                     FACTOR_BIT(FACTOR_TOTP) | FACTOR_BIT(FACTOR_RECOVERY) | FACTOR_BIT(FACTOR_SUBSTITUTE) |
                             FACTOR_BIT(FACTOR_FIDO2) | FACTOR_BIT(FACTOR_FINGERPRINT) |
                             FACTOR_BIT(FACTOR_CARD) | FACTOR_BIT(FACTOR_CARD_PIN));
        cr_expect_eq(enrolment_cards(enrolment), 2);
        cr_expect_eq(enrolment_find_card(enrolment, (const unsigned char *)"\0\1\3", 3),
                     &enrolment->cards[1]);
        cr_expect_null(enrolment_find_card(enrolment, (const unsigned char *)"\0\1", 2));
        cr_expect_null(enrolment_find_card(enrolment, (const unsigned char *)"", 0));
        cr_expect_eq(enrolment_fido2_keys(enrolment), 2);
        cr_expect_eq(enrolment->fido2[0].counter, UINT32_MAX);
        cr_expect_str_eq(enrolment->fido2[0].person, "10482");
        cr_assert_eq(enrolment_format(enrolment, &text), 0);
        cr_expect_str_eq(text.text, whole);
}

Test(enrolment, is_refused_for_whatever_else_it_is) {
        static const char *const cases[] = {
                "",
                "\n",
                "end\n",
                "sekisho-factors 1\nend\n",
                "sekisho-factors 1\nuid 1\nend\n",
                "sekisho-factors 1\ngeneration 1\nend\n",
                "sekisho-factors 2\nuid 1\ngeneration 1\nend\n",
                START,
                START "end",
                START "end\n\n",
                START "end\nend\n",
                START "\nend\n",
                START " end\n",
                START "uid 1001\nend\n",
                START "generation 8\nend\n",
                START "unknown 1\nend\n",
                START "first-seen 0\nend\n",
                START "first-seen -1\nend\n",
                START "first-seen 1 2\nend\n",
                START "totp SHA1 6 " HEX "\nend\n",
                START "totp MD5 6 " HEX " 0\nend\n",
                START "totp SHA1 7 " HEX " 0\nend\n",
                START "totp SHA1 6 31 0\nend\n",
                START "totp SHA1 6 " HEX "3 0\nend\n",
                START "totp SHA1 6 " HEX "zz 0\nend\n",
                START "totp SHA1 6 " HEX " 00\nend\n",
                START "totp SHA1 6 " HEX " -1\nend\n",
                START "totp SHA1 6 " HEX " 99999999999999999999\nend\n",
                START "totp SHA1 6 " HEX HEX HEX HEX " 0\nend\n",
                START "totp  SHA1 6 " HEX " 0\nend\n",
                START "totp SHA1 6 " HEX " 0\ntotp SHA1 6 " HEX " 0\nend\n",
                START "recovery 10 x\nend\n",
                START "recovery 0 x\nrecovery 0 y\nend\n",
                START "recovery 0 \nend\n",
                START "substitute 1 2 3 x\nend\n",
                START "substitute 1 2 3 x y z\nend\n",
                START "failures totp 0 1 1 x\nend\n",
                START "failures card2 1 1 1 x\nend\n",
                START "failures totp 1 1 1 x\nfailures totp 1 1 1 x\nend\n",
                START "recovery 0 \xe3\x81\x82\nend\n",
                START "fido2 RS256 p 0a " KEY " 0 key -\nend\n",
                START "fido2 ES256 p 0 " KEY " 0 key -\nend\n",
                START "fido2 ES256 p 0a " KEY "00 0 key -\nend\n",
                START "fido2 ES256 p 0a " HEX " 0 key -\nend\n",
                START "fido2 ES256 p 0a " KEY " 4294967296 key -\nend\n",
                START "fido2 ES256 p 0a " KEY " -1 key -\nend\n",
                START "fido2 ES256 p 0a " KEY " 0 key\nend\n",
                START "fido2 ES256 p 0a " KEY " 0 key - -\nend\n",
                START "fido2 ES256 p 0a " KEY " 0 key -\nfido2 ES256 p 0a " KEY " 0 key -\nend\n",
                START "card AAE card -\nend\n",
                START "card AAEC card\nend\n",
                START "card AAEC card - -\nend\n",
                START "card = card -\nend\n",
                START "card AAEC! card -\nend\n",
                START "card AAEC card -\ncard AAEC blue -\nend\n",
                START "card AA== 1 -\ncard AQ== 1 -\ncard Ag== 1 -\ncard Aw== 1 -\ncard BA== 1 -\n"
                      "card BQ== 1 -\ncard Bg== 1 -\ncard Bw== 1 -\ncard CA== 1 -\nend\n",
                START "fingerprint -\nend\n",
                START "fingerprint a -\nfingerprint a -\nend\n",
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new();

                cr_expect_eq(enrolment_parse(cases[i], strlen(cases[i]), enrolment), -EBADMSG,
                             "case %zu: %s", i, cases[i]);
        }
}

Test(enrolment, is_refused_wherever_it_is_cut_off) {
        for (size_t n = 0; n < strlen(whole); n++) {
                CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new();

                cr_expect_eq(enrolment_parse(whole, n, enrolment), -EBADMSG, "%zu", n);
        }
}

Test(enrolment, with_a_nul_in_it_or_too_long_is_refused) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new();
        static char text[ENROLMENT_SIZE_MAX + 2];

        memcpy(text, whole, sizeof(whole));
        cr_expect_eq(enrolment_parse(text, sizeof(whole), enrolment), -EBADMSG);
        memset(text, 'x', sizeof(text));
        cr_expect_eq(enrolment_parse(text, sizeof(text), enrolment), -EBADMSG);
}

Test(enrolment, that_could_not_be_read_again_is_not_written) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new();
        CLEANUP_SECRET Secret text = {0};

        cr_expect_eq(enrolment_format(enrolment, &text), -EINVAL); /* no generation */
        enrolment->generation = 1;
        enrolment->substitute.issued = true; /* nobody issued it */
        cr_expect_eq(enrolment_format(enrolment, &text), -EINVAL);
        cr_expect_null(text.text);
}
