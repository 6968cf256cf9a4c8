/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a faulty file is told: where, what, and all of it in one run. */
#include <errno.h>

#include "tests/unit/policy/policy_text.h"

typedef struct FaultCase {
        const char *text;
        size_t line, column;
        const char *message; /* its beginning */
} FaultCase;

static PolicyFaults faults_of(const char *text, size_t length) {
        PolicyFaults faults = {0};
        Policy *policy = NULL;
        int r = policy_load_buffer("p.yaml", text, length, &policy, &faults);

        cr_assert_eq(r, -EBADMSG, "taken: %s", text);
        cr_assert_null(policy);
        return faults;
}

static void expect_cases(const FaultCase *cases, size_t n) {
        for (size_t i = 0; i < n; i++) {
                PolicyFaults faults = faults_of(cases[i].text, strlen(cases[i].text));
                const PolicyFault *fault = &faults.items[0];

                cr_expect(faults.n == 1 && fault->line == cases[i].line &&
                                  fault->column == cases[i].column &&
                                  strncmp(fault->message, cases[i].message, strlen(cases[i].message)) == 0,
                          "%s\ngives %zu faults, first %zu:%zu: %s\nexpected %zu:%zu: %s", cases[i].text,
                          faults.n, fault->line, fault->column, fault->message, cases[i].line,
                          cases[i].column, cases[i].message);
                policy_faults_clear(&faults);
        }
}

#define DEVICE(rest)  HEAD "removable: {devices: [{name: r, match: {bus: usb}, access: write, " rest "}]}\n"
#define MATCH(match)  HEAD "removable: {devices: [{name: r, match: " match ", access: write}]}\n"
#define NETWORK(rest) HEAD "network: {allow: [{name: r, " rest "}]}\n"
#define MFA(rest)     HEAD "mfa: {" rest "}\n"

Test(policy_fault, tells_the_place_of_what_is_missing_unknown_or_double) {
        static const FaultCase cases[] = {
                {"serial: 1\n", 1, 1, "key \"version\" is missing"},
                {"version: 1\n", 1, 1, "key \"serial\" is missing"},
                {HEAD "sereal: 1\n", 3, 1,
                 "unknown key \"sereal\"; expected one of: version, serial, zone, mode"},
                {HEAD "removable: {defaults: deny}\n", 3, 13,
                 "unknown key \"defaults\"; expected one of: default, monitor, monitor-until, "
                 "also-external, devices"},
                {HEAD "usb: {interfaces: {camera: deny}}\n", 3, 20,
                 "unknown key \"camera\"; expected one of: audio"},
                {HEAD "zone: lgwan\nmode: enforce\nzone: lgwan\n", 5, 1,
                 "key \"zone\" stands here twice, first in line 3"},
                {HEAD "removable: {default: deny, default: write}\n", 3, 28,
                 "key \"default\" stands here twice"},
                {HEAD "removable:\n  devices:\n    - match: {bus: usb}\n      access: write\n", 5, 7,
                 "key \"name\" is missing"},
                {HEAD "removable: {devices: [{name: r, access: write}]}\n", 3, 23,
                 "key \"match\" is missing"},
                {HEAD "removable: {devices: [{name: r, match: {bus: usb}}]}\n", 3, 23,
                 "key \"access\" is missing"},
                {HEAD "filesystems: {allow: [{name: r, access: write}]}\n", 3, 23,
                 "key \"type\" is missing"},
                {HEAD "network: {allow: [{name: r}]}\n", 3, 19, "key \"to\" is missing"},
                {MFA("services: {login: off, su: off, login: required}"), 3, 39,
                 "key \"login\" stands here twice, first in line 3"},
                {HEAD "? [a]\n: b\n", 3, 3, "a key that is no text"},
        };

        expect_cases(cases, ELEMENTS(cases));
}

