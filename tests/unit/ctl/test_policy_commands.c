/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <string.h>

#include "agent/ctl/json.h"
#include "tests/unit/ctl/program.h"

static const char policy[] =
        "version: 1\n"
        "serial: 2026112101\n"
        "contact: 情報政策課 内線 2345\n"
        "removable:\n"
        "  default: read-only\n"
        "  devices:\n"
        "    - name: 課税課 暗号化USB 01\n"
        "      match: {vendor: \"0951\", product: \"1666\", serial: \"E0D55EA574\"}\n"
        "      access: write\n"
        "      users: [root]\n"
        "      groups: [no-such-group]\n"
        "      hours: Mon-Fri 08:30-17:15\n"
        "      expires: 2037-03-31\n"
        "    - name: old one\n"
        "      match: {serial: \"OLD\"}\n"
        "      access: write\n"
        "      expires: 2020-03-31\n"
        "    - name: anybody's\n"
        "      match: {serial: \"FREE\"}\n"
        "      access: write\n"
        "    - name: forbidden\n"
        "      match: {serial: \"BAD\"}\n"
        "      access: deny\n"
        "usb:\n"
        "  interfaces: {printer: deny, hid: allow}\n"
        "filesystems:\n"
        "  default: deny\n"
        "  allow:\n"
        "    - {name: file server, type: cifs, source: \"//fs01/kyoyu\", access: write}\n";

static const char *path;
static Outcome outcome;
static struct json_object *json;

static void setup(void) {
        directory_make();
        path = directory_write("policy.yaml", policy);
}

static void teardown(void) {
        json_object_put(json);
        directory_remove();
}

static void parse(void) {
        json_object_put(json);
        json = NULL;
        cr_assert_gt(strlen(outcome.out), 0, "%s", outcome.err);
        cr_assert_eq(json_parse(outcome.out, strlen(outcome.out) - 1, &json), 0, "%s", outcome.out);
}

TestSuite(policy_check, .init = setup, .fini = teardown);
TestSuite(explain, .init = setup, .fini = teardown);

Test(policy_check, good_policy_is_a_yes_with_warnings) {
        RUN(&outcome, "policy", "check", path);
        cr_expect_eq(outcome.status, 0);
        cr_expect_not_null(strstr(outcome.out, "ok: version 1, serial 2026112101, zone mynumber"));
        cr_expect_not_null(
                strstr(outcome.out, "policy.yaml:7: warning: 課税課 暗号化USB 01: there is no group"));
        cr_expect_not_null(strstr(outcome.out, "old one: the rule has expired"));
        cr_expect_not_null(strstr(outcome.out, "policy.yaml: warning: THE NETWORK IS NOT GUARDED"));
        cr_expect_str_empty(outcome.err);
}

Test(policy_check, as_json_has_policies_and_warnings) {
        RUN(&outcome, "policy", "check", "--json", path);
        parse();
        cr_expect(json_is_true(json, "ok"));
        cr_expect_eq(json_object_array_length(json_list(json, "faults")), 0);
        cr_expect_eq(json_object_array_length(json_list(json, "warnings")), 3);
        cr_expect_eq(json_object_array_length(json_list(json, "policies")), 1);
}

Test(policy_check, faults_are_told_with_their_places) {
        int64_t line = 0;

        path = directory_write("policy.yaml", "version: 1\nserial: x\nbogus: 1\n");
        RUN(&outcome, "policy", "check", path);
        cr_expect_eq(outcome.status, 1);
        cr_expect_not_null(strstr(outcome.out, "policy.yaml:2:9: "));
        cr_expect_not_null(strstr(outcome.out, "policy.yaml:3:1: "));
        RUN(&outcome, "policy", "check", "--json", path);
        cr_expect_eq(outcome.status, 1);
        parse();
        cr_expect_not(json_is_true(json, "ok"));
        cr_assert_eq(json_object_array_length(json_list(json, "faults")), 2);
        cr_expect(json_number(json_object_array_get_idx(json_list(json, "faults"), 0), "line", &line) &&
                  line == 2);
}

Test(policy_check, one_bad_policy_among_good_ones_is_a_no) {
        char good[4096];

        snprintf(good, sizeof(good), "%s", path);
        path = directory_write("other.yaml", "version: 2\n");
        RUN(&outcome, "policy", "check", good, path);
        cr_expect_eq(outcome.status, 1);
        cr_expect_not_null(strstr(outcome.out, "policy.yaml: ok:"));
        cr_expect_not_null(strstr(outcome.out, "other.yaml:1:"));
}

#define APPROVED "--vendor", "0951", "--product", "1666", "--serial", "E0D55EA574"

