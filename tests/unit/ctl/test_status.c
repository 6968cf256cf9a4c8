/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/ctl/json.h"
#include "tests/unit/ctl/program.h"

static const char in_force[] =
        "{\"version\":\"0.1.0\",\"pid\":12,\"started\":1795217415,\"mode\":\"enforce\",\"zone\":"
        "\"mynumber\","
        "\"contact\":\"情報政策課 内線 "
        "2345\",\"policy\":{\"serial\":2026112101,\"path\":\"/etc/sekisho/policy.d\","
        "\"builtin\":false,\"loaded\":1795217415,\"refused\":null},\"mechanisms\":{\"fanotify\":\"ok: "
        "permission "
        "events\",\"audit\":\"off: no "
        "audit\",\"keeper\":\"ok\"},\"devices\":[{\"name\":\"sda\",\"bus\":\"ata\","
        "\"external\":false,\"access\":\"write\",\"rule\":\"internal\",\"enforced\":true},{\"name\":\"sdb\","
        "\"bus\":"
        "\"usb\",\"vendor\":\"0951\",\"product\":\"1666\",\"serial\":\"E0\\u001b[2J\",\"external\":true,"
        "\"access\":\"read-only\",\"conditional\":false,\"rule\":\"removable.default\",\"enforced\":true}],"
        "\"superblocks\":[{\"mount\":\"/media/課税課\",\"fstype\":\"vfat\",\"access\":\"read-only\","
        "\"rule\":\"removable.default\",\"guard\":\"gate+read-only\"}],"
        "\"interfaces\":[{\"name\":\"wlan7\",\"kind\":\"wifi\",\"driver\":\"iwlwifi\",\"verdict\":\"deny\","
        "\"rule\":\"interfaces.default\"},{\"name\":\"docker7\",\"kind\":\"virtual\",\"verdict\":\"allow\"}]"
        ","
        "\"counters\":{\"denied\":3,\"records\":4,\"folded\":0,\"lost\":0}}";

static const char *runtime;
static Outcome outcome;
static int lock = -1;

static void setup(void) {
        runtime = directory_make();
}

static void teardown(void) {
        if (lock >= 0)
                close(lock);
        directory_remove();
}

/* As an agent that lives does. */
static void live(void) {
        lock = open(directory_write("lock", ""), O_RDWR | O_CLOEXEC);
        cr_assert_eq(flock(lock, LOCK_EX | LOCK_NB), 0);
}

TestSuite(status, .init = setup, .fini = teardown);

Test(status, of_a_guard_in_force_is_a_yes) {
        directory_write("status.json", in_force);
        live();
        RUN(&outcome, "status", "--runtime-dir", runtime);
        cr_expect_eq(outcome.status, 0);
        cr_expect_not_null(strstr(outcome.out, "in force, since 2026-11-21 08:30:15, version 0.1.0"));
        cr_expect_not_null(strstr(outcome.out, "serial 2026112101, from /etc/sekisho/policy.d"));
        cr_expect_not_null(strstr(outcome.out, "情報政策課 内線 2345"));
        cr_expect_not_null(strstr(outcome.out, "wlan7"));
        cr_expect_null(strstr(outcome.out, "docker7"), "the terminal has it within itself");
        cr_expect_not_null(strstr(outcome.out, "E0\\x1b[2J"),
                           "what a device calls itself steers no terminal");
        cr_expect_null(strstr(outcome.out, "\x1b"));
        cr_expect_null(strstr(outcome.out, "sda"));
        cr_expect_str_empty(outcome.err);
}

Test(status, options_may_stand_before_the_command) {
        directory_write("status.json", in_force);
        live();
        RUN(&outcome, "--json", "--runtime-dir", runtime, "status");
        cr_expect_eq(outcome.status, 0);
}

Test(status, of_a_dead_guard_is_told_as_the_last_it_said) {
        directory_write("status.json", in_force);
        directory_write("lock", "");
        RUN(&outcome, "status", "--runtime-dir", runtime);
        cr_expect_eq(outcome.status, 1);
        cr_expect_not_null(strstr(outcome.out, "not running"));
        cr_expect_not_null(strstr(outcome.out, "what follows is the last it said"));
        cr_expect_null(strstr(outcome.out, "in force,"));
}