Test(policy_fault, tells_which_type_was_expected) {
        static const FaultCase cases[] = {
                {"[]\n", 1, 1, "a list; expected a mapping"},
                {"text\n", 1, 1, "a single value; expected a mapping"},
                {HEAD "removable: []\n", 3, 12, "a list; expected a mapping"},
                {HEAD "removable:\n", 3, 11, "a single value; expected a mapping"},
                {HEAD "removable: {devices: {}}\n", 3, 22, "a mapping; expected a list"},
                {HEAD "removable: {devices: none}\n", 3, 22, "a single value; expected a list"},
                {HEAD "removable: {devices: [r]}\n", 3, 23, "a single value; expected a mapping"},
                {HEAD "contact: [a]\n", 3, 10, "a list; expected text"},
                {HEAD "contact: {a: b}\n", 3, 10, "a mapping; expected text"},
                {HEAD "zone: [lgwan]\n", 3, 7, "a list; expected one of: mynumber, lgwan, internet"},
                {DEVICE("users: yamada"), 3, 74, "a single value; expected a list"},
                {"version: one\nserial: 1\n", 1, 10, "\"one\"; expected a whole number"},
                {"version: \"1\"\nserial: 1\n", 1, 10, "\"1\"; expected a whole number"},
                {"version: 0x1\nserial: 1\n", 1, 10, "\"0x1\"; expected a whole number"},
                {"version: 01\nserial: 1\n", 1, 10, "\"01\"; expected a whole number"},
                {"version: [1]\nserial: 1\n", 1, 10, "a list; expected a whole number"},
                {"version: 1\nserial: -1\n", 2, 9, "\"-1\"; expected a whole number"},
                {"version: 1\nserial: 1.5\n", 2, 9, "\"1.5\"; expected a whole number"},
                {HEAD "self-protection: true\n", 3, 18, "a single value; expected a mapping"},
                {HEAD "self-protection: {state: yes}\n", 3, 26,
                 "\"yes\"; expected true or false, without quotes"},
                {HEAD "self-protection: {state: \"true\"}\n", 3, 26, "\"true\"; expected true or false"},
                {HEAD "self-protection: {state: True}\n", 3, 26, "\"True\"; expected true or false"},
                {HEAD "self-protection: {state: [true]}\n", 3, 26, "a list; expected true or false"},
                {HEAD "self-protection: {kernel: true}\n", 3, 19,
                 "unknown key \"kernel\"; expected one of: process, state, policy"},
                {MFA("services: [login]"), 3, 17, "a list; expected a mapping (service"},
                {MFA("services: {login: [required]}"), 3, 25, "a list; expected one of: off, required"},
        };

        expect_cases(cases, ELEMENTS(cases));
}

Test(policy_fault, lists_the_words_that_are_known) {
        static const FaultCase cases[] = {
                {HEAD "zone: juki\n", 3, 7,
                 "\"juki\" is not known here; expected one of: mynumber, lgwan, internet"},
                {HEAD "zone: LGWAN\n", 3, 7, "\"LGWAN\" is not known here"},
                {HEAD "mode: off\n", 3, 7, "\"off\" is not known here; expected one of: enforce, monitor"},
                {HEAD "removable: {default: wirte}\n", 3, 22,
                 "\"wirte\" is not known here; expected one of: deny, read-only, write"},
                {HEAD "removable: {default: 2}\n", 3, 22, "\"2\" is not known here"},
                {HEAD "removable: {also-external: [usb, floppy]}\n", 3, 34, "\"floppy\" is not known here"},
                {MATCH("{bus: firewyre}"), 3, 46, "\"firewyre\" is not known here"},
                {HEAD "usb: {default: read-only}\n", 3, 16,
                 "\"read-only\" is not known here; expected one of: deny, "
                 "allow"},
                {HEAD "usb: {interfaces: {hid: yes}}\n", 3, 25, "\"yes\" is not known here"},
                {NETWORK("to: a.b, protocol: sctp"), 3, 48,
                 "\"sctp\" is not known here; expected one of: any, tcp"},
                {MFA("factors: [password, pin]"), 3, 27,
                 "\"pin\" is not known here; expected one of: password, totp"},
                {MFA("services: {login: maybe}"), 3, 25,
                 "\"maybe\" is not known here; expected one of: off, "
                 "required"},
        };

        expect_cases(cases, ELEMENTS(cases));
}

