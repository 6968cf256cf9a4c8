/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <string.h>

#include "agent/ctl/policy_diff.h"
#include "policy/build.h"
#include "policy/load.h"
#include "tests/unit/ctl/random_policy.h"

enum {
        NOW = 1893456000, /* 2030-01-01 */
        PAIRS = 1500,
        QUESTIONS = 200
};

static Policy *load(const char *text) {
        CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
        Policy *policy = NULL;

        cr_assert_eq(policy_load_buffer("policy.yaml", text, strlen(text), &policy, &faults), 0, "%s",
                     faults.n ? faults.items[0].message : "?");
        return policy;
}

static struct json_object *compare(const char *before, const char *after, size_t limit) {
        CLEANUP_POLICY Policy *a = load(before), *b = load(after);
        struct json_object *diff = NULL;

        cr_assert_eq(policy_diff(a, b, NOW, limit, &diff), 0);
        return diff;
}

#define HEAD "version: 1\nserial: 7\nzone: lgwan\n"
#define STICK                                                                                               \
        "removable:\n  default: read-only\n  devices:\n    - {name: stick, match: {serial: \"A\"}, "        \
        "access: "

/* What one line of an admin's edit changes: how many changes, and the first of them. */
static const struct {
        const char *before, *after;
        size_t n;
        const char *section, *of, *to, *people, *hours;
} cases[] = {
        {HEAD STICK "read-only}\n", HEAD STICK "write}\n", 1, "devices", "\"read-only\"", "\"write\"",
         "null", "null"},
        {HEAD STICK "write}\n", HEAD STICK "write, groups: [zeimu]}\n", 1, "devices", "\"write\"",
         "\"read-only\"", "[{\"user\":null,\"groups\":[]}]", "null"},
        {HEAD STICK "write, hours: 08:30-17:15}\n", HEAD STICK "write, hours: \"Mon-Fri 08:30-18:00\"}\n", 2,
         "devices", "\"write\"", "\"read-only\"", "null", "[\"Sat,Sun 08:30-17:15\"]"},
        {HEAD STICK "write, users: [sato]}\n", HEAD STICK "write, users: [sato, abe]}\n", 1, "devices",
         "\"read-only\"", "\"write\"", "[{\"user\":\"abe\",\"groups\":[]}]", "null"},
        {HEAD STICK "write, expires: 2029-01-01}\n", HEAD STICK "read-only}\n", 0, NULL, NULL, NULL, NULL,
         NULL},
        {HEAD "mode: enforce\n", HEAD "mode: monitor\n", 1, "settings", "\"enforce\"", "\"monitor\"",
         "absent", "absent"},
        {HEAD "usb: {interfaces: {printer: deny}}\n", HEAD "usb: {interfaces: {printer: allow}}\n", 1, "usb",
         "\"deny\"", "\"allow\"", "null", "null"},
        {HEAD "filesystems: {default: deny, allow: [{name: n, type: cifs, access: write}]}\n",
         HEAD "filesystems: {default: deny, allow: [{name: n, type: cifs, access: read-only}]}\n", 1,
         "filesystems", "\"write\"", "\"read-only\"", "null", "null"},
        {HEAD "network: {allow: [{name: n, to: 10.0.0.0/8, protocol: tcp, ports: [443]}]}\n",
         HEAD "network: {allow: [{name: n, to: 10.0.0.0/8, protocol: tcp, ports: [443-444]}]}\n", 1,
         "network", "\"deny\"", "\"allow\"", "null", "null"},
        {HEAD "network: {allow: [{name: n, to: 10.0.0.1, protocol: icmp}]}\n",
         HEAD "network: {allow: [{name: n, to: 10.0.0.1, protocol: icmp, program: /usr/bin/ping}]}\n", 1,
         "network", "\"allow\"", "\"deny\"", "null", "null"},
        {HEAD "network: {allow: [{name: n, to: 10.0.0.1, protocol: icmp, interface: eth0}]}\n",
         HEAD "network: {allow: [{name: n, to: 10.0.0.1, protocol: icmp, interface: eth0}]}\n", 0, NULL,
         NULL, NULL, NULL, NULL},
        {HEAD "network: {services: {dhcp: allow}}\n", HEAD "network: {services: {dhcp: deny}}\n", 1,
         "settings", "\"allow\"", "\"deny\"", "absent", "absent"},
        {HEAD "network: {services: {neighbour-discovery: deny}}\n", HEAD "network: {}\n", 1, "settings",
         "\"deny\"", "\"allow\"", "absent", "absent"},
        {HEAD "network: {interfaces: {allow: [{name: a, match: {kind: usb}}]}}\n",
         HEAD "network: {interfaces: {allow: [{name: b, match: {kind: wifi}}]}}\n", 1, "settings",
         "[{\"interface\":null,\"driver\":null,\"bus\":null,\"mac\":null,\"kind\":\"usb\"}]",
         "[{\"interface\":null,\"driver\":null,\"bus\":null,\"mac\":null,\"kind\":\"wifi\"}]", "absent",
         "absent"},
        {HEAD "network: {interfaces: {default: deny}}\n", HEAD "network: {interfaces: {default: deny}}\n", 0,
         NULL, NULL, NULL, NULL, NULL},
        {HEAD "network: {resolvers: [10.0.0.53]}\n", HEAD "network: {resolvers: [10.0.0.53, 10.0.0.54]}\n",
         3, NULL, NULL, NULL, NULL, NULL},
        {HEAD "network: {ntp: [10.0.0.53]}\n", HEAD "network: {}\n", 2, NULL, NULL, NULL, NULL, NULL},
        /* a rule before it decides all the same; a name, a holder and a contact decide nothing */
        {HEAD "removable:\n  devices:\n    - {name: a, match: {vendor: \"0951\"}, access: deny}\n",
         HEAD
         "contact: me\nremovable:\n  devices:\n    - {name: b, match: {vendor: \"0951\"}, access: deny}\n"
         "    - {name: c, match: {vendor: \"0951\", serial: \"A\"}, access: write, holder: x}\n",
         0, NULL, NULL, NULL, NULL, NULL},
        /* two rules that never named the same device, until they changed places */
        {HEAD "removable:\n  devices:\n    - {name: a, match: {vendor: \"0951\"}, access: deny}\n"
              "    - {name: c, match: {serial: \"A\"}, access: write}\n",
         HEAD "removable:\n  devices:\n    - {name: c, match: {serial: \"A\"}, access: write}\n"
              "    - {name: a, match: {vendor: \"0951\"}, access: deny}\n",
         1, "devices", "\"deny\"", "\"write\"", "null", "null"},
};

