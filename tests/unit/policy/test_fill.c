/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is made of a tree is what libcyaml makes of the text, by the same tables. */
#include <criterion/criterion.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "policy/fill.h"
#include "policy/schema.h"
#include "policy/scope.h"

static const cyaml_config_t config = {
        .mem_fn = cyaml_mem, .log_level = CYAML_LOG_ERROR, .flags = CYAML_CFG_NO_ALIAS};

/* Every kind of value there is. */
static const char everything[] =
        "version: 1\nserial: 9007199254740991\nzone: lgwan\nmode: monitor\ncontact: 情報政策課 内線 2345\n"
        "removable:\n  default: write\n  also-external: [loop, ata]\n  devices:\n"
        "    - {name: a, match: {vendor: \"0951\", product: \"1666\", serial: \"S\\u0041 x\", bus: mmc}, "
        "access: write,\n"
        "       encrypted: required, holder: x, users: [sato, abe], groups: [zeimu], hours: 08:30-17:15,\n"
        "       expires: 2027-03-31}\n"
        "    - {name: b, match: {bus: usb}, access: deny}\n"
        "usb:\n  default: allow\n  interfaces: {printer: deny, hid: allow}\n"
        "  devices: [{name: c, match: {vendor: \"1\"}, access: allow, expires: 2027-03-31}]\n"
        "filesystems: {default: deny, allow: [{name: d, type: cifs, source: //a/b, access: read-only}]}\n"
        "network:\n  default: allow\n  resolvers: [10.0.0.53, \"fd00::53\"]\n  ntp: [10.0.0.123]\n"
        "  services: {dhcp: allow, neighbour-discovery: deny}\n"
        "  interfaces: {default: deny, allow: [{name: i, match: {interface: enp*, driver: e1000e, bus: pci, "
        "mac: \"52:54:00:12:34:56\", kind: ethernet}}]}\n  allow:\n"
        "    - {name: e, to: 10.0.0.0/8, protocol: tcp, ports: [\"443\", 8000-8010], users: [sato],\n"
        "       program: /usr/bin/a, interface: eth0}\n"
        "mfa:\n  default: required\n  services: {login: required}\n  factors: [password, totp]\n  exempt: "
        "[abe]\n"
        "  rules: [{name: f, services: [sshd], from: [remote], login: required, factors: [password, "
        "card]}]\n"
        "  break-glass: [{user: root, factors: [password, recovery]}]\n  grace: {until: 2027-03-31, days: "
        "14}\n"
        "  limits: {tries: 3, wait: 60, wait-max: 600}\n  totp: {drift: 2}\n"
        "  fido2: {relying-party: x, user-verification: preferred, timeout-seconds: 30, attestation: none}\n"
        "  fingerprint: {timeout-seconds: 20}\n  require-guard: true\n"
        "self-protection: {process: true, state: false, policy: true}\n";

static Tree parse(const char *text) {
        Faults faults = {0};
        Tree tree = {0};

        cr_assert_eq(tree_parse("text", text, strlen(text), &tree, &faults), 0);
        return tree;
}

/* RAW as text again; RAW is freed. */
static char *written(RawPolicy *raw) {
        char *text = NULL;
        size_t length = 0;

        cr_assert_eq(cyaml_save_data(&text, &length, &config, &policy_schema, raw, 0), CYAML_OK);
        cr_assert_not_null(text = realloc(text, length + 1));
        text[length] = '\0';
        cr_assert_eq(cyaml_free(&config, &policy_schema, raw, 0), CYAML_OK);
        return text;
}

static void compare(const char *label, const char *text) {
        CLEANUP_TREE Tree tree = parse(text);
        RawPolicy *theirs = NULL;
        void *ours = NULL;

        cr_assert_eq(cyaml_load_data((const uint8_t *)text, strlen(text), &config, &policy_schema,
                                     (cyaml_data_t **)&theirs, NULL),
                     CYAML_OK, "%s", label);
        cr_assert_eq(fill_from_tree(&policy_schema, &tree, &ours), 0, "%s", label);
        CLEANUP_FREE char *expected = written(theirs), *found = written(ours);
        cr_expect_str_eq(found, expected, "%s", label);
        cr_expect_gt(strlen(found), strlen("version: 1"), "%s", label);
}

Test(fill, every_kind_of_value_is_what_libcyaml_makes_of_it) {
        compare("everything", everything);
}

Test(fill, the_examples_are_what_libcyaml_makes_of_them) {
        static char text[65536];
        glob_t found;

        cr_assert_eq(glob("policy/examples/*.yaml", 0, NULL, &found), 0);
        for (size_t i = 0; i < found.gl_pathc; i++) {
                CLEANUP_FILE FILE *file = fopen(found.gl_pathv[i], "re");
                size_t n;

                cr_assert_not_null(file);
                n = fread(text, 1, sizeof(text) - 1, file);
                text[n] = '\0';
                compare(found.gl_pathv[i], text);
        }
        cr_expect_geq(found.gl_pathc, 3);
        globfree(&found);
}

/* check_tree() lets none of these come so far: nothing is made of them, and nothing is lost. */
Test(fill, what_does_not_fit_the_tables_is_refused) {
        static const char *const texts[] = {
                "version: [1]\n",
                "version: x\n",
                "version: 99999999999\n",
                "version: 1\nserial: -1\n",
                "version: 1\nzone: moon\n",
                "version: 1\ncolour: blue\n",
                "version: 1\nremovable: write\n",
                "version: 1\nremovable: {devices: {name: a}}\n",
                "version: 1\nremovable: {devices: [{name: a, users: [sato, [abe]]}]}\n",
                "version: 1\nmfa: {require-guard: perhaps}\n",
                "version: 1\nmfa: {grace: {until: x, days: 4294967296}}\n",
        };

        for (size_t i = 0; i < ELEMENTS(texts); i++) {
                CLEANUP_TREE Tree tree = parse(texts[i]);
                void *made = NULL;

                cr_expect_eq(fill_from_tree(&policy_schema, &tree, &made), -EINVAL, "%s", texts[i]);
                cr_expect_null(made, "%s", texts[i]);
        }
}
