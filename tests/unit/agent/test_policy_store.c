/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/policy_store.h"

static char directory[64], policy[96], state[96];

static void setup(void) {
        strcpy(directory, "/tmp/sekisho-unit-XXXXXX");
        cr_assert_not_null(mkdtemp(directory));
        snprintf(policy, sizeof(policy), "%s/policy.yaml", directory);
        snprintf(state, sizeof(state), "%s/state", directory);
        cr_assert_eq(mkdir(state, 0700), 0);
}

static void teardown(void) {
        char command[128];

        snprintf(command, sizeof(command), "rm -rf '%s'", directory);
        cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c) */
}

TestSuite(policy_store, .init = setup, .fini = teardown);

static void write_policy(const char *text) {
        FILE *f = fopen(policy, "w");

        cr_assert_not_null(f);
        fputs(text, f);
        fclose(f);
        cr_assert_eq(chmod(policy, 0600), 0);
}

/* What is in force after a start with the file as it is now: its serial. */
static uint64_t start(int expected) {
        PolicyStore store;
        uint64_t serial;

        cr_assert_eq(policy_store_open(&store, policy, state, NULL, NULL), expected);
        serial = store.policy->serial;
        policy_store_close(&store);
        return serial;
}

Test(policy_store, good_policy_is_in_force_and_remembered) {
        write_policy("version: 1\nserial: 5\n");
        cr_assert_eq(start(0), 5);
        write_policy("version: 1\nserial: 6\nnonsense: true\n");
        cr_assert_eq(start(1), 5, "the copy of the last good one");
}

Test(policy_store, without_any_policy_the_built_in_one_is_in_force) {
        PolicyStore store;

        cr_assert_eq(policy_store_open(&store, policy, state, NULL, NULL), 0);
        cr_assert(store.builtin);
        cr_assert_eq(store.policy->removable_default, ACCESS_READ_ONLY);
        policy_store_close(&store);
}

Test(policy_store, bad_policy_and_no_last_good_one_gives_the_built_in_one) {
        write_policy("version: 1\n");
        cr_assert_eq(start(1), 0);
}

Test(policy_store, lower_serial_is_refused_at_start_and_at_reload) {
        PolicyStore store;
        Policy *old = NULL;

        write_policy("version: 1\nserial: 5\n");
        cr_assert_eq(start(0), 5);
        write_policy("version: 1\nserial: 4\n");
        cr_assert_eq(policy_store_open(&store, policy, state, NULL, NULL), 1);
        cr_assert_eq(store.policy->serial, 5);
        cr_assert_eq(store.faults.n, 1);
        cr_assert_eq(policy_store_reload(&store, &old), 1);
        cr_assert_null(old);
        cr_assert_eq(store.policy->serial, 5);
        write_policy("version: 1\nserial: 5\ncontact: same serial, other text\n");
        cr_assert_eq(policy_store_reload(&store, &old), 0);
        cr_assert_str_eq(store.policy->contact, "same serial, other text");
        cr_assert_eq(store.refused, 0);
        policy_unref(old);
        policy_store_close(&store);
}

Test(policy_store, refused_reload_keeps_the_policy_and_says_why) {
        PolicyStore store;
        Policy *old = NULL;

        write_policy("version: 1\nserial: 5\n");
        cr_assert_eq(policy_store_open(&store, policy, state, NULL, NULL), 0);
        write_policy("version: 1\nserial: six\n");
        cr_assert_eq(policy_store_reload(&store, &old), 1);
        cr_assert_eq(store.policy->serial, 5);
        cr_assert_eq(store.faults.items[0].line, 2);
        cr_assert_neq(store.refused, 0);
        policy_store_close(&store);
}

/* A trial that the policy with the serial in USERDATA does not pass. */
static int fails_serial(void *userdata, const Policy *present, const Policy *candidate, char **ret_why,
                        const char **ret_origin) {
        (void)present;
        if (candidate->serial != *(const uint64_t *)userdata)
                return 0;
        *ret_why = strdup("would take the only keyboard");
        *ret_origin = candidate->usb_origin;
        return 1;
}

Test(policy_store, policy_that_fails_its_trial_is_refused_at_reload_and_at_start) {
        uint64_t failing = 6;
        PolicyStore store;
        Policy *old = NULL;

        write_policy("version: 1\nserial: 5\n");
        cr_assert_eq(policy_store_open(&store, policy, state, fails_serial, &failing), 0);
        write_policy("version: 1\nserial: 6\nusb: {default: deny}\n");
        cr_assert_eq(policy_store_reload(&store, &old), 1);
        cr_assert_eq(store.policy->serial, 5);
        cr_assert_eq(store.faults.n, 1);
        cr_assert_str_eq(store.faults.items[0].message, "would take the only keyboard");
        cr_assert_str_eq(store.faults.items[0].file, policy);
        cr_assert_eq(store.faults.items[0].line, 3);
        policy_store_close(&store);

        cr_assert_eq(policy_store_open(&store, policy, state, fails_serial, &failing), 1);
        cr_assert_eq(store.policy->serial, 5, "the last good one");
        policy_store_close(&store);
}

Test(policy_store, last_good_one_that_fails_its_trial_at_start_gives_the_built_in_one) {
        uint64_t failing = 5;
        PolicyStore store;

        write_policy("version: 1\nserial: 5\n");
        cr_assert_eq(start(0), 5);
        cr_assert_eq(policy_store_open(&store, policy, state, fails_serial, &failing), 1);
        cr_assert(store.builtin);
        cr_assert_eq(store.policy->serial, 0);
        cr_assert_eq(store.faults.n, 2, "the policy and its copy");
        policy_store_close(&store);
}

