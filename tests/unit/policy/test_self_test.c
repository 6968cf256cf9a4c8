/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often the guard tries itself. */
#include <errno.h>

#include "tests/unit/policy/policy_directory.h"
#include "tests/unit/policy/policy_text.h"

Test(self_test, is_every_hour_unless_a_file_says_otherwise) {
        static const struct {
                const char *text;
                unsigned expected;
        } cases[] = {
                {HEAD, 60},
                {HEAD "self-test: {}\n", 60},
                {HEAD "self-test: {every: 5}\n", 5},
                {HEAD "zone: mynumber\nself-test: {every: 1440}\n", 1440},
                {HEAD "zone: lgwan\nself-test: {every: 0}\n", 0},
                {HEAD "zone: internet\nself-test: {every: 0}\n", 0},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_POLICY Policy *policy = policy_of(cases[i].text);

                cr_expect_eq(policy->self_test_every, cases[i].expected, "%s", cases[i].text);
        }
}

Test(self_test, is_not_left_out_where_residents_numbers_are) {
        static const struct {
                const char *first, *second;
                bool good;
        } cases[] = {
                {HEAD "self-test: {every: 0}\n", "version: 1\n", false},
                {HEAD "zone: mynumber\n", "version: 1\nself-test: {every: 0}\n", false},
                {HEAD "self-test: {every: 0}\n", "version: 1\nzone: lgwan\n", true},
                {HEAD "self-test: {every: 0}\n", "version: 1\nself-test: {every: 10}\n", true},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                Directory d = directory_new();
                Policy *policy = NULL;
                PolicyFaults faults = {0};
                int r;

                directory_write(&d, "10-first.yaml", cases[i].first);
                directory_write(&d, "20-second.yaml", cases[i].second);
                r = policy_load(d.path, &policy, &faults);
                cr_expect_eq(r, cases[i].good ? 0 : -EBADMSG, "case %zu", i);
                if (!cases[i].good && faults.n == 1) {
                        cr_expect(strstr(faults.items[0].message, "self-test.every is 0") != NULL);
                        cr_expect(strstr(faults.items[0].file, i == 0 ? "10-first" : "20-second") != NULL);
                        cr_expect_gt(faults.items[0].line, 1);
                } else
                        cr_expect_eq(faults.n, 0);
                policy_unref(policy);
                policy_faults_clear(&faults);
                directory_remove(&d);
        }
}