static const struct {
        const char *arguments[16];
        int status;
        const char *reason, *rule;
} questions[] = {
        {{"device", APPROVED}, 0, "rule", "課税課 暗号化USB 01"},
        {{"device", "--serial", "UNKNOWN"}, 1, "default", "removable.default"},
        {{"device", "--serial", "BAD"}, 1, "rule", "forbidden"},
        {{"device", "--serial", "OLD"}, 1, "rule-expired", "old one"},
        {{"device", "--serial", "FREE"}, 0, "rule", "anybody's"},
        {{"device", "--bus", "ata", "--serial", "DISK"}, 0, "internal", "internal"},
        {{"device", "--bus", "ata", "--serial", "DISK", "--external"}, 1, "default", "removable.default"},
        {{"device", "--class", "printer"}, 1, "interface-class", "usb.interfaces"},
        {{"device", "--class", "03"}, 0, "interface-class", "usb.interfaces"},
        {{"device", "--class", "hid", "--class", "07", "--class", "hid"},
         1,
         "interface-class",
         "usb.interfaces"},
        {{"device", "--class", "mass-storage", "--serial", "UNKNOWN"}, 1, "default", "removable.default"},
        {{"device", "--class", "mass-storage", "--serial", "FREE"}, 0, "rule", "anybody's"},
        {{"open", "--user", "root", APPROVED, "--at", "2026-11-20 09:00"}, 0, "rule", "課税課 暗号化USB 01"},
        {{"open", "--user", "0", APPROVED, "--at", "2026-11-20 08:30"}, 0, "rule", "課税課 暗号化USB 01"},
        {{"open", "--user", "root", APPROVED, "--at", "2026-11-20 17:15"},
         1,
         "outside-hours",
         "課税課 暗号化USB 01"},
        {{"open", "--user", "root", APPROVED, "--at", "2026-11-21 09:00"},
         1,
         "outside-hours",
         "課税課 暗号化USB 01"},
        {{"open", "--user", "nobody", APPROVED, "--at", "2026-11-20 09:00"},
         1,
         "not-this-person",
         "課税課 暗号化USB 01"},
        {{"open", "--user", "nobody", "--read", APPROVED}, 0, "rule", "課税課 暗号化USB 01"},
        {{"open", "--user", "root", "--write", "--serial", "UNKNOWN"}, 1, "default", "removable.default"},
        {{"open", "--user", "root", "--read", "--serial", "BAD"}, 1, "rule", "forbidden"},
        {{"open", "--user", "root", "--fstype", "cifs", "--source", "//fs01/kyoyu"},
         0,
         "rule",
         "file server"},
        {{"open", "--user", "root", "--fstype", "cifs", "--source", "//fs02/kyoyu"},
         1,
         "default",
         "filesystems.default"},
        {{"open", "--user", "root", "--fstype", "fuse.sshfs"}, 1, "default", "filesystems.default"},
        {{"open", "--user", "root", "--fstype", "vfat", "--serial", "FREE"}, 0, "rule", "anybody's"},
        {{"open", "--user", "root", "--fstype", "fuseblk", "--serial", "FREE"},
         1,
         "default",
         "filesystems.default"},
        {{"open", "--user", "root", "/proc/self/status"}, 0, "internal", "internal"},
        {{"open", "--user", "root", "/proc/no-such-file"}, 0, "internal", "internal"},
};

Test(explain, answers_as_the_guard_would) {
        for (size_t i = 0; i < ELEMENTS(questions); i++) {
                const char *arguments[24] = {"policy", "explain"};
                size_t n = 2;

                for (size_t k = 0; questions[i].arguments[k]; k++)
                        arguments[n++] = questions[i].arguments[k];
                arguments[n++] = "--policy";
                arguments[n++] = path;
                arguments[n] = "--json";
                program_run(arguments, &outcome);
                cr_expect_eq(outcome.status, questions[i].status, "case %zu: %s%s", i, outcome.out,
                             outcome.err);
                parse();
                cr_expect_eq(json_is_true(json, "allowed"), questions[i].status == 0, "case %zu", i);
                cr_expect_str_eq(json_text(json, "reason"), questions[i].reason, "case %zu", i);
                cr_expect_str_eq(json_text(json, "rule"), questions[i].rule, "case %zu", i);
                cr_expect_not_null(json_text(json, "sentence"));
                arguments[n] = NULL;
                program_run(arguments, &outcome);
                cr_expect_eq(outcome.status, questions[i].status, "case %zu for people", i);
                cr_expect_not_null(strstr(outcome.out, questions[i].rule), "%s", outcome.out);
        }
}

Test(explain, reads_out_who_what_why_and_whom_to_ask) {
        RUN(&outcome, "policy", "explain", "open", "--policy", path, "--user", "root", APPROVED, "--at",
            "2026-11-21 09:00");
        cr_expect_eq(strncmp(outcome.out,
                             "root may not write to device (usb 0951:1666, serial E0D55EA574). It has been "
                             "approved "
                             "for other hours.\n",
                             strlen("root may not write to device (usb")),
                     0);
        cr_expect_not_null(strstr(outcome.out, "It has been approved for other hours.\n"));
        cr_expect_not_null(
                strstr(outcome.out,
                       "user root, group no-such-group; Mon-Fri 08:30-17:15; up to the end of 2037-03-31"));
        cr_expect_not_null(strstr(outcome.out, "情報政策課 内線 2345"));
        cr_expect_not_null(strstr(outcome.out, "As of       2026-11-21 09:00:00"));
}

Test(explain, says_that_monitor_mode_refuses_nothing) {
        path = directory_write("policy.yaml", "version: 1\nserial: 1\nmode: monitor\n");
        RUN(&outcome, "policy", "explain", "device", "--serial", "X", "--policy", path);
        cr_expect_eq(outcome.status, 1);
        cr_expect_not_null(strstr(outcome.out, "only recorded"));
}

Test(explain, asks_no_policy_that_has_faults) {
        path = directory_write("policy.yaml", "version: 1\nserial: x\n");
        RUN(&outcome, "policy", "explain", "device", "--serial", "X", "--policy", path);
        cr_expect_eq(outcome.status, 2);
        cr_expect_eq(count_of(outcome.err, '\n'), 1);
}