static const char *text_of(const struct json_object *change, const char *key) {
        struct json_object *value;

        if (!json_object_object_get_ex(change, key, &value))
                return "absent";
        return value ? json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN) : "null";
}

Test(policy_diff, tells_whose_verdicts_an_edit_changes_and_no_other) {
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_JSON struct json_object *diff =
                        compare(cases[i].before, cases[i].after, POLICY_DIFF_QUESTIONS_MAX);
                struct json_object *changes = json_list(diff, "changes");
                const struct json_object *first = json_object_array_get_idx(changes, 0);

                cr_expect_eq(json_object_array_length(changes), cases[i].n, "case %zu: %s", i,
                             json_object_to_json_string(changes));
                cr_expect_eq(policy_diff_changes(diff), cases[i].n > 0, "case %zu", i);
                if (!cases[i].section || !first)
                        continue;
                cr_expect_str_eq(json_text(first, "section"), cases[i].section, "case %zu", i);
                cr_expect_str_eq(text_of(first, "before"), cases[i].of, "case %zu", i);
                cr_expect_str_eq(text_of(first, "after"), cases[i].to, "case %zu", i);
                cr_expect_str_eq(text_of(first, "people"), cases[i].people, "case %zu", i);
                cr_expect_str_eq(text_of(first, "hours"), cases[i].hours, "case %zu", i);
        }
}

Test(policy_diff, says_from_when_until_when) {
        CLEANUP_JSON struct json_object *diff =
                compare(HEAD STICK "write, expires: 2030-03-31}\n",
                        HEAD STICK "write, expires: 2030-04-30}\n", POLICY_DIFF_QUESTIONS_MAX);
        const struct json_object *change = json_object_array_get_idx(json_list(diff, "changes"), 0);

        cr_assert_eq(json_object_array_length(json_list(diff, "changes")), 1);
        cr_expect(strncmp(json_text(change, "from"), "2030-04-01T00:00:00", 19) == 0);
        cr_expect(strncmp(json_text(change, "until"), "2030-05-01T00:00:00", 19) == 0);
}

Test(policy_diff, what_was_cut_is_no_proof_of_sameness) {
        CLEANUP_JSON struct json_object *diff =
                compare(HEAD STICK "write}\n", HEAD STICK "write, groups: [zeimu]}\n", 3);

        cr_expect(json_is_true(diff, "cut"));
        cr_expect_not(json_is_true(diff, "changed"));
        cr_expect(policy_diff_changes(diff));
}

Test(policy_diff, a_lower_serial_is_told) {
        CLEANUP_JSON struct json_object *diff =
                compare(HEAD, "version: 1\nserial: 6\nzone: lgwan\n", POLICY_DIFF_QUESTIONS_MAX);

        cr_expect(json_is_true(diff, "older"));
        cr_expect_not(json_is_true(diff, "changed"));
        cr_expect(policy_diff_changes(diff));
}

/* by chance */

/* What both answer to a question, as the words of a change. False if it is the same. */
typedef struct Answers {
        const char *section, *words[2];
} Answers;