Test(policy_fault, is_text_that_people_and_readers_take_differently) {
        static const FaultCase cases[] = {
                {HEAD "contact: \"\"\n", 3, 10, "empty; expected text"},
                {HEAD "contact:\n", 3, 9, "empty; expected text"},
                {HEAD "contact: \"  \xe3\x80\x80\"\n", 3, 10, "nothing but blanks"},
                {HEAD "contact: 2345\n", 3, 10, "\"2345\" is not text as it stands; expected it in quotes"},
                {HEAD "contact: null\n", 3, 10, "\"null\" is not text"},
                {HEAD "contact: ~\n", 3, 10, "\"~\" is not text"},
                {HEAD "contact: true\n", 3, 10, "\"true\" is not text"},
                {MATCH("{product: 1666}"), 3, 50, "\"1666\" is not text"},
                {MATCH("{vendor: 0951}"), 3, 49, "\"0951\" is not text"},
                {MATCH("{serial: 1e5}"), 3, 49, "\"1e5\" is not text"},
                {MATCH("{serial: 0x1f}"), 3, 49, "\"0x1f\" is not text"},
                {MATCH("{serial: -.5}"), 3, 49, "\"-.5\" is not text"},
                {MATCH("{serial: .inf}"), 3, 49, "\".inf\" is not text"},
                {HEAD "contact: \"a\\tb\"\n", 3, 10, "control character U+0009"},
                {HEAD "contact: \"a\\0b\"\n", 3, 10, "control character U+0000"},
                {HEAD "contact: \"a\\u202eb\"\n", 3, 10, "control character U+202E"},
                {HEAD "contact: \"a\\x9bb\"\n", 3, 10, "control character U+009B"},
                {HEAD "contact: |\n  a\n  b\n", 3, 10, "control character U+000A"},
        };

        expect_cases(cases, ELEMENTS(cases));
}

Test(policy_fault, is_a_value_that_cannot_be) {
        static const FaultCase cases[] = {
                {"version: 2\nserial: 1\n", 1, 10, "version 2 is not known; expected 1"},
                {"version: 1\nserial: 9007199254740992\n", 2, 9, "serial 9007199254740992 is too large"},
                {"version: 1\nserial: 99999999999999999999\n", 2, 9,
                 "\"99999999999999999999\"; expected a whole"},
                {DEVICE("hours: Mon-Fri 08:30"), 3, 74, "\"Mon-Fri 08:30\": expected [DAYS ]HH:MM-HH:MM"},
                {DEVICE("hours: 08:30-08:30"), 3, 74, "\"08:30-08:30\": expected an end"},
                {DEVICE("expires: 2027-02-30"), 3, 76, "\"2027-02-30\": there is no such date"},
                {DEVICE("expires: tomorrow"), 3, 76, "\"tomorrow\": expected YYYY-MM-DD"},
                {DEVICE("users: []"), 3, 74, "a list of 0; expected at least 1"},
                {DEVICE("groups: []"), 3, 75, "a list of 0; expected at least 1"},
                {MATCH("{}"), 3, 40, "matches every device; expected vendor, product, serial or bus"},
                {HEAD "removable: {devices: [{name: removable.default, match: {bus: usb}, access: deny}]}\n",
                 3, 30, "rule name \"removable.default\" is reserved"},
                {HEAD
                 "filesystems: {allow: [{name: r, type: cifs, access: read-only, hours: 08:00-09:00}]}\n",
                 3, 71, "hours limits writing"},
                {HEAD "removable: {devices: [{name: r, match: {bus: usb}, access: deny, groups: [a]}]}\n", 3,
                 74, "groups limits writing"},
                {NETWORK("to: 10.20.0.1/16"), 3, 33, "\"10.20.0.1/16\": expected no bits"},
                {NETWORK("to: 10.20.0.999"), 3, 33, "\"10.20.0.999\": expected an address"},
                {NETWORK("to: a.b, protocol: tcp, ports: [443, 0]"), 3, 66, "\"0\": expected a port"},
                {NETWORK("to: a.b, protocol: tcp, ports: [9-8]"), 3, 61, "\"9-8\": expected a range"},
                {NETWORK("to: a.b, protocol: tcp, ports: []"), 3, 60, "a list of 0; expected at least 1"},
                {NETWORK("to: a.b, protocol: icmp, ports: [1]"), 3, 61, "ports without a protocol"},
                {NETWORK("to: a.b, ports: [1]"), 3, 45, "ports without a protocol"},
                {MFA("factors: [password]"), 3, 16, "a list of 1; expected at least 2"},
                {MFA("factors: [card, totp]"), 3, 16, "factors of one kind only"},
                {MFA("factors: [card, password, card]"), 3, 33, "factor \"card\" stands here twice"},
                {MFA("services: {\"a b\": off}"), 3, 18, "not a PAM service"},
                {MFA("services: {login: required}"), 3, 17, "mfa.services requires factors of \"login\""},
        };

        expect_cases(cases, ELEMENTS(cases));
}

