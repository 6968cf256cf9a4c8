/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/fido2.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/pam/fake_authenticator.h"

static FakeAuthenticator plugged[FAKE_PLUGGED_MAX];
static size_t n_plugged;

size_t fake_authenticators(FakeAuthenticator **ret) {
        *ret = plugged;
        return n_plugged;
}

void fake_authenticator_changed(FakeAuthenticator *fake) {
        (void)fake;
}

enum {
        PATIENCE_MS = 20000
};

static Fido2Key key;

static const MfaFido2 policy = {.timeout = 20};

static Fido2Key enrol(const char *attestation, int expected) {
        CLEANUP_FIDO2 Fido2Device device = {0};
        MfaFido2 attested = policy;
        Fido2Key made = {.length = 0};

        attested.attestation = (char *)attestation;
        cr_assert_eq(fido2_find_new(fido2_clock() + PATIENCE_MS, &device), 0);
        cr_expect_eq(fido2_create(&device, &attested, "sato", &key, 1, "123456", &made), expected);
        return made;
}

static void init(void) {
        cr_assert_eq(secret_init(), 0);
        fido2_init();
        plugged[0] = fake_authenticator_new(7, "123456");
        n_plugged = 1;
        key = enrol(NULL, 0);
}

TestSuite(fido2, .init = init);

/* As a login does it. */
static int log_in_with(const char *pin, UserVerification verification, uint64_t patience) {
        CLEANUP_FIDO2 Fido2Device device = {0};
        Fido2Assertion assertion;
        uint64_t deadline = fido2_clock() + patience;
        int r = fido2_find(&key, 1, deadline, &device);

        if (r == 0)
                r = fido2_sign(&device, &key, pin, verification == USER_VERIFICATION_REQUIRED, deadline,
                               &assertion);
        return r < 0 ? r : fido2_check(&key, verification, &assertion, &key.counter);
}

static int log_in(const char *pin) {
        return log_in_with(pin, USER_VERIFICATION_REQUIRED, PATIENCE_MS);
}

Test(fido2, the_right_key_with_its_pin_is_taken_and_counts_up) {
        uint32_t before = key.counter;

        cr_expect_eq(log_in("123456"), 0);
        cr_expect_gt(key.counter, before);
        before = key.counter;
        cr_expect_eq(log_in("123456"), 0);
        cr_expect_gt(key.counter, before);
        cr_expect_eq(plugged[0].asked, 2, "it is touched once for each login");
}

Test(fido2, a_key_that_does_not_count_is_taken_as_long_as_it_never_has) {
        plugged[0].counts = false;
        key.counter = 0;
        cr_expect_eq(log_in("123456"), 0);
        cr_expect_eq(log_in("123456"), 0);
        key.counter = 1;
        cr_expect_eq(log_in("123456"), -ESTALE);
}

Test(fido2, a_key_that_does_wrong_is_refused) {
        static const struct {
                FakeFault fault;
                int expected;
        } cases[] = {
                {FAKE_NO_UV, -EKEYREJECTED},
                {FAKE_NO_UP, -EKEYREJECTED},
                {FAKE_COUNTS_BACK, -ESTALE},
                {FAKE_REPLAY, -EKEYREJECTED},
                {FAKE_OTHER_PARTY, -EKEYREJECTED},
                {FAKE_OTHER_SIGNER, -EKEYREJECTED},
                {FAKE_GONE, -EIO},
                {FAKE_GARBAGE, -EIO},
                {FAKE_DENIES, -ECANCELED},
                {FAKE_HUGE, -EIO},
        };

        cr_assert_eq(log_in("123456"), 0);
        cr_assert_eq(log_in("123456"), 0);
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                uint32_t before = key.counter;

                plugged[0].fault = cases[i].fault;
                cr_expect_eq(log_in("123456"), cases[i].expected, "fault %d", (int)cases[i].fault);
                cr_expect_eq(key.counter, before);
        }
        plugged[0].fault = FAKE_HONEST;
        cr_expect_eq(log_in("123456"), 0);
}

