/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tables of schema.c cannot say, field by field. Each check is called on a value whose type is
 * right. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/check.h"
#include "policy/checks_mfa.h"
#include "policy/checks_network.h"
#include "policy/destination.h"
#include "policy/expiry.h"
#include "policy/hours.h"
#include "policy/minisign.h"

/* Up to here every reader of JSON takes a number exactly (RFC 8259, 6). */
#define SERIAL_MAX UINT64_C(9007199254740991)

static void check_version(Check *check, const TreeNode *node) {
        if (!tree_is(node, "1"))
                check_fault(check, node, "version %s is not known; expected 1", node->text);
}

static void check_serial(Check *check, const TreeNode *node) {
        if (strtoull(node->text, NULL, 10) > SERIAL_MAX)
                check_fault(check, node, "serial %s is too large; expected at most %" PRIu64, node->text,
                            SERIAL_MAX);
}

/* Names that decisions have where no rule made them. */
static void check_name(Check *check, const TreeNode *node) {
        static const char *const reserved[] = {"removable.default",
                                               "usb.default",
                                               "usb.interfaces",
                                               "internal",
                                               "invalid-question",
                                               "filesystems.default",
                                               "network.default",
                                               "mfa.default",
                                               "mfa.services",
                                               "mfa.exempt",
                                               "mfa.break-glass",
                                               "network.resolvers",
                                               "network.ntp",
                                               "network.loopback",
                                               "interfaces.default",
                                               "interfaces.loopback",
                                               "mode",
                                               "assets-unknown"};

        for (size_t i = 0; i < ELEMENTS(reserved); i++)
                if (tree_is(node, reserved[i])) {
                        check_fault(check, node, "rule name \"%s\" is reserved; expected another",
                                    reserved[i]);
                        return;
                }
        if (rule_names_add(check->names, node->text, check->file, node->line, node->column) < 0)
                check->faults->no_memory = true;
}

static void check_hours(Check *check, const TreeNode *node) {
        const char *why;
        char text[QUOTE_MAX];
        Hours hours;

        if (hours_parse(node->text, &hours, &why) < 0)
                check_fault(check, node, "%s: %s", quote(node->text, node->length, text),
                            faults_text(check->faults, why));
}

static void check_expires(Check *check, const TreeNode *node) {
        const char *why;
        char text[QUOTE_MAX];

        if (expiry_check(node->text, &why) < 0)
                check_fault(check, node, "%s: %s", quote(node->text, node->length, text),
                            faults_text(check->faults, why));
}

/* Letters large, as minisign shows it; what looks like a number has to stand in quotes. */
static void check_key_id(Check *check, const TreeNode *node) {
        char text[QUOTE_MAX];
        uint64_t id;

        if (minisign_id_parse(node->text, &id) < 0)
                check_fault(check, node,
                            "%s is no key; expected up to 16 hexadecimal digits, as minisign shows them",
                            quote(node->text, node->length, text));
}

static void check_match(Check *check, const TreeNode *node) {
        if (node->n_children == 0)
                check_fault(check, node, "matches every device; expected vendor, product, serial or bus");
}

/* Groups, hours and encryption say who may write, when and where. With less than write they would say
 * nothing, or something that nobody can read off the rule. */
static void check_scope_needs_write(Check *check, const TreeNode *node) {
        static const char *const keys[] = {"users", "groups", "hours", "encrypted"};
        const TreeNode *access = tree_find(check->tree, node, "access"), *value;

        if (!access || !(tree_is(access, "deny") || tree_is(access, "read-only")))
                return;
        for (size_t i = 0; i < ELEMENTS(keys); i++)
                if ((value = tree_find(check->tree, node, keys[i])))
                        check_fault(check, value, "%s limits writing; expected it with access: write",
                                    keys[i]);
}