Test(policy_fault, is_yaml_that_a_policy_has_no_use_for) {
        static const FaultCase cases[] = {
                {"", 1, 1, "nothing in it"},
                {"# only a comment\n", 1, 1, "nothing in it"},
                {HEAD "removable: {default: deny\n", 4, 1, "not valid YAML: "},
                {HEAD "  zone: lgwan\n", 3, 7, "not valid YAML: "},
                {HEAD "contact: \"open\n", 4, 1, "not valid YAML: "},
                {HEAD "\tzone: lgwan\n", 3, 1, "not valid YAML: "},
                {HEAD "contact: &a x\n", 3, 10, "an anchor"},
                {HEAD "contact: *a\n", 3, 10, "an alias"},
                {HEAD "contact: !!str 5\n", 3, 10, "a tag"},
                {HEAD "removable: !x {}\n", 3, 12, "a tag"},
                {HEAD "---\n" HEAD, 3, 1, "a second document"},
                {HEAD "contact: \xff\n", 3, 10, "this is not UTF-8"},
                {HEAD "contact: 名\xe3\x80\n", 3, 11, "this is not UTF-8"},
                {HEAD "contact: a\x07\n", 3, 11, "not valid YAML: control characters"},
                {HEAD "removable: [[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]\n", 3, 27, "nested too deeply"},
        };

        expect_cases(cases, ELEMENTS(cases));
}

Test(policy_fault, is_a_nul_byte_or_utf_16) {
        static const char nul[] = HEAD "zone: \0lgwan\n", utf16[] = "\xff\xfev\0e\0r\0";
        PolicyFaults faults = faults_of(nul, sizeof(nul) - 1);

        cr_expect(faults.n == 1 && faults.items[0].line == 3 && faults.items[0].column == 7);
        policy_faults_clear(&faults);
        faults = faults_of(utf16, sizeof(utf16) - 1);
        cr_expect(faults.n == 1 && faults.items[0].line == 1 && faults.items[0].column == 1);
        policy_faults_clear(&faults);
}

Test(policy_fault, is_text_one_byte_longer_than_it_may_be) {
        static const struct {
                const char *before, *after;
                size_t max;
        } cases[] = {
                {HEAD "contact: ", "\n", 511},
                {HEAD "removable: {devices: [{name: ", ", match: {bus: usb}, access: deny}]}\n", 255},
                {HEAD "removable: {devices: [{name: r, match: {serial: ", "}, access: deny}]}\n", 255},
                {HEAD "filesystems: {allow: [{name: r, access: deny, type: ", "}]}\n", 63},
                {HEAD "filesystems: {allow: [{name: r, access: deny, type: x, source: ", "}]}\n", 4095},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char text[8192], filler[4200];

                for (size_t length = cases[i].max; length <= cases[i].max + 1; length++) {
                        PolicyFaults faults = {0};
                        Policy *policy = NULL;
                        int r;

                        memset(filler, 'x', length);
                        filler[length] = '\0';
                        (void)snprintf(text, sizeof(text), "%s%s%s", cases[i].before, filler,
                                       cases[i].after);
                        r = policy_load_buffer("p.yaml", text, strlen(text), &policy, &faults);
                        cr_expect_eq(r, length > cases[i].max ? -EBADMSG : 0, "%s…, %zu bytes",
                                     cases[i].before, length);
                        policy_faults_clear(&faults);
                        policy_unref(policy);
                }
        }
}

