/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which policy counts, by what is on the disk. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/build.h"
#include "policy/last_good.h"

static char state[] = "/tmp/sekisho-last-good-XXXXXX";
static char path[64];

static void write_file(const char *name, const char *text) {
        char to[128];
        FILE *file;

        snprintf(to, sizeof(to), "%s/%s", state, name);
        if (!text) {
                (void)unlink(to);
                return;
        }
        file = fopen(to, "w");
        cr_assert_not_null(file);
        fputs(text, file);
        fclose(file);
        cr_assert_eq(chmod(to, 0600), 0);
}

Test(last_good, is_taken_where_the_configured_one_is_not_good) {
        static const struct {
                const char *configured, *kept, *floor, *note;
                int r;
                PolicySource source;
                uint64_t serial;
        } cases[] = {
                {"serial: 5\n", NULL, NULL, NULL, 0, SOURCE_CONFIGURED, 5},
                {"serial: 5\n", "serial: 5\n", "serial 5\n", NULL, 0, SOURCE_CONFIGURED, 5},
                {"serial: 6\n", "serial: 5\n", "serial 5\n", NULL, 0, SOURCE_CONFIGURED, 6},
                {"serial: 6\n", "serial: x\n", "serial 5\n", NULL, 0, SOURCE_CONFIGURED, 6},
                {"serial: 4\n", "serial: 5\n", "serial 5\n", NULL, 0, SOURCE_LAST_GOOD, 5},
                {"serial: 4\n", NULL, "serial 5\n", NULL, -EBADMSG, 0, 0},
                {"serial: x\n", "serial: 5\n", "serial 5\n", NULL, 0, SOURCE_LAST_GOOD, 5},
                {"serial: x\n", "serial: 5\n", "serial 6\n", NULL, 0, SOURCE_LAST_GOOD, 5},
                {"serial: x\n", "serial: 5\n", NULL, NULL, 0, SOURCE_LAST_GOOD, 5},
                {"serial: x\n", "serial: 5\n", NULL, "4 0 0 1 1 tty1 /a\n", 0, SOURCE_LAST_GOOD, 5},
                {"serial: x\n", "serial: 5\n", NULL, "5 0 0 1 1 tty1 /a\n", -EBADMSG, 0, 0},
                {"serial: x\n", "serial: 5\n", NULL, "?\n", -EBADMSG, 0, 0},
                {"serial: x\n", "serial: x\n", NULL, NULL, -EBADMSG, 0, 0},
                {"serial: x\n", NULL, NULL, NULL, -EBADMSG, 0, 0},
                {NULL, "serial: 5\n", "serial 5\n", NULL, 0, SOURCE_BUILT_IN, 0},
                /* where policies have to be signed */
                {"serial: 6\n", NULL, "serial 1\nsigning required\n", NULL, -EBADMSG, 0, 0},
                {"serial: 6\n", "serial: 5\n", "serial 1\nsigning required\n", NULL, -EBADMSG, 0, 0},
                {NULL, NULL, "serial 1\nsigning required\n", NULL, -EBADMSG, 0, 0},
                {NULL, NULL, "serial 1\nsigning required\n", "5 0 0 1 1 tty1 /a\n", 0, SOURCE_BUILT_IN, 0},
                {"serial: 6\n", "serial: 5\n", "?\n", NULL, -EBADMSG, 0, 0},
        };

        cr_assert_not_null(mkdtemp(state));
        snprintf(path, sizeof(path), "%s/last-good", state);
        cr_assert_eq(mkdir(path, 0700), 0);
        snprintf(path, sizeof(path), "%s/policy.yaml", state);
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_POLICY Policy *policy = NULL;
                PolicyFaults faults = {0};
                PolicySource source = SOURCE_CONFIGURED;
                char text[128];
                int r;

                snprintf(text, sizeof(text), "version: 1\n%s",
                         cases[i].configured ? cases[i].configured : "");
                write_file("policy.yaml", cases[i].configured ? text : NULL);
                snprintf(text, sizeof(text), "version: 1\n%s", cases[i].kept ? cases[i].kept : "");
                write_file("last-good/policy.yaml", cases[i].kept ? text : NULL);
                write_file("restored", cases[i].note);
                write_file("floor", cases[i].floor);
                r = policy_load_in_force(path, state, &policy, &source, &faults);
                cr_expect_eq(r, cases[i].r, "case %zu: %d", i, r);
                cr_expect_eq(policy != NULL, r == 0, "case %zu", i);
                cr_expect_eq(faults.n > 0, r < 0 || cases[i].source == SOURCE_LAST_GOOD, "case %zu", i);
                if (policy) {
                        cr_expect_eq(source, cases[i].source, "case %zu", i);
                        cr_expect_eq(policy->serial, cases[i].serial, "case %zu", i);
                }
                policy_faults_clear(&faults);
        }
        write_file("policy.yaml", NULL);
        write_file("last-good/policy.yaml", NULL);
        write_file("floor", NULL);
        snprintf(path, sizeof(path), "%s/last-good", state);
        cr_assert_eq(rmdir(path), 0);
        cr_assert_eq(rmdir(state), 0);
}
