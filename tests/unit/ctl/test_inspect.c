/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each check of an inspection, from facts that are given. */
#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/inspect.h"
#include "agent/ctl/json.h"
#include "policy/scope.h"
#include "tests/unit/policy/policy_text.h"

#define NOW (UINT64_C(1800000000) * 1000000)
#define DAY (UINT64_C(86400) * 1000000)

#define STATUS                                                                                              \
        "\"mode\":\"enforce\",\"version\":\"1\",\"started\":1799999999,\"policy\":{\"serial\":7,\"path\":"  \
        "\"/p\",\"builtin\":false,\"loaded\":1799999999,\"refused\":null},\"mechanisms\":{\"keeper\":"      \
        "\"ok\",\"self-protection\":\"ok: state\"},\"self_protection\":{\"process\":true,\"state\":true,"   \
        "\"holds\":true},\"devices\":[],\"superblocks\":[],\"counters\":{\"denied\":1,\"records\":1}"

/* The worst result of the lines of that check, and how many there are. */
static InspectResult result_of(const Inspection *inspection, const char *id, size_t *ret_n) {
        InspectResult worst = INSPECT_OK;
        size_t n = 0;

        for (size_t i = 0; i < inspection->n; i++) {
                const InspectLine *line = &inspection->lines[i];

                if (strcmp(line->id, id) != 0)
                        continue;
                n++;
                cr_expect(line->clause[0] && line->what[0] && line->evidence && line->evidence[0], "%s", id);
                if (line->result == INSPECT_FINDING ||
                    (line->result == INSPECT_UNKNOWN && worst == INSPECT_OK))
                        worst = line->result;
        }
        cr_expect_gt(n, 0, "no line '%s'", id);
        if (ret_n)
                *ret_n = n;
        return worst;
}

static void expect(const Inspection *inspection, const char *id, InspectResult result, const char *label) {
        InspectResult found = result_of(inspection, id, NULL);

        cr_expect_eq(found, result, "%s: %s is %s", label, id, inspect_result_to_string(found));
}

/* the guard */

