/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/verify.h"

#include <errno.h>
#include <string.h>

#include "pam_module/codes.h"
#include "pam_module/totp.h"
#include "tests/unit/pam/store_directory.h"

TestSuite(verify, .init = store_init, .fini = store_fini);

enum {
        NOW = 1800000000
};

static TotpEnrolment totp;

static Verification verification(void) {
        return (Verification){.store = &store,
                              .user = "sato",
                              .uid = 1001,
                              .limits = {.tries = 2, .wait = 60, .wait_max = 60},
                              .factors = FACTORS_ALL,
                              .now = {.wall = NOW, .boottime = 100, .boot_id = "boot"}};
}

static void enrol(void) {
        CLEANUP_ENROLMENT Enrolment *enrolment = store_enrolment(1001);

        totp_generate(TOTP_SHA1, 6, &totp);
        enrolment->totp = totp;
        cr_assert_eq(store_save(&store, "sato", enrolment), 0);
}

static const char *code_at(time_t time) {
        static char code[9];

        cr_assert_eq(totp_code(&totp, (uint64_t)time / TOTP_STEP, code), 0);
        return code;
}

static const char *wrong_code(void) {
        return strcmp(code_at(NOW), "000000") == 0 ? "000001" : "000000";
}

#define expect_proof(v, code, expected)                                                                     \
        cr_expect_str_eq(proof_to_string(verify_code(v, code)), proof_to_string(expected))

Test(verify, takes_a_code_once) {
        Verification v = verification();

        expect_proof(&v, "000000", PROOF_NOT_ENROLLED);
        enrol();
        expect_proof(&v, code_at(NOW), PROOF_PROVEN);
        expect_proof(&v, code_at(NOW), PROOF_REPLAYED);
}

Test(verify, makes_who_fails_wait_and_forgets_it_after_a_right_code) {
        Verification v = verification();

        enrol();
        expect_proof(&v, wrong_code(), PROOF_REFUSED);
        expect_proof(&v, "what?", PROOF_REFUSED);
        expect_proof(&v, code_at(NOW), PROOF_WAIT);
        cr_expect_eq(v.wait, 60);
        v.now.wall += 3600; /* setting the clock does not help */
        expect_proof(&v, code_at(NOW + 3600), PROOF_WAIT);
        v.now.boottime += 60;
        expect_proof(&v, code_at(NOW + 3600), PROOF_PROVEN);
        v.now.wall += 60;
        expect_proof(&v, wrong_code(), PROOF_REFUSED);
        expect_proof(&v, code_at(NOW + 3660), PROOF_PROVEN);
}

Test(verify, counts_failures_by_factor) {
        Verification v = verification();

        enrol();
        for (int i = 0; i < 2; i++)
                expect_proof(&v, wrong_code(), PROOF_REFUSED);
        expect_proof(&v, "R0AAAA-AAAA-AAAA", PROOF_NOT_ENROLLED);
        cr_expect_eq(v.factor, FACTOR_RECOVERY);
        expect_proof(&v, code_at(NOW), PROOF_WAIT);
        cr_expect_eq(v.factor, FACTOR_TOTP);
}

Test(verify, does_not_look_at_factors_that_do_not_count) {
        Verification v = verification();

        enrol();
        v.factors = FACTOR_BIT(FACTOR_RECOVERY);
        expect_proof(&v, code_at(NOW), PROOF_NOT_ENROLLED);
}

Test(verify, proves_nothing_that_could_not_be_written) {
        Verification v = verification();

        enrol();
        cr_assert_eq(mkdirat(store.progress_fd, ".sato.new", 0700), 0);
        cr_assert_eq(mkdirat(store.progress_fd, ".sato.new/x", 0700), 0);
        expect_proof(&v, code_at(NOW), PROOF_BROKEN);
        cr_expect_lt(v.error, 0);
        cr_assert_eq(unlinkat(store.progress_fd, ".sato.new/x", AT_REMOVEDIR), 0);
        cr_assert_eq(unlinkat(store.progress_fd, ".sato.new", AT_REMOVEDIR), 0);
        expect_proof(&v, code_at(NOW), PROOF_PROVEN);
}

Test(verify, is_broken_where_the_enrolment_is_in_doubt) {
        Verification v = verification();

        enrol();
        cr_assert_eq(fchmodat(store.factors_fd, "sato", 0644, 0), 0);
        expect_proof(&v, code_at(NOW), PROOF_BROKEN);
        cr_expect_eq(v.error, -EPERM);
}