Test(status, without_a_runtime_directory_the_guard_is_not_running) {
        RUN(&outcome, "status", "--runtime-dir", "/nonexistent/sekisho");
        cr_expect_eq(outcome.status, 1);
        cr_expect_not_null(strstr(outcome.out, "not running"));
}

Test(status, of_a_guard_that_has_said_nothing_is_a_no) {
        live();
        RUN(&outcome, "status", "--runtime-dir", runtime);
        cr_expect_eq(outcome.status, 1);
        cr_expect_not_null(strstr(outcome.out, "has not yet said"));
}

/* What of the good status is replaced, by what, and a word of the finding. */
static const struct {
        const char *from, *to, *finding;
} failures[] = {
        {"\"mode\":\"enforce\"", "\"mode\":\"monitor\"", "only watches (mode monitor)"},
        {"\"mode\":\"enforce\"", "\"mode\":7", "only watches (mode ?)"},
        {"\"mode\":\"enforce\",", "", "only watches (mode ?)"},
        {"\"refused\":null", "\"refused\":{\"time\":1795217415,\"faults\":[\"a.yaml:1:2: x\"]}",
         "was refused"},
        {"\"keeper\":\"ok\"", "\"keeper\":\"off\"", "keeper: off"},
        {"\"keeper\":\"ok\"", "\"keeper\":\"failed: no memory\"", "keeper: failed: no memory"},
        {"\"keeper\":\"ok\"", "\"keeper\":null", "keeper: failed"},
        {"\"enforced\":true}]", "\"enforced\":false,\"error\":\"I/O error\"}]",
         "sdb could not be enforced: I/O"},
        {"\"enforced\":true}]", "\"enforced\":\"yes\"}]", "sdb could not be enforced"},
        {"\"guard\":\"gate+read-only\"", "\"guard\":\"failed\"", "/media/課税課 could not be guarded"},
        {"\"guard\":\"gate+read-only\"", "\"guard\":[]", "/media/課税課 could not be guarded"},
        {"\"mechanisms\"", "\"mechanismen\"", "does not say by what means"},
        {"\"policy\":{", "\"politik\":{", "does not say which policy"},
};

Test(status, with_a_failure_is_a_no_that_names_it) {
        live();
        for (size_t i = 0; i < ELEMENTS(failures); i++) {
                const char *at = strstr(in_force, failures[i].from);
                CLEANUP_JSON struct json_object *json = NULL;
                CLEANUP_FREE char *text = NULL;

                cr_assert_not_null(at, "%s", failures[i].from);
                cr_assert_geq(asprintf(&text, "%.*s%s%s", (int)(at - in_force), in_force, failures[i].to,
                                       at + strlen(failures[i].from)),
                              0);
                directory_write("status.json", text);
                RUN(&outcome, "status", "--runtime-dir", runtime);
                cr_expect_eq(outcome.status, 1, "%s", failures[i].to);
                cr_expect_not_null(strstr(outcome.out, failures[i].finding), "%s: %s", failures[i].to,
                                   outcome.out);
                RUN(&outcome, "status", "--json", "--runtime-dir", runtime);
                cr_assert_eq(json_parse(outcome.out, strlen(outcome.out) - 1, &json), 0, "%s", outcome.out);
                cr_expect_not(json_is_true(json, "ok"));
                cr_expect_eq(json_object_array_length(json_list(json, "findings")), 1);
        }
}

/* Types that are not what they should be: nothing to fall over. */
static const char *const strange[] = {
        "{}",
        "{\"mode\":\"enforce\",\"devices\":{},\"superblocks\":7,\"mechanisms\":[],\"policy\":\"x\","
        "\"counters\":[]}",
        "{\"devices\":[null,7,\"x\",[],{}],\"superblocks\":[null,7,\"x\",[],{}],\"mechanisms\":{\"a\":{}}}",
        "{\"started\":-1,\"pid\":\"x\",\"policy\":{\"serial\":\"x\",\"loaded\":99999999999999999999,"
        "\"refused\":{\"faults\":[null,{},\"\\u0000x\"]}}}",
        "{\"devices\":[{\"vendor\":{},\"product\":7,\"name\":\"\\u202e\",\"external\":\"no\"}]}",
};

