/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When sessions lock: by the zone, unless a file says otherwise. */
#include "tests/unit/policy/policy_directory.h"
#include "tests/unit/policy/policy_text.h"

Test(lock, is_by_zone_unless_a_file_names_it) {
        static const struct {
                const char *text;
                bool removal;
                unsigned idle;
        } cases[] = {
                {HEAD, true, 0},
                {HEAD "zone: mynumber\n", true, 0},
                {HEAD "zone: lgwan\n", false, 0},
                {HEAD "zone: internet\n", false, 0},
                {HEAD "mfa: {lock-on-removal: false}\n", false, 0},
                {HEAD "mfa: {lock-on-removal: true}\nzone: lgwan\n", true, 0},
                {HEAD "mfa: {lock-idle-minutes: 1}\n", true, 1},
                {HEAD "mfa: {lock-idle-minutes: 480}\nzone: internet\n", false, 480},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_POLICY Policy *policy = policy_of(cases[i].text);

                cr_expect_eq(policy->mfa_lock_on_removal, cases[i].removal, "%s", cases[i].text);
                cr_expect_eq(policy->mfa_lock_idle_minutes, cases[i].idle, "%s", cases[i].text);
        }
}

Test(lock, later_files_replace_what_earlier_ones_say) {
        Directory d = directory_new();
        Policy *policy = NULL;
        PolicyFaults faults = {0};

        directory_write(&d, "10-first.yaml", HEAD "mfa: {lock-on-removal: false, lock-idle-minutes: 5}\n");
        directory_write(&d, "20-later.yaml", "version: 1\nmfa: {lock-idle-minutes: 10}\n");
        cr_assert_eq(policy_load(d.path, &policy, &faults), 0);
        cr_expect_not(policy->mfa_lock_on_removal);
        cr_expect_eq(policy->mfa_lock_idle_minutes, 10);
        policy_unref(policy);
        directory_remove(&d);
}

Test(lock, is_on_without_any_policy) {
        CLEANUP_POLICY Policy *policy = NULL;

        cr_assert_eq(policy_default(&policy), 0);
        cr_expect(policy->mfa_lock_on_removal);
        cr_expect_eq(policy->mfa_lock_idle_minutes, 0);
}