Test(inspect_guard, judges_what_the_guard_says) {
        static const struct {
                const char *status, *id;
                InspectResult result;
        } cases[] = {
                {STATUS, "guard", INSPECT_OK},
                {STATUS, "policy", INSPECT_OK},
                {STATUS, "mechanism", INSPECT_OK},
                {STATUS, "devices", INSPECT_OK},
                {STATUS, "filesystems", INSPECT_OK},
                {STATUS, "self-protection", INSPECT_OK},
                {STATUS, "lockdown", INSPECT_OK},
                {STATUS, "records", INSPECT_OK},
                {STATUS, "signature", INSPECT_UNKNOWN},
                {STATUS, "network", INSPECT_UNKNOWN},
                {STATUS, "policy-expiry", INSPECT_OK},
                {"\"mode\":\"monitor\"", "guard", INSPECT_FINDING},
                {"\"mode\":\"x\"", "guard", INSPECT_FINDING},
                {"\"x\":1", "guard", INSPECT_FINDING},
                {"\"x\":1", "policy", INSPECT_FINDING},
                {"\"x\":1", "mechanism", INSPECT_FINDING},
                {"\"x\":1", "devices", INSPECT_UNKNOWN},
                {"\"x\":1", "filesystems", INSPECT_UNKNOWN},
                {"\"x\":1", "self-protection", INSPECT_UNKNOWN},
                {"\"x\":1", "records", INSPECT_UNKNOWN},
                {"\"policy\":{\"serial\":6,\"builtin\":false}", "policy", INSPECT_FINDING},
                {"\"policy\":{\"serial\":7,\"builtin\":true}", "policy", INSPECT_FINDING},
                {"\"policy\":{\"serial\":7,\"refused\":{\"time\":1}}", "policy", INSPECT_FINDING},
                {"\"policy\":{\"signing_required\":true,\"key\":\"AB\"}", "signature", INSPECT_OK},
                {"\"policy\":{\"signing_required\":false,\"key\":\"AB\"}", "signature", INSPECT_FINDING},
                {"\"policy\":{\"signing_required\":true}", "signature", INSPECT_FINDING},
                {"\"policy\":{\"signing_required\":false}", "signature", INSPECT_FINDING},
                {"\"policy\":{\"expires\":1800000001}", "policy-expiry", INSPECT_OK},
                {"\"policy\":{\"expires\":1800000000}", "policy-expiry", INSPECT_FINDING},
                {"\"mechanisms\":{\"keeper\":\"off\"}", "mechanism", INSPECT_FINDING},
                {"\"mechanisms\":{\"audit\":\"off: x\"}", "mechanism", INSPECT_FINDING},
                {"\"mechanisms\":{\"keeper\":\"failed: x\"}", "mechanism", INSPECT_FINDING},
                {"\"mechanisms\":{\"keeper\":7}", "mechanism", INSPECT_FINDING},
                {"\"mechanisms\":{\"lsm\":\"this kernel cannot: x\"}", "mechanism", INSPECT_UNKNOWN},
                {"\"devices\":[{\"name\":\"sdb\",\"enforced\":false,\"error\":\"x\"}]", "devices",
                 INSPECT_FINDING},
                {"\"devices\":[{\"name\":\"sdb\"}]", "devices", INSPECT_FINDING},
                {"\"devices\":[{\"name\":\"sdb\",\"enforced\":true,\"external\":true}]", "devices",
                 INSPECT_OK},
                {"\"superblocks\":[{\"mount\":\"/m\",\"guard\":\"failed\"}]", "filesystems",
                 INSPECT_FINDING},
                {"\"superblocks\":[{\"mount\":\"/m\"}]", "filesystems", INSPECT_FINDING},
                {"\"self_protection\":{\"process\":true,\"state\":true,\"holds\":false}", "self-protection",
                 INSPECT_FINDING},
                {"\"self_protection\":{\"process\":false,\"state\":true,\"holds\":true}", "self-protection",
                 INSPECT_FINDING},
                {"\"self_protection\":{\"process\":true,\"state\":true,\"holds\":true,\"maintenance\":{}}",
                 "self-protection", INSPECT_FINDING},
                {"\"lockdown\":{\"reason\":\"x\"}", "lockdown", INSPECT_FINDING},
                {"\"counters\":{\"denied\":1,\"records\":1,\"lost\":1}", "records", INSPECT_FINDING},
                {"\"counters\":{\"denied\":1,\"records\":1,\"audit_lost\":1}", "records", INSPECT_FINDING},
        };
        CLEANUP_POLICY Policy *policy = policy_of(HEAD);

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_FREE char *text = NULL;
                CLEANUP_STATUS_FILE StatusFile status = {.alive = true};
                CLEANUP(inspect_clear) Inspection inspection = {0};
                InspectFacts facts = {.now = NOW, .status = &status, .policy = policy};

                cr_assert_gt(asprintf(&text, "{%s}", cases[i].status), 0);
                cr_assert_eq(json_parse(text, strlen(text), &status.root), 0, "%s", text);
                inspect_guard(&facts, &inspection);
                expect(&inspection, cases[i].id, cases[i].result, cases[i].status);
        }
}

Test(inspect_guard, that_does_not_run_is_a_finding_and_what_it_said_proves_nothing) {
        CLEANUP_STATUS_FILE StatusFile status = {0};
        CLEANUP(inspect_clear) Inspection inspection = {0};
        InspectFacts facts = {.now = NOW, .status = &status};

        cr_assert_eq(json_parse("{" STATUS "}", strlen("{" STATUS "}"), &status.root), 0);
        inspect_guard(&facts, &inspection);
        expect(&inspection, "guard", INSPECT_FINDING, "dead");
        cr_expect_eq(inspection.n, 1);
}

/* the policy */

#define RULE(rest)                                                                                          \
        "removable: {devices: [{name: r, match: {serial: S1}, access: write, holder: h, users: [a], "       \
        "expires: "                                                                                         \
        "2099-01-01" rest "}]}\n"