Test(status, that_is_strange_is_a_no_and_no_crash) {
        live();
        for (size_t i = 0; i < ELEMENTS(strange); i++) {
                directory_write("status.json", strange[i]);
                RUN(&outcome, "status", "--runtime-dir", runtime);
                cr_expect_eq(outcome.status, 1, "%s", strange[i]);
                RUN(&outcome, "status", "--json", "--runtime-dir", runtime);
                cr_expect_eq(outcome.status, 1, "%s", strange[i]);
                RUN(&outcome, "devices", "--all", "--runtime-dir", runtime);
                cr_expect_eq(outcome.status, 0, "%s", strange[i]);
                RUN(&outcome, "devices", "--all", "--json", "--runtime-dir", runtime);
                cr_expect_eq(outcome.status, 0, "%s", strange[i]);
        }
}

static const char *const broken[] = {
        "", "{", "[]", "7", "null", "{\"a\":1} x", "{\"a\":\"\xff\"}", "{\"a\":1,}", "\x1b[2J",
};

Test(status, that_is_no_status_is_a_failure_in_one_line) {
        char deep[256];

        live();
        for (size_t i = 0; i < ELEMENTS(broken); i++) {
                directory_write("status.json", broken[i]);
                RUN(&outcome, "status", "--runtime-dir", runtime);
                cr_expect_eq(outcome.status, 2, "%s", broken[i]);
                cr_expect_eq(count_of(outcome.err, '\n'), 1);
                cr_expect_str_empty(outcome.out);
        }
        memset(deep, '[', sizeof(deep) - 1);
        deep[sizeof(deep) - 1] = '\0';
        directory_write("status.json", deep);
        RUN(&outcome, "devices", "--runtime-dir", runtime);
        cr_expect_eq(outcome.status, 2);
}

Test(status, is_read_from_a_regular_file_only) {
        char path[4096];

        snprintf(path, sizeof(path), "%s/status.json", runtime);
        cr_assert_eq(mkfifo(path, 0600), 0);
        RUN(&outcome, "status", "--runtime-dir", runtime);
        cr_expect_eq(outcome.status, 2);
        cr_assert_eq(unlink(path), 0);
        cr_assert_eq(symlink("/dev/zero", path), 0);
        RUN(&outcome, "status", "--runtime-dir", runtime);
        cr_expect_eq(outcome.status, 2);
        cr_expect_eq(count_of(outcome.err, '\n'), 1);
}

Test(devices, are_listed_external_ones_first, .init = setup, .fini = teardown) {
        directory_write("status.json", in_force);
        live();
        RUN(&outcome, "devices", "--runtime-dir", runtime);
        cr_expect_eq(outcome.status, 0);
        cr_expect_not_null(strstr(outcome.out, "sdb   usb  0951:1666"));
        cr_expect_null(strstr(outcome.out, "sda"));
        RUN(&outcome, "devices", "--all", "--runtime-dir", runtime);
        cr_expect_not_null(strstr(strstr(outcome.out, "sdb"), "sda"));
}

Test(devices, as_json_are_an_array, .init = setup, .fini = teardown) {
        CLEANUP_JSON struct json_object *json = NULL;

        directory_write("status.json", in_force);
        live();
        RUN(&outcome, "devices", "--json", "--runtime-dir", runtime);
        cr_assert_eq(json_parse(outcome.out, strlen(outcome.out) - 1, &json), 0);
        cr_expect_eq(json_object_array_length(json), 1);
        cr_expect_str_eq(json_text(json_object_array_get_idx(json, 0), "name"), "sdb");
}

Test(devices, of_a_dead_guard_are_a_no, .init = setup, .fini = teardown) {
        directory_write("status.json", in_force);
        RUN(&outcome, "devices", "--runtime-dir", runtime);
        cr_expect_eq(outcome.status, 1);
        cr_expect_eq(count_of(outcome.err, '\n'), 1);
}