static const char ten[] = "version: 1\n"
                          "serial: x\n"
                          "zone: juki\n"
                          "contac: x\n"
                          "removable:\n"
                          "  default: wirte\n"
                          "  devices:\n"
                          "    - name: a\n"
                          "      match: {}\n"
                          "      access: write\n"
                          "      hours: Mon-Fri 25:00-26:00\n"
                          "    - name: a\n"
                          "      match: {vendor: 0951}\n"
                          "      access: deny\n"
                          "      expires: 2027-02-30\n"
                          "network:\n"
                          "  allow: {}\n";

Test(policy_faults, are_all_told_in_one_run_in_order) {
        static const size_t lines[] = {2, 3, 4, 6, 9, 11, 12, 13, 15, 17};
        PolicyFaults faults = faults_of(ten, strlen(ten));

        cr_expect_eq(faults.n, ELEMENTS(lines));
        for (size_t i = 0; i < faults.n && i < ELEMENTS(lines); i++)
                cr_expect_eq(faults.items[i].line, lines[i], "fault %zu: line %zu: %s", i,
                             faults.items[i].line, faults.items[i].message);
        policy_faults_clear(&faults);
        cr_expect_eq(faults.n, 0);
}

Test(policy_faults, of_a_rule_name_given_twice_name_the_first_place) {
        static const FaultCase cases[] = {
                {HEAD "removable: {devices: [{name: a, match: {bus: usb}, access: deny}]}\n"
                      "usb: {devices: [{name: a, match: {bus: usb}, access: deny}]}\n",
                 4, 24, "rule name \"a\" is taken by the rule at p.yaml:3; "},
        };

        expect_cases(cases, ELEMENTS(cases));
}

Test(policy_faults, are_printed_one_to_a_line) {
        static const char bad_name[] = "a\nb.yaml";
        PolicyFaults faults = {0};
        Policy *policy = NULL;
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        cr_assert_eq(policy_load_buffer(bad_name, "version: 2\nserial: 1\n", 21, &policy, &faults),
                     -EBADMSG);
        policy_faults_print(&faults, f);
        fclose(f);
        cr_expect_str_eq(text, "a?b.yaml:1:10: version 2 is not known; expected 1\n");
        free(text);
        policy_faults_clear(&faults);
}

Test(policy_faults, quote_a_file_without_letting_it_steer_the_terminal) {
        PolicyFaults faults = faults_of(HEAD "\"\\e[31m\\x9b\": 1\n", strlen(HEAD) + 15);

        cr_expect_eq(strncmp(faults.items[0].message, "unknown key \"?[31m?\"", 20), 0, "%s",
                     faults.items[0].message);
        policy_faults_clear(&faults);
}

Test(policy_faults, that_flood_are_cut_off_and_that_is_said) {
        enum {
                N = 3000
        };
        char *text = malloc(32 + (size_t)N * 16), *p = text;
        PolicyFaults faults;

        p = stpcpy(p, HEAD);
        for (int i = 0; i < N; i++)
                p += sprintf(p, "k%d: 1\n", i);
        faults = faults_of(text, (size_t)(p - text));
        cr_expect_eq(faults.n, 1001);
        cr_expect_eq(faults.items[999].line, 1002);
        cr_expect_eq(faults.items[1000].line, 0);
        cr_expect_str_eq(faults.items[1000].message, "has more faults; they are not listed");
        policy_faults_clear(&faults);
        free(text);
}

Test(policy_faults, leave_the_result_untouched) {
        PolicyFaults faults = {0};
        Policy *policy = (Policy *)&faults;

        cr_expect_eq(policy_load_buffer("p.yaml", "x", 1, &policy, &faults), -EBADMSG);
        cr_expect_eq((void *)policy, (void *)&faults);
        policy_faults_clear(&faults);
}