/* An end of what has none would be a slip of the pen, and is not taken for one of something else. */
static void check_monitor(Check *check, const TreeNode *node) {
        const TreeNode *mode = tree_find(check->tree, node, "mode");
        const TreeNode *until = tree_find(check->tree, node, "monitor-until");

        if (until && !(mode && tree_is(mode, "monitor")))
                check_fault(check, until, "monitor-until without mode: monitor; expected both");
}

static void check_default_monitor(Check *check, const TreeNode *node) {
        const TreeNode *monitor = tree_find(check->tree, node, "monitor");
        const TreeNode *until = tree_find(check->tree, node, "monitor-until");

        if (until && !(monitor && tree_is(monitor, "true")))
                check_fault(check, until, "monitor-until without monitor: true; expected both");
}

static void check_writable_rule(Check *check, const TreeNode *node) {
        check_scope_needs_write(check, node);
        check_monitor(check, node);
}

static void check_destination(Check *check, const TreeNode *node) {
        const char *why;
        char text[QUOTE_MAX];

        if (destination_check(node->text, &why) < 0)
                check_fault(check, node, "%s: %s", quote(node->text, node->length, text),
                            faults_text(check->faults, why));
}

static void check_network_rule(Check *check, const TreeNode *node) {
        check_ports_need_protocol(check, node);
        check_monitor(check, node);
}

/* As the kernel tells the paths of open files. */
static void check_asset_path(Check *check, const TreeNode *node) {
        const char *path = node->text;
        size_t length = strlen(path);
        char text[QUOTE_MAX];

        if (path[0] != '/' || length < 2 || path[length - 1] == '/' || strstr(path, "//") ||
            strstr(path, "/./") || strstr(path, "/../") || strcmp(path + length - 2, "/.") == 0 ||
            (length > 2 && strcmp(path + length - 3, "/..") == 0))
                check_fault(check, node,
                            "%s: expected an absolute path below /, without . or .. and a slash at its end",
                            quote(node->text, node->length, text));
}