Test(policy_store, what_was_put_aside_comes_back_only_with_a_higher_serial) {
        Restored restored = {
                .serial = 5, .uid = 0, .loginuid = 1000, .time = 1, .tty = "tty1", .directory = "/a b"};
        PolicyStore store;
        Policy *old = NULL;
        Restored read;

        write_policy("version: 1\nserial: 5\n");
        cr_assert_eq(start(0), 5);
        cr_assert_eq(restored_write(state, &restored), 0);
        cr_assert_eq(policy_store_open(&store, policy, state, NULL, NULL), 1);
        cr_expect(store.builtin, "neither the policy nor its copy");
        cr_expect_eq(policy_store_take_restored(&store, &read), 1);
        cr_expect_eq(read.loginuid, 1000);
        cr_expect_str_eq(read.tty, "tty1");
        cr_expect_str_eq(read.directory, "/a b");
        cr_expect_eq(policy_store_take_restored(&store, &read), 0, "told once");
        write_policy("version: 1\nserial: 6\n");
        cr_assert_eq(policy_store_reload(&store, &old), 0);
        cr_expect_eq(restored_read(state, &read), 0, "the note is gone");
        policy_unref(old);
        policy_store_close(&store);
}

Test(policy_store, note_that_makes_no_sense_is_none) {
        static const char *const texts[] = {"", "5", "5 0 0 1 0 tty1", "a b c d e f g", "5 0 0 1 0 "};
        Restored restored;
        char path[128];

        snprintf(path, sizeof(path), "%s/restored", state);
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
                FILE *f = fopen(path, "w");

                cr_assert_not_null(f);
                fputs(texts[i], f);
                fclose(f);
                cr_assert_eq(chmod(path, 0600), 0);
                cr_expect_eq(restored_read(state, &restored), -74 /* EBADMSG */, "%s", texts[i]);
        }
        cr_assert_eq(chmod(path, 0622), 0);
        cr_expect_eq(restored_read(state, &restored), -1 /* EPERM */);
}

/* What of a start with serial SERIAL could not be kept, and what is in force. */
static void start_unkept(uint64_t serial, int unkept[static POLICY_KEPT]) {
        PolicyStore store;

        cr_assert_eq(policy_store_open(&store, policy, state, NULL, NULL), 0);
        cr_expect_eq(store.policy->serial, serial);
        memcpy(unkept, store.unkept, sizeof(store.unkept));
        policy_store_close(&store);
}

Test(policy_store, what_cannot_be_kept_is_told_and_the_policy_holds_all_the_same) {
        char floor[128], copy[128], command[160];
        int unkept[POLICY_KEPT];

        snprintf(floor, sizeof(floor), "%s/floor", state);
        snprintf(copy, sizeof(copy), "%s/last-good", state);
        write_policy("version: 1\nserial: 5\n");
        start_unkept(5, unkept);
        for (size_t i = 0; i < POLICY_KEPT; i++)
                cr_expect_eq(unkept[i], 0, "%zu", i);

        cr_assert_eq(unlink(floor), 0);
        cr_assert_eq(mkdir(floor, 0700), 0);
        write_policy("version: 1\nserial: 6\n");
        start_unkept(6, unkept);
        cr_expect_lt(unkept[KEPT_FLOOR], 0);
        cr_expect_eq(unkept[KEPT_LAST_GOOD], 0);

        cr_assert_eq(rmdir(floor), 0);
        snprintf(command, sizeof(command), "rm -rf '%s'", copy);
        cr_assert_eq(system(command), 0); /* NOLINT(cert-env33-c) */
        cr_assert_eq(symlink("/proc/nowhere", copy), 0);
        start_unkept(6, unkept);
        cr_expect_lt(unkept[KEPT_LAST_GOOD], 0);
}

/* The same where something else than the state directory knows of serial KNOWN. */
static uint64_t start_above(uint64_t known, int expected, bool *ret_behind) {
        PolicyStore store;
        uint64_t serial;

        cr_assert_eq(policy_store_open_above(&store, policy, state, known, NULL, NULL), expected);
        serial = store.policy->serial;
        *ret_behind = store.was_behind;
        policy_store_close(&store);
        return serial;
}

Test(policy_store, below_what_is_known_elsewhere_not_even_the_last_good_one_comes_into_force) {
        bool behind;

        write_policy("version: 1\nserial: 4\n");
        cr_assert_eq(start(0), 4);
        cr_assert_eq(start_above(4, 0, &behind), 4);
        cr_assert(!behind);
        cr_assert_eq(start_above(5, 1, &behind), 0);
        cr_assert(behind);
        cr_assert_eq(start(1), 0, "the note and the copy are gone for those too who do not know of 5");
        write_policy("version: 1\nserial: 5\n");
        cr_assert_eq(start_above(5, 0, &behind), 5);
        cr_assert(!behind);
}

Test(policy_store, what_turns_out_afterwards_holds_from_then_on) {
        PolicyStore store;
        Policy *old = NULL;

        write_policy("version: 1\nserial: 4\n");
        cr_assert_eq(policy_store_open(&store, policy, state, NULL, NULL), 0);
        cr_assert_eq(policy_store_kept_serial(&store), 4);
        cr_assert_eq(policy_store_learn_serial(&store, 4), 0);
        cr_assert_eq(policy_store_learn_serial(&store, 6), 1);
        write_policy("version: 1\nserial: 5\n");
        cr_assert_eq(policy_store_reload(&store, &old), 1);
        store.unkept[KEPT_LAST_GOOD] = -ENOSPC;
        cr_assert_eq(policy_store_kept_serial(&store), 0, "a next start would not have it");
        policy_store_close(&store);
        write_policy("version: 1\nserial: 5\n");
        cr_assert_eq(start(1), 4, "the last good one, which was in force all the time");
}