Test(fido2, nobody_waits_for_a_touch_beyond_the_deadline) {
        uint64_t before = fido2_clock();

        plugged[0].fault = FAKE_SILENT;
        cr_expect_eq(log_in_with("123456", USER_VERIFICATION_REQUIRED, 300), -ETIMEDOUT);
        cr_expect_lt(fido2_clock() - before, 5000);
}

Test(fido2, wrong_pins_are_told_until_the_key_is_blocked) {
        CLEANUP_FIDO2 Fido2Device device = {0};

        for (int i = 1; i < 8; i++) {
                cr_expect_eq(log_in("654321"), -EKEYREJECTED);
                cr_expect_eq(plugged[0].retries, 8 - i);
        }
        cr_assert_eq(fido2_find(&key, 1, fido2_clock() + PATIENCE_MS, &device), 0);
        cr_expect_eq(fido2_retries(&device), 1);
        cr_expect_eq(log_in("654321"), -EACCES);
        cr_expect_eq(log_in("123456"), -EACCES, "also with the right one");
        cr_expect_eq(plugged[0].asked, 0);
}

Test(fido2, who_is_not_known_to_the_key_gets_in_only_where_the_policy_says_so) {
        cr_expect_eq(log_in(NULL), -EIO, "it knows nobody by itself");
        cr_expect_eq(log_in_with(NULL, USER_VERIFICATION_PREFERRED, PATIENCE_MS), 0);
        plugged[0].fault = FAKE_NO_UP;
        cr_expect_eq(log_in_with(NULL, USER_VERIFICATION_PREFERRED, PATIENCE_MS), -EKEYREJECTED);
}

Test(fido2, a_key_with_a_finger_needs_no_pin) {
        plugged[0].has_uv = plugged[0].knows_owner = true;
        cr_expect_eq(log_in(NULL), 0);
        plugged[0].knows_owner = false;
        cr_expect_eq(log_in(NULL), -EACCES);
        cr_expect_eq(log_in("123456"), 0, "its PIN does as well");
}

Test(fido2, the_persons_own_key_is_found_among_others) {
        CLEANUP_FIDO2 Fido2Device device = {0};
        Fido2Key two[2];

        plugged[1] = plugged[0];
        plugged[0] = fake_authenticator_new(9, "0000");
        n_plugged = 2;
        cr_expect_eq(log_in("123456"), 0);
        two[0] = two[1] = key;
        two[0].id[3] ^= 1;
        cr_assert_eq(fido2_find(two, 2, fido2_clock() + PATIENCE_MS, &device), 0);
        cr_expect_eq(device.key, 1);
        cr_expect_eq(fido2_find_new(fido2_clock() + PATIENCE_MS, &device), -ENOTUNIQ);
}

Test(fido2, a_key_of_somebody_else_or_none_is_told) {
        plugged[0] = fake_authenticator_new(8, "123456");
        cr_expect_eq(log_in("123456"), -ENOKEY);
        n_plugged = 0;
        cr_expect_eq(log_in("123456"), -ENODEV);
}

Test(fido2, a_key_enrolled_under_another_name_is_not_found) {
        strcpy(key.relying_party, "other.example");
        cr_expect_eq(log_in("123456"), -ENOKEY);
}

Test(fido2, a_key_is_enrolled_once) {
        cr_expect_eq(enrol(NULL, -EEXIST).length, 0);
        plugged[0] = fake_authenticator_new(8, "123456");
        cr_expect_gt(enrol(NULL, 0).length, 0);
}

Test(fido2, a_key_is_not_enrolled_without_knowing_its_owner_or_its_maker) {
        key.length = 0;
        plugged[0].fault = FAKE_NO_UV;
        cr_expect_eq(enrol(NULL, -EKEYREJECTED).length, 0);
        plugged[0].fault = FAKE_HONEST;
        cr_expect_eq(enrol("/nonexistent", -EINVAL).length, 0);
        cr_expect_eq(enrol("/dev/null", -EINVAL).length, 0);
}