static const FieldCheck field_checks[] = {
        {.fields = policy_fields, .key = "version", .value = check_version},
        {.fields = policy_fields, .key = "serial", .value = check_serial},
        {.fields = policy_fields, .key = "not-before", .value = check_expires},
        {.fields = policy_fields, .key = "expires", .value = check_expires},
        {.fields = policy_fields, .key = "monitor-until", .value = check_expires},
        {.fields = policy_fields, .value = check_monitor},
        {.fields = signing_fields, .key = "revoked", .entry = check_key_id},
        {.fields = match_fields, .value = check_match},
        {.fields = device_fields, .key = "name", .value = check_name},
        {.fields = device_fields, .key = "hours", .value = check_hours},
        {.fields = device_fields, .key = "expires", .value = check_expires},
        {.fields = device_fields, .key = "monitor-until", .value = check_expires},
        {.fields = device_fields, .value = check_writable_rule},
        {.fields = usb_device_fields, .key = "name", .value = check_name},
        {.fields = usb_device_fields, .key = "expires", .value = check_expires},
        {.fields = usb_device_fields, .key = "monitor-until", .value = check_expires},
        {.fields = usb_device_fields, .value = check_monitor},
        {.fields = removable_fields, .key = "monitor-until", .value = check_expires},
        {.fields = removable_fields, .value = check_default_monitor},
        {.fields = filesystems_fields, .key = "monitor-until", .value = check_expires},
        {.fields = filesystems_fields, .value = check_default_monitor},
        {.fields = filesystem_fields, .key = "name", .value = check_name},
        {.fields = filesystem_fields, .key = "hours", .value = check_hours},
        {.fields = filesystem_fields, .key = "expires", .value = check_expires},
        {.fields = filesystem_fields, .key = "monitor-until", .value = check_expires},
        {.fields = filesystem_fields, .value = check_writable_rule},
        {.fields = network_fields, .key = "name", .value = check_name},
        {.fields = network_fields, .key = "to", .value = check_destination},
        {.fields = network_fields, .key = "ports", .entry = check_port, .number_is_text = true},
        {.fields = network_fields, .key = "hours", .value = check_hours},
        {.fields = network_fields, .key = "expires", .value = check_expires},
        {.fields = network_fields, .key = "monitor-until", .value = check_expires},
        {.fields = network_fields, .key = "program", .value = check_mfa_path},
        {.fields = network_fields, .key = "interface", .value = check_interface},
        {.fields = network_fields, .value = check_network_rule},
        {.fields = networks_fields, .key = "resolvers", .entry = check_address},
        {.fields = networks_fields, .key = "ntp", .entry = check_address},
        {.fields = network_interface_fields, .key = "name", .value = check_name},
        {.fields = interface_match_fields, .value = check_interface_match},
        {.fields = interface_match_fields, .key = "interface", .value = check_interface_pattern},
        {.fields = interface_match_fields, .key = "driver", .value = check_kernel_word},
        {.fields = interface_match_fields, .key = "bus", .value = check_kernel_word},
        {.fields = interface_match_fields, .key = "mac", .value = check_mac},
        {.fields = mfa_fields, .key = "services", .value = check_mfa_services},
        {.fields = mfa_fields, .key = "factors", .value = check_mfa_factors},
        {.fields = mfa_rule_fields, .key = "name", .value = check_name},
        {.fields = mfa_rule_fields, .key = "services", .entry = check_mfa_service},
        {.fields = mfa_rule_fields, .key = "from", .entry = check_destination},
        {.fields = mfa_rule_fields, .key = "factors", .value = check_mfa_factors},
        {.fields = mfa_rule_fields, .key = "hours", .value = check_hours},
        {.fields = mfa_rule_fields, .key = "expires", .value = check_expires},
        {.fields = mfa_rule_fields, .value = check_mfa_rule},
        {.fields = break_glass_fields, .key = "factors", .value = check_mfa_factors},
        {.fields = grace_fields, .key = "until", .value = check_expires},
        {.fields = grace_fields, .key = "days", .value = check_mfa_days},
        {.fields = limits_fields, .key = "tries", .value = check_mfa_tries},
        {.fields = limits_fields, .key = "wait", .value = check_mfa_wait},
        {.fields = limits_fields, .key = "wait-max", .value = check_mfa_wait_max},
        {.fields = totp_fields, .key = "drift", .value = check_mfa_drift},
        {.fields = mfa_fields, .key = "lock-idle-minutes", .value = check_mfa_lock_idle},
        {.fields = self_test_fields, .key = "every", .value = check_self_test_every},
        {.fields = asset_fields, .key = "name", .value = check_name},
        {.fields = asset_fields, .key = "paths", .entry = check_asset_path},
        {.fields = records_fields, .key = "keep-days", .value = check_keep_days},
        {.fields = grants_fields, .key = "minutes-max", .value = check_grant_minutes},
        {.fields = grants_fields, .key = "answer-key", .value = check_mfa_path},
        {.fields = fido2_fields, .key = "relying-party", .value = check_mfa_relying_party},
        {.fields = fido2_fields, .key = "timeout-seconds", .value = check_mfa_timeout},
        {.fields = fido2_fields, .key = "attestation", .value = check_mfa_attestation},
        {.fields = fingerprint_fields, .key = "timeout-seconds", .value = check_mfa_timeout},
        {.fields = card_fields, .key = "module", .value = check_mfa_path},
        {.fields = card_fields, .key = "ca", .value = check_mfa_path},
        {.fields = card_fields, .key = "crl", .value = check_mfa_path},
        {.fields = card_fields, .key = "wait-seconds", .value = check_mfa_timeout},
        {.fields = card_fields, .value = check_mfa_card},
};

const FieldCheck *field_check_find(const cyaml_schema_field_t *fields, const char *key) {
        for (size_t i = 0; i < ELEMENTS(field_checks); i++) {
                const FieldCheck *found = &field_checks[i];

                if (found->fields == fields &&
                    (key ? found->key && strcmp(found->key, key) == 0 : !found->key))
                        return found;
        }
        return NULL;
}