Test(inspect_policy, judges_what_is_open_and_what_lacks) {
        static const struct {
                const char *text, *id;
                InspectResult result;
        } cases[] = {
                {"", "removable", INSPECT_OK},
                {"removable: {default: write}\n", "removable", INSPECT_FINDING},
                {"zone: internet\nremovable: {default: write}\n", "removable", INSPECT_OK},
                {"filesystems: {default: write}\n", "shares", INSPECT_FINDING},
                {"", "usb", INSPECT_OK},
                {"usb: {interfaces: {still-image: allow}}\n", "usb", INSPECT_FINDING},
                {"usb: {interfaces: {communications: allow}}\n", "usb", INSPECT_FINDING},
                {"usb: {interfaces: {wireless: allow}}\n", "usb", INSPECT_FINDING},
                {RULE(""), "holder", INSPECT_OK},
                {RULE(""), "serial", INSPECT_OK},
                {RULE(""), "persons", INSPECT_OK},
                {RULE(""), "end", INSPECT_OK},
                {RULE(""), "expired", INSPECT_OK},
                {"removable: {devices: [{name: r, match: {bus: usb}, access: write}]}\n", "holder",
                 INSPECT_FINDING},
                {"removable: {devices: [{name: r, match: {bus: usb}, access: write}]}\n", "serial",
                 INSPECT_FINDING},
                {"removable: {devices: [{name: r, match: {bus: usb}, access: write}]}\n", "persons",
                 INSPECT_FINDING},
                {"removable: {devices: [{name: r, match: {bus: usb}, access: write}]}\n", "end",
                 INSPECT_FINDING},
                {"removable: {devices: [{name: r, match: {bus: usb}, access: read-only}]}\n", "holder",
                 INSPECT_OK},
                {"removable: {devices: [{name: r, match: {bus: usb}, access: write, expires: "
                 "2020-01-01}]}\n",
                 "holder", INSPECT_OK},
                {"removable: {devices: [{name: r, match: {bus: usb}, access: write, expires: "
                 "2020-01-01}]}\n",
                 "expired", INSPECT_FINDING},
                {"filesystems: {allow: [{name: r, type: cifs, access: write, expires: 2020-01-01}]}\n",
                 "expired", INSPECT_FINDING},
                {"usb: {devices: [{name: r, match: {serial: S}, access: allow, expires: 2020-01-01}]}\n",
                 "expired", INSPECT_FINDING},
                {"mfa: {default: required, factors: [password, totp]}\n", "mfa", INSPECT_OK},
                {"", "mfa", INSPECT_FINDING},
                {"mfa: {default: required, factors: [password, totp]}\n", "mfa-off", INSPECT_OK},
                {"mfa: {default: required, factors: [password, totp], services: {sudo: \"off\"}}\n",
                 "mfa-off", INSPECT_FINDING},
                {"mfa: {factors: [password, totp], exempt: [a]}\n", "mfa-exempt", INSPECT_FINDING},
                {"mfa: {factors: [password, totp]}\n", "mfa-exempt", INSPECT_OK},
                {"mfa: {factors: [password, totp], grace: {until: 2099-01-01}}\n", "mfa-grace",
                 INSPECT_FINDING},
                {"mfa: {factors: [password, totp], grace: {until: 2020-01-01}}\n", "mfa-grace", INSPECT_OK},
                {"mfa: {factors: [password, totp], grace: {days: 3}}\n", "mfa-grace", INSPECT_FINDING},
                {"mfa: {factors: [password, totp], require-guard: false}\n", "require-guard",
                 INSPECT_FINDING},
                {"mfa: {factors: [password, totp], require-guard: true}\n", "require-guard", INSPECT_OK},
                {"", "break-glass", INSPECT_FINDING},
                {"mfa: {factors: [password, totp], break-glass: [{user: a, factors: [password, "
                 "recovery]}]}\n",
                 "break-glass", INSPECT_OK},
                {"contact: x\n", "contact", INSPECT_OK},
                {"", "contact", INSPECT_FINDING},
                {"", "policy-files", INSPECT_OK},
        };
        StatusFile status = {0};

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_FREE char *text = NULL;
                CLEANUP(inspect_clear) Inspection inspection = {0};

                cr_assert_gt(asprintf(&text, HEAD "%s", cases[i].text), 0);
                CLEANUP_POLICY Policy *policy = policy_of(text);
                InspectFacts facts = {.now = NOW, .status = &status, .policy = policy, .pam = -1};

                inspect_policy(&facts, &inspection);
                expect(&inspection, cases[i].id, cases[i].result, cases[i].text);
        }
}