static const char *device_word(const Policy *policy, const RandomQuestion *question) {
        OpenDecision open;
        Decision interface;

        decide_usb_interface(policy, &question->device, USB_CLASS_MASS_STORAGE_, &question->now, &interface);
        if (question->device.bus == DEVICE_BUS_USB && interface.access == ACCESS_DENY)
                return "deny";
        decide_open(policy, &question->superblock, &question->subject, true, &question->now, &open);
        if (open.verdict == VERDICT_ALLOW)
                return "write";
        decide_open(policy, &question->superblock, &question->subject, false, &question->now, &open);
        return open.verdict == VERDICT_ALLOW ? "read-only" : "deny";
}

static const char *filesystem_word(const Policy *policy, const RandomQuestion *question) {
        SuperblockIdentity id = question->filesystem;
        OpenDecision open;

        id.device = NULL;
        decide_open(policy, &id, &question->subject, true, &question->now, &open);
        if (open.verdict == VERDICT_ALLOW)
                return "write";
        decide_open(policy, &id, &question->subject, false, &question->now, &open);
        return open.verdict == VERDICT_ALLOW ? "read-only" : "deny";
}

static const char *interface_word(const Policy *policy, const RandomQuestion *question) {
        DeviceIdentity device = question->device;
        Decision decision;

        device.bus = DEVICE_BUS_USB;
        device.hotplug = true;
        if (question->class == USB_CLASS_MASS_STORAGE_)
                return "storage";
        decide_usb_interface(policy, &device, question->class, &question->now, &decision);
        return decision.access == ACCESS_DENY ? "deny" : "allow";
}

static const char *network_word(const Policy *policy, const RandomQuestion *question) {
        OpenDecision decision;

        decide_network(policy, &question->network, &decision);
        return verdict_to_string(decision.verdict);
}

static const char *login_word(const Policy *policy, const RandomQuestion *question) {
        MfaDecision decision;

        decide_mfa(policy, &question->login, &decision);
        if (decision.verdict == MFA_DENY)
                return "deny";
        return decision.kinds_needed == 0 ? "off" : decision.kinds_needed == 1 ? "exempt" : "required";
}

static const struct {
        const char *section;
        const char *(*word)(const Policy *policy, const RandomQuestion *question);
} kinds[] = {{"devices", device_word},
             {"filesystems", filesystem_word},
             {"usb", interface_word},
             {"network", network_word},
             {"logins", login_word}};

static const char *word_of(const struct json_object *change, const char *key) {
        struct json_object *value = json_object_object_get(change, key);

        return json_object_is_type(value, json_type_object) ? json_text(value, "login")
                                                            : json_object_get_string(value);
}

static bool is_told(const struct json_object *diff, const char *section, const char *before,
                    const char *after) {
        struct json_object *changes = json_list(diff, "changes");

        for (size_t i = 0; i < json_object_array_length(changes); i++) {
                const struct json_object *change = json_object_array_get_idx(changes, i);

                if (strcmp(json_text(change, "section"), section) == 0 &&
                    strcmp(word_of(change, "before"), before) == 0 &&
                    strcmp(word_of(change, "after"), after) == 0)
                        return true;
        }
        return false;
}

Test(policy_diff, no_question_by_chance_is_answered_otherwise_without_being_told) {
        Random random = random_begin();
        unsigned same = 0, different = 0;

        for (int i = 0; i < PAIRS; i++) {
                uint64_t number = random_below(&random, 1U << 30);
                CLEANUP_POLICY Policy *a = random_policy(&random, number),
                                      *b = random_policy(&random, number);
                CLEANUP_JSON struct json_object *diff = NULL;

                a->lsm_missing = b->lsm_missing = random_one_in(&random, 3);
                cr_assert_eq(policy_diff(a, b, NOW, POLICY_DIFF_QUESTIONS_MAX, &diff), 0);
                cr_assert_not(json_is_true(diff, "cut"));
                random_policy_resolve(a);
                random_policy_resolve(b);
                for (int j = 0; j < QUESTIONS; j++) {
                        RandomQuestion question;

                        random_question(&random, &question);
                        for (size_t k = 0; k < ELEMENTS(kinds); k++) {
                                const char *before = kinds[k].word(a, &question),
                                           *after = kinds[k].word(b, &question);

                                if (strcmp(before, after) == 0) {
                                        same++;
                                        continue;
                                }
                                different++;
                                cr_assert(is_told(diff, kinds[k].section, before, after),
                                          "seed %llu, pair %d: %s: %s → %s is not told: %s",
                                          (unsigned long long)random.seed, i, kinds[k].section, before,
                                          after, json_object_to_json_string(diff));
                        }
                }
        }
        cr_log_info("%u alike, %u not", same, different);
        cr_expect_gt(same, PAIRS * QUESTIONS);
        cr_expect_gt(different, PAIRS * QUESTIONS / 100);
}
