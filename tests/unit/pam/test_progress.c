/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/progress.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/pam/store_directory.h"

TestSuite(progress, .init = store_init, .fini = store_fini);

/* An enrolment that has something of all that progress is about, in the store, as edition 1. */
static Enrolment *enrolled(void) {
        Enrolment *enrolment = store_enrolment(1001);

        enrolment->totp = (TotpEnrolment){.enrolled = true, .digits = 6, .length = 20, .last = 100};
        memcpy(enrolment->recovery[0], "hash-0", 7);
        memcpy(enrolment->recovery[9], "hash-9", 7);
        enrolment->substitute =
                (SubstituteEnrolment){.issued = true, .from = 1, .until = 2, .hash = "hash", .by = "kacho"};
        enrolment->fido2[0] = (Fido2Key){
                .length = 4, .id = "key", .relying_party = "pam.sekisho", .counter = 7, .label = "blue"};
        cr_assert_eq(store_save(&store, "sato", enrolment), 0);
        return enrolment;
}

static void use_all(Enrolment *enrolment) {
        enrolment->totp.last = 200;
        memset(enrolment->recovery[0], 0, HASH_SIZE);
        enrolment->substitute.uses = 3;
        enrolment->fido2[0].counter = 8;
        enrolment->failures[FACTOR_TOTP] = (Failures){.n = 2, .wall = 5, .boottime = 6, .boot_id = "boot"};
}

/* What the store has now is what ENROLMENT is, in all that can be said of it. */
static void expect_stored(const Enrolment *enrolment) {
        CLEANUP_ENROLMENT Enrolment *loaded = enrolment_new();
        CLEANUP_SECRET Secret found = {0}, expected = {0};

        cr_assert_eq(store_load(&store, "sato", 1001, loaded), 0);
        cr_assert_eq(enrolment_format(loaded, &found), 0);
        cr_assert_eq(enrolment_format(enrolment, &expected), 0);
        cr_expect_str_eq(found.text, expected.text);
        cr_expect_eq(loaded->base, enrolment->base);
}

Test(progress, is_all_that_a_login_changes) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolled();

        use_all(enrolment);
        cr_assert_eq(store_advance(&store, "sato", enrolment), 0);
        cr_expect_eq(enrolment->generation, 2);
        expect_stored(enrolment);
        memset(&enrolment->failures[FACTOR_TOTP], 0, sizeof(Failures));
        cr_assert_eq(store_advance(&store, "sato", enrolment), 0);
        expect_stored(enrolment);
}

Test(progress, that_is_noted_counts_and_is_no_edition) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolled();

        for (int i = 0; i < 3; i++) {
                enrolment->failures[FACTOR_TOTP] = (Failures){.n = 1, .boot_id = "boot"};
                cr_assert_eq(store_note(&store, "sato", enrolment), 0);
                expect_stored(enrolment);
                memset(&enrolment->failures[FACTOR_TOTP], 0, sizeof(Failures));
                cr_assert_eq(store_advance(&store, "sato", enrolment), 0);
                expect_stored(enrolment);
        }
        cr_expect_eq(enrolment->generation, 4);
}

Test(progress, ends_with_the_next_enrolment) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolled();

        use_all(enrolment);
        cr_assert_eq(store_advance(&store, "sato", enrolment), 0);
        enrolment->totp.last = 0; /* another secret */
        cr_assert_eq(store_save(&store, "sato", enrolment), 0);
        expect_stored(enrolment);
        cr_assert_eq(store_advance(&store, "sato", enrolment), 0);
        expect_stored(enrolment);
}

Test(progress, goes_on_behind_a_number_that_lags_and_no_further) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolled(), *loaded = enrolment_new();
        static const char number[] = "00000000000000000001\n";

        for (int i = 0; i < 9; i++) {
                int fd = openat(store.generations_fd, "sato", O_WRONLY | O_CLOEXEC), r;

                cr_assert_eq(store_advance(&store, "sato", enrolment), 0);
                cr_assert_eq(pwrite(fd, number, sizeof(number) - 1, 0), (ssize_t)sizeof(number) - 1);
                close(fd);
                memset(loaded, 0, sizeof(*loaded));
                r = store_load(&store, "sato", 1001, loaded);
                cr_expect_eq(r, i < 8 ? 0 : -ESTALE, "%d behind: %d", i + 1, r);
        }
}

Test(progress, brings_nothing_back) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolled();
        Progress now, other;

        progress_of(enrolment, 2, false, &now);
        cr_expect_eq(progress_apply(&now, enrolment), 0);
        enrolment->generation = 1;
        other = now, other.totp_last--;
        cr_expect_eq(progress_apply(&other, enrolment), -EBADMSG);
        other = now, other.counters[0]--;
        cr_expect_eq(progress_apply(&other, enrolment), -EBADMSG);
        other = now, other.recovery |= 1U << 5;
        cr_expect_eq(progress_apply(&other, enrolment), -EBADMSG);
        other = now, other.base = 2, other.generation = 3;
        cr_expect_eq(progress_apply(&other, enrolment), -EBADMSG);
        other = now, other.generation = 1;
        cr_expect_eq(progress_apply(&other, enrolment), -EBADMSG);
}

Test(progress, is_read_as_it_was_written_or_not_at_all) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolled();
        char text[PROGRESS_SIZE], again[PROGRESS_SIZE];
        Progress progress, parsed;

        memset(text, 0, sizeof(text));
        cr_expect_eq(progress_parse(text, &parsed), 0);
        use_all(enrolment);
        progress_of(enrolment, 2, true, &progress);
        cr_assert_eq(progress_format(&progress, text), 0);
        cr_assert_eq(progress_parse(text, &parsed), 1);
        cr_assert_eq(progress_format(&parsed, again), 0);
        cr_expect_eq(memcmp(text, again, sizeof(text)), 0);
        for (size_t i = 0; i < sizeof(text); i++) {
                memcpy(again, text, sizeof(text));
                again[i] ^= 1;
                cr_expect_eq(progress_parse(again, &parsed), -EBADMSG, "byte %zu", i);
        }
        for (size_t i = 1; text[i]; i++) {
                memcpy(again, text, sizeof(text));
                memset(again + i, 0, sizeof(again) - i);
                cr_expect_eq(progress_parse(again, &parsed), -EBADMSG, "cut off at %zu", i);
        }
}