Test(inspect_policy, judges_its_files_and_the_proof_of_logins) {
        CLEANUP_POLICY Policy *policy = policy_of(HEAD);
        CLEANUP_JSON struct json_object *none = json_object_new_array(), *some = json_object_new_array();
        StatusFile status = {0};
        const struct {
                InspectFacts facts;
                const char *id;
                InspectResult result;
        } cases[] = {
                {{.policy = NULL, .policy_error = "x"}, "policy-files", INSPECT_FINDING},
                {{.policy = policy, .builtin = true}, "policy-files", INSPECT_FINDING},
                {{.policy = policy, .policy_changed = NOW - 364 * DAY}, "age", INSPECT_OK},
                {{.policy = policy, .policy_changed = NOW - 366 * DAY}, "age", INSPECT_FINDING},
                {{.policy = policy, .builtin = true, .policy_changed = NOW}, "age", INSPECT_UNKNOWN},
                {{.policy = policy}, "files", INSPECT_UNKNOWN},
                {{.policy = policy, .exposed = none}, "files", INSPECT_OK},
                {{.policy = policy, .exposed = some}, "files", INSPECT_FINDING},
                {{.policy = policy, .pam = 1}, "pam", INSPECT_OK},
                {{.policy = policy, .pam = 0}, "pam", INSPECT_FINDING},
                {{.policy = policy, .pam = -1}, "pam", INSPECT_UNKNOWN},
        };

        json_append_text(some, "/etc/sekisho/policy.d/10-base.yaml");
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP(inspect_clear) Inspection inspection = {0};
                InspectFacts facts = cases[i].facts;

                facts.now = NOW;
                facts.status = &status;
                inspect_policy(&facts, &inspection);
                expect(&inspection, cases[i].id, cases[i].result, "files");
        }
}

/* the machine */

static const char unit[] =
        "LoadState=loaded\nUnitFileState=enabled\nRestart=always\nNoNewPrivileges=yes\n"
        "ProtectSystem=strict\nProtectHome=yes\nProtectKernelModules=yes\nProtectClock=yes\n"
        "MemoryDenyWriteExecute=yes\nRestrictSUIDSGID=yes\nLockPersonality=yes\n"
        "DevicePolicy=closed\nKeyringMode=private\nUMask=0077\n";

Test(inspect_machine, judges_the_settings_of_the_service) {
        static const struct {
                const char *from, *to;
                InspectResult result;
        } cases[] = {
                {"", "", INSPECT_OK},
                {"Restart=always", "Restart=no", INSPECT_FINDING},
                {"ProtectSystem=strict\n", "", INSPECT_FINDING},
                {"UnitFileState=enabled", "UnitFileState=masked", INSPECT_FINDING},
                {"LoadState=loaded", "LoadState=not-found", INSPECT_UNKNOWN},
                {"LoadState=loaded\n", "", INSPECT_UNKNOWN},
        };
        StatusFile status = {0};

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP(inspect_clear) Inspection inspection = {0};
                CLEANUP_FREE char *text = NULL;
                const char *at = strstr(unit, cases[i].from);

                cr_assert_not_null(at);
                cr_assert_gt(asprintf(&text, "%.*s%s%s", (int)(at - unit), unit, cases[i].to,
                                      at + strlen(cases[i].from)),
                             0);
                CLEANUP_JSON struct json_object *settings = inspect_unit_settings(text);
                InspectFacts facts = {.now = NOW, .status = &status, .unit = settings};

                inspect_machine(&facts, &inspection);
                expect(&inspection, "unit", cases[i].result, cases[i].to);
        }
}

Test(inspect_machine, judges_the_clock) {
        StatusFile status = {0};
        const struct {
                InspectFacts facts;
                InspectResult result;
        } cases[] = {
                {{.clock_synchronised = true}, INSPECT_OK},
                {{.clock_synchronised = false}, INSPECT_FINDING},
                {{.clock_error = -1, .clock_synchronised = true}, INSPECT_UNKNOWN},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP(inspect_clear) Inspection inspection = {0};
                InspectFacts facts = cases[i].facts;

                facts.status = &status;
                inspect_machine(&facts, &inspection);
                expect(&inspection, "clock", cases[i].result, "clock");
        }
}

