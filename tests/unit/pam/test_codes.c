/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/codes.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static void init(void) {
        cr_assert_eq(secret_init(), 0);
}

TestSuite(codes, .init = init);

static int take(int (*function)(Enrolment *, const char *), Enrolment *enrolment, const char *code) {
        CLEANUP_SECRET Secret normal = {0};

        cr_assert_eq(code_normalise(code, &normal), 0);
        return function(enrolment, normal.text);
}

static int substitute_at_5000(Enrolment *enrolment, const char *code) {
        return substitute_take(enrolment, code, 5000);
}

Test(codes, for_recovery_are_taken_once_each_and_in_any_spelling) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new();
        char codes[RECOVERY_SLOTS][CODE_SIZE];

        cr_assert_eq(recovery_issue(enrolment, 3, codes), 0);
        cr_expect_eq(enrolment_recovery_left(enrolment), 3);
        for (char *p = codes[1]; *p; p++)
                if (*p >= 'A' && *p <= 'Z')
                        *p = (char)(*p - 'A' + 'a');
        cr_expect_eq(take(recovery_take, enrolment, codes[2]), 0);
        cr_expect_eq(take(recovery_take, enrolment, codes[2]), -EKEYREJECTED);
        cr_expect_eq(take(recovery_take, enrolment, codes[1]), 0);
        cr_expect_eq(enrolment_recovery_left(enrolment), 1);
        codes[0][1] = '1'; /* another's slot */
        cr_expect_eq(take(recovery_take, enrolment, codes[0]), -EKEYREJECTED);
        cr_expect_eq(take(recovery_take, enrolment, "R9ABCD-EFGH-JKMN"), -EKEYREJECTED);
        cr_expect_eq(take(recovery_take, enrolment, ""), -EKEYREJECTED);
        cr_expect_eq(recovery_issue(enrolment, 0, codes), -EINVAL);
        cr_expect_eq(recovery_issue(enrolment, RECOVERY_SLOTS + 1, codes), -EINVAL);
}

Test(codes, for_substitutes_serve_within_their_time) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new();
        CLEANUP_SECRET Secret normal = {0};
        char code[CODE_SIZE];

        cr_expect_eq(take(substitute_at_5000, enrolment, "SABCDE-FGHJK"), -EKEYREJECTED);
        cr_assert_eq(substitute_issue(enrolment, 4000, 6000, "kacho", code), 0);
        cr_assert_eq(code_normalise(code, &normal), 0);
        cr_expect_eq(substitute_take(enrolment, normal.text, 3999), -EKEYEXPIRED);
        cr_expect_eq(substitute_take(enrolment, normal.text, 4000), 0);
        cr_expect_eq(substitute_take(enrolment, normal.text, 5999), 0);
        cr_expect_eq(substitute_take(enrolment, normal.text, 6000), -EKEYEXPIRED);
        cr_expect_eq(enrolment->substitute.uses, 2);
        cr_expect_eq(take(substitute_at_5000, enrolment, "SABCDE-FGHJK"), -EKEYREJECTED);
        cr_expect_eq(substitute_issue(enrolment, 6000, 6000, "kacho", code), -EINVAL);
        cr_expect_eq(substitute_issue(enrolment, 1, 2, "two words", code), -EINVAL);
}

Test(codes, have_forms_that_nobody_takes_for_each_other) {
        cr_expect(recovery_has_form("R0123456789ABC"));
        cr_expect_not(recovery_has_form("R012345"));
        cr_expect_not(recovery_has_form("R0123456789ABU"));
        cr_expect_not(recovery_has_form("RA123456789ABC"));
        cr_expect(substitute_has_form("S0123456789"));
        cr_expect_not(substitute_has_form("R0123456789"));
        cr_expect_not(substitute_has_form("S012345678"));
        cr_expect_not(substitute_has_form(""));
}
