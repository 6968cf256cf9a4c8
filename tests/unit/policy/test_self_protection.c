/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of the guard is protected: by the zone, unless a file says otherwise. */
#include "tests/unit/policy/policy_directory.h"
#include "tests/unit/policy/policy_text.h"

Test(self_protection, is_by_zone_unless_a_file_names_it) {
        static const struct {
                const char *text;
                bool expected[PROTECTIONS]; /* process, state, policy */
        } cases[] = {
                {HEAD, {true, true, false}},
                {HEAD "zone: mynumber\n", {true, true, false}},
                {HEAD "zone: lgwan\n", {false, false, false}},
                {HEAD "zone: internet\n", {false, false, false}},
                {HEAD "self-protection: {}\n", {true, true, false}},
                {HEAD "self-protection: {process: false}\n", {false, true, false}},
                {HEAD "self-protection: {state: false}\n", {true, false, false}},
                {HEAD "self-protection: {policy: true}\n", {true, true, true}},
                {HEAD "zone: internet\nself-protection: {process: true}\n", {true, false, false}},
                {HEAD "self-protection: {state: true, policy: true}\nzone: lgwan\n", {false, true, true}},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_POLICY Policy *policy = policy_of(cases[i].text);

                for (size_t j = 0; j < PROTECTIONS; j++)
                        cr_expect_eq(policy->protects[j], cases[i].expected[j], "%s: %s", cases[i].text,
                                     protected_to_string((Protected)j));
        }
}

Test(self_protection, is_resolved_when_all_files_are_merged) {
        Directory d = directory_new();
        Policy *policy = NULL;
        PolicyFaults faults = {0};

        directory_write(&d, "10-first.yaml",
                        HEAD "zone: mynumber\nself-protection: {state: false, policy: true}\n");
        directory_write(&d, "20-later.yaml", "version: 1\nself-protection: {state: true}\n");
        directory_write(&d, "30-zone.yaml", "version: 1\nzone: internet\n");
        cr_assert_eq(policy_load(d.path, &policy, &faults), 0);
        cr_expect_not(policy->protects[PROTECT_PROCESS], "the last zone counts");
        cr_expect(policy->protects[PROTECT_STATE], "the later value counts");
        cr_expect(policy->protects[PROTECT_POLICY]);
        policy_unref(policy);
        directory_remove(&d);
}

Test(self_protection, is_on_without_any_policy) {
        CLEANUP_POLICY Policy *policy = NULL;

        cr_assert_eq(policy_default(&policy), 0);
        cr_expect(policy->protects[PROTECT_PROCESS] && policy->protects[PROTECT_STATE]);
        cr_expect_not(policy->protects[PROTECT_POLICY]);
}

Test(self_protection, closes_the_policy_where_it_has_to_be_signed) {
        static const char text[] = "version: 1\nserial: 1\nsigning: {required: true}\n";
        PolicyFaults faults = {0};
        Policy *policy = NULL;

        cr_assert_eq(policy_load_buffer("x.yaml", text, sizeof(text) - 1, &policy, &faults), 0);
        cr_assert(policy->protects[PROTECT_POLICY]);
        policy->zone = ZONE_LGWAN;
        protect_by_zone(policy);
        cr_assert_not(policy->protects[PROTECT_POLICY], "in zone mynumber only");
        policy_unref(policy);
}