Test(inspect_machine, judges_what_the_journal_keeps) {
        static const struct {
                const char *settings; /* NULL: they cannot be read */
                bool directory, keys;
                uint64_t oldest;
                InspectResult journal, sealed, retention;
        } cases[] = {
                {"", true, true, NOW - 400 * DAY, INSPECT_OK, INSPECT_OK, INSPECT_OK},
                {"", true, true, NOW - 30 * DAY, INSPECT_OK, INSPECT_OK, INSPECT_UNKNOWN},
                {"", true, false, 0, INSPECT_OK, INSPECT_FINDING, INSPECT_UNKNOWN},
                {"", false, false, 0, INSPECT_FINDING, INSPECT_FINDING, INSPECT_UNKNOWN},
                {NULL, true, true, 0, INSPECT_UNKNOWN, INSPECT_UNKNOWN, INSPECT_UNKNOWN},
                {"[Journal]\nStorage=volatile\n", true, true, 0, INSPECT_FINDING, INSPECT_OK,
                 INSPECT_UNKNOWN},
                {"Storage=volatile\nStorage=persistent\n", true, true, 0, INSPECT_OK, INSPECT_OK,
                 INSPECT_UNKNOWN},
                {"#Storage=volatile\n;Seal=no\n", true, true, 0, INSPECT_OK, INSPECT_OK, INSPECT_UNKNOWN},
                {"Seal=no\n", true, true, 0, INSPECT_OK, INSPECT_FINDING, INSPECT_UNKNOWN},
                {"Seal= off \r\n", true, true, 0, INSPECT_OK, INSPECT_FINDING, INSPECT_UNKNOWN},
                {"MaxRetentionSec=30day\n", true, true, NOW - 400 * DAY, INSPECT_OK, INSPECT_OK,
                 INSPECT_FINDING},
                {"MaxRetentionSec=11month\n", true, true, 0, INSPECT_OK, INSPECT_OK, INSPECT_FINDING},
                {"MaxRetentionSec=1year\n", true, true, NOW - 400 * DAY, INSPECT_OK, INSPECT_OK, INSPECT_OK},
                {"MaxRetentionSec=12month\n", true, true, NOW - 400 * DAY, INSPECT_OK, INSPECT_OK,
                 INSPECT_OK},
                {"MaxRetentionSec=31536000\n", true, true, NOW - 400 * DAY, INSPECT_OK, INSPECT_OK,
                 INSPECT_OK},
                {"MaxRetentionSec=1year\n", true, true, NOW - 3 * DAY, INSPECT_OK, INSPECT_OK,
                 INSPECT_UNKNOWN},
                {"MaxRetentionSec=0\n", true, true, NOW - 400 * DAY, INSPECT_OK, INSPECT_OK, INSPECT_OK},
        };
        StatusFile status = {0};

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP(inspect_clear) Inspection inspection = {0};
                InspectFacts facts = {.now = NOW, .status = &status};

                facts.journal.directory = cases[i].directory;
                facts.journal.keys = cases[i].keys;
                facts.journal.files = 2;
                facts.journal.sealed = 1;
                facts.journal.oldest = cases[i].oldest;
                if (cases[i].settings)
                        inspect_journal_settings(cases[i].settings, &facts.journal);
                inspect_machine(&facts, &inspection);
                expect(&inspection, "journal", cases[i].journal, cases[i].settings);
                expect(&inspection, "sealed", cases[i].sealed, cases[i].settings);
                expect(&inspection, "retention", cases[i].retention, cases[i].settings);
        }
}

Test(inspect_machine, a_key_that_sealed_nothing_yet_is_no_seal) {
        StatusFile status = {0};
        CLEANUP(inspect_clear) Inspection inspection = {0};
        InspectFacts facts = {.now = NOW, .status = &status};

        facts.journal.directory = facts.journal.keys = true;
        facts.journal.files = 3;
        inspect_journal_settings("", &facts.journal);
        inspect_machine(&facts, &inspection);
        expect(&inspection, "sealed", INSPECT_FINDING, "0 of 3");
}

/* telling */

Test(inspect_html, takes_whatever_a_device_calls_itself_for_text) {
        CLEANUP_FREE char *text = NULL;
        size_t size = 0;
        FILE *to = open_memstream(&text, &size);

        cr_assert_not_null(setlocale(LC_CTYPE, "C.UTF-8")); /* text_width() and its like need it */
        cr_assert_not_null(to);
        inspect_html_text("<script>alert(1)</script>&amp;\"'\033[2J\n\xff 課税課", to);
        cr_assert_eq(fclose(to), 0);
        cr_expect_str_eq(text, "&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;&quot;&#39;\\x1b[2J\\x0a\\xff "
                               "課税課");
}

Test(inspect_lines, that_do_not_fit_are_not_lost_silently) {
        CLEANUP(inspect_clear) Inspection inspection = {0};

        for (size_t i = 0; i < INSPECT_LINES_MAX; i++)
                inspect_add(&inspection, "x", "7", "what", INSPECT_OK, "%zu", i);
        cr_expect_not(inspection.incomplete);
        inspect_add(&inspection, "x", "7", "what", INSPECT_FINDING, "one more");
        cr_expect(inspection.incomplete);
}
