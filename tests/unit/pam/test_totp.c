/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/totp.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static void init(void) {
        cr_assert_eq(secret_init(), 0);
}

TestSuite(totp, .init = init);

static TotpEnrolment enrolled(TotpHash hash, unsigned digits, const char *secret) {
        TotpEnrolment totp = {.enrolled = true, .hash = hash, .digits = digits, .length = strlen(secret)};

        memcpy(totp.secret, secret, totp.length);
        return totp;
}

#define SEED20 "12345678901234567890"
#define SEED32 SEED20 "123456789012"
#define SEED64 SEED20 SEED20 SEED20 "1234"

/* RFC 6238, appendix B */
Test(totp, has_the_codes_of_the_standard) {
        static const struct {
                time_t time;
                TotpHash hash;
                const char *seed, *code;
        } cases[] = {
                {59, TOTP_SHA1, SEED20, "94287082"},
                {59, TOTP_SHA256, SEED32, "46119246"},
                {59, TOTP_SHA512, SEED64, "90693936"},
                {1111111109, TOTP_SHA1, SEED20, "07081804"},
                {1111111109, TOTP_SHA256, SEED32, "68084774"},
                {1111111109, TOTP_SHA512, SEED64, "25091201"},
                {1234567890, TOTP_SHA1, SEED20, "89005924"},
                {2000000000, TOTP_SHA256, SEED32, "90698825"},
                {20000000000, TOTP_SHA1, SEED20, "65353130"},
                {20000000000, TOTP_SHA256, SEED32, "77737706"},
                {20000000000, TOTP_SHA512, SEED64, "47863826"},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                TotpEnrolment totp = enrolled(cases[i].hash, 8, cases[i].seed);
                char code[9];

                cr_assert_eq(totp_code(&totp, (uint64_t)cases[i].time / TOTP_STEP, code), 0);
                cr_expect_str_eq(code, cases[i].code);
                cr_expect_eq(totp_take(&totp, cases[i].code, cases[i].time, 0), 0);
                cr_expect_eq(totp.last, (uint64_t)cases[i].time / TOTP_STEP);
                cr_expect_eq(totp_take(&totp, cases[i].code, cases[i].time, 0), -EALREADY);
        }
}

Test(totp, takes_codes_within_the_drift_and_never_an_older_one) {
        static const struct {
                int step;
                unsigned drift;
                int result;
        } cases[] = {{0, 0, 0},  {1, 0, -EKEYREJECTED}, {-1, 0, -EKEYREJECTED}, {1, 1, 0},
                     {-1, 1, 0}, {2, 1, -EKEYREJECTED}, {-2, 1, -EKEYREJECTED}, {-5, 5, 0},
                     {5, 5, 0},  {6, 5, -EKEYREJECTED}};
        const uint64_t now = 1800000000;

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                TotpEnrolment totp = enrolled(TOTP_SHA1, 6, SEED20);
                uint64_t step = now / TOTP_STEP + (uint64_t)cases[i].step;
                char code[9];

                cr_assert_eq(totp_code(&totp, step, code), 0);
                cr_expect_eq(totp_take(&totp, code, (time_t)now, cases[i].drift), cases[i].result, "%zu", i);
                if (cases[i].result < 0)
                        continue;
                cr_expect_eq(totp_take(&totp, code, (time_t)now, cases[i].drift), -EALREADY);
                cr_assert_eq(totp_code(&totp, step - 1, code), 0);
                cr_expect_lt(totp_take(&totp, code, (time_t)now, 5), 0);
                /* with the clock set back */
                cr_expect_eq(totp_take(&totp, code, (time_t)((step - 1) * TOTP_STEP), 0), -EALREADY);
        }
}

Test(totp, refuses_what_is_no_code) {
        static const char *const codes[] = {"",       "12345",   "1234567", "123456789",
                                            "12345a", " 123456", "-12345",  "94287082"};
        TotpEnrolment totp = enrolled(TOTP_SHA1, 6, SEED20), none = {0};

        for (size_t i = 0; i < ELEMENTS(codes); i++)
                cr_expect_eq(totp_take(&totp, codes[i], 59, 1), -EKEYREJECTED, "%s", codes[i]);
        cr_expect_eq(totp_take(&none, "000000", 59, 1), -EINVAL);
        cr_expect_eq(totp_take(&totp, "287082", -1, 1), -EINVAL);
        totp.digits = 7;
        cr_expect_lt(totp_take(&totp, "4287082", 59, 1), 0);
}

Test(totp, secrets_are_as_long_as_the_hash_and_new_each_time) {
        static const size_t lengths[] = {20, 32, 64};

        for (int hash = TOTP_SHA1; hash <= TOTP_SHA512; hash++) {
                TotpEnrolment a, b;

                totp_generate((TotpHash)hash, 6, &a);
                totp_generate((TotpHash)hash, 6, &b);
                cr_expect(a.enrolled && a.last == 0 && a.length == lengths[hash]);
                cr_expect_neq(memcmp(a.secret, b.secret, a.length), 0);
        }
}

Test(totp, uri_is_what_authenticator_programs_read) {
        CLEANUP_SECRET Secret uri = {0};
        TotpEnrolment totp = enrolled(TOTP_SHA256, 8, SEED20);

        cr_assert_eq(totp_uri(&totp, "役所 1", "sato@x", &uri), 0);
        cr_expect_str_eq(uri.text,
                         "otpauth://totp/%E5%BD%B9%E6%89%80%201:sato%40x?secret="
                         "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=%E5%BD%B9%E6%89%80%201&algorithm="
                         "SHA256&digits=8&period=30");
}
