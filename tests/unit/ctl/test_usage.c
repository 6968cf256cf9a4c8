/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/scope.h"
#include "tests/unit/ctl/program.h"

static Outcome outcome;

static const char *const mistakes[][8] = {
        {NULL},
        {"bogus"},
        {"policy"},
        {"policy", "bogus"},
        {"policy", "explain"},
        {"policy", "explain", "bogus"},
        {"--bogus"},
        {"status", "--bogus"},
        {"status", "-x"},
        {"status", "--json=yes"},
        {"status", "extra"},
        {"status", "--runtime-dir"},
        {"status", "--lines", "3"},
        {"devices", "--follow"},
        {"devices", "extra"},
        {"events", "extra"},
        {"events", "--since"},
        {"events", "--since", "the day before"},
        {"events", "--until", "25:00"},
        {"events", "--since", "today", "--until", "yesterday"},
        {"events", "--follow", "--until", "now"},
        {"events", "--lines", "x"},
        {"events", "--lines", "-1"},
        {"events", "--lines", "99999999999999999999"},
        {"events", "--event", "none"},
        {"events", "--event", "write-allowed"},
        {"events", "--user", "no-such-user\x1b[2J"},
        {"events", "--directory", "/nonexistent"},
        {"enrol"},
        {"enrol", "root", "extra"},
        {"enrol", "no-such-user"},
        {"enrol", "root", "--number", "3"},
        {"unenrol", "root", "password"},
        {"unenrol", "root", "nonsense"},
        {"factors"},
        {"factors", "root", "--state-dir", "/nonexistent"},
        {"recovery-codes", "root", "--number", "11"},
        {"recovery-codes", "root", "--number", "x"},
        {"substitute", "root", "--for-hours", "0"},
        {"substitute", "root", "--for-hours", "73"},
        {"substitute", "root", "--by", "two words"},
        {"pam"},
        {"pam", "bogus"},
        {"pam", "check", "--lines", "3"},
        {"pam", "check", "--directory", "/nonexistent"},
        {"pam", "check", "--directory", "/etc/passwd"},
        {"pam", "check", "--policy", "/nonexistent"},
        {"policy", "check"},
        {"policy", "check", "/nonexistent/policy.yaml"},
        {"policy", "check", "x", "--policy", "y"},
        {"policy", "explain", "device"},
        {"policy", "explain", "device", "/dev/null"},
        {"policy", "explain", "device", "/nonexistent"},
        {"policy", "explain", "device", "/tmp"},
        {"policy", "explain", "device", "/dev/null", "--serial", "X"},
        {"policy", "explain", "device", "--bus", "pigeon"},
        {"policy", "explain", "device", "--class", "100"},
        {"policy", "explain", "device", "--class", ""},
        {"policy", "explain", "device", "--bus", "mmc", "--class", "hid"},
        {"policy", "explain", "device", "--serial", "X", "--at", "someday"},
        {"policy", "explain", "device", "--serial", "X", "--policy", "/nonexistent"},
        {"policy", "explain", "open", "/tmp"},
        {"policy", "explain", "open", "--user", "root"},
        {"policy", "explain", "open", "--user", "no-such-user", "/tmp"},
        {"policy", "explain", "open", "--user", "root", "/nonexistent/directory/file"},
        {"policy", "explain", "open", "--user", "root", "--source", "x"},
        {"policy", "explain", "open", "--user", "root", "--fstype", "cifs", "/tmp"},
        {"policy", "explain", "open", "--user", "root", "--external", "/tmp"},
        {"events", "--destination", "10.9.0.0/33"},
        {"network"},
        {"network", "bogus"},
        {"network", "explain"},
        {"network", "explain", "10.0.0.0/8"},
        {"network", "explain", "10.0.0.1:0"},
        {"network", "explain", "10.0.0.1:https"},
        {"network", "explain", "10.0.0.1:443", "--port", "443"},
        {"network", "explain", "10.0.0.1:443", "--protocol", "icmp"},
        {"network", "explain", "10.0.0.1:443", "--protocol", "any"},
        {"network", "explain", "10.0.0.1:443", "--program", "curl"},
        {"network", "explain", "10.0.0.1:443", "--user", "no-such-user"},
        {"network", "explain", "10.0.0.1:443", "--serial", "X"},
        {"network", "explain", "10.0.0.1:443", "--policy", "/nonexistent"},
};

Test(usage, mistake_is_told_in_one_line_with_status_2) {
        for (size_t i = 0; i < ELEMENTS(mistakes); i++) {
                program_run(mistakes[i], &outcome);
                cr_expect_eq(outcome.status, 2, "case %zu (%s)", i, mistakes[i][0]);
                cr_expect_eq(count_of(outcome.err, '\n'), 1, "case %zu: %s", i, outcome.err);
                cr_expect_eq(strncmp(outcome.err, "sekishoctl: ", 12), 0, "%s", outcome.err);
                cr_expect_null(strchr(outcome.err, '\x1b'));
                cr_expect_str_empty(outcome.out);
        }
}

static const char *const helps[][5] = {
        {"--help"},
        {"-h"},
        {"policy", "--help"},
        {"status", "--help"},
        {"devices", "--help"},
        {"events", "--help"},
        {"policy", "check", "--help"},
        {"policy", "explain", "device", "--help"},
        {"policy", "explain", "open", "--help"},
        {"network", "explain", "--help"},
};

Test(usage, help_is_there_for_every_command) {
        for (size_t i = 0; i < ELEMENTS(helps); i++) {
                program_run(helps[i], &outcome);
                cr_expect_eq(outcome.status, 0);
                cr_expect_eq(strncmp(outcome.out, "Usage: sekishoctl ", 18), 0);
                cr_expect_str_empty(outcome.err);
        }
}

Test(usage, version_is_told) {
        RUN(&outcome, "--version");
        cr_expect_eq(outcome.status, 0);
        cr_expect_str_eq(outcome.out, "sekishoctl " SEKISHO_VERSION "\n");
}

Test(usage, what_may_not_be_read_is_a_failure_and_not_a_finding, .fini = directory_remove) {
        const char *const directory = directory_make();
        const char *const questions[][8] = {
                {"status", "--runtime-dir", directory},
                {"devices", "--runtime-dir", directory},
                {"events", "--directory", directory},
                {"policy", "check", directory},
                {"policy", "explain", "device", "--serial", "X", "--policy", directory},
        };

        if (geteuid() != 0)
                cr_assert_eq(chmod(directory, 0), 0);
        for (size_t i = 0; i < ELEMENTS(questions); i++) {
                if (!program_run_unprivileged(questions[i], &outcome))
                        cr_skip_test("an ordinary user cannot reach the program");
                cr_expect_eq(outcome.status, 2, "%s: %s", questions[i][0], outcome.out);
                cr_expect_eq(count_of(outcome.err, '\n'), 1);
                cr_expect_str_empty(outcome.out);
        }
}
