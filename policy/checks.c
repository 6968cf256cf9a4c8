/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tables of schema.c cannot say, field by field. Each check is called on a value whose type is
 * right. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "policy/check.h"
#include "policy/destination.h"
#include "policy/expiry.h"
#include "policy/hours.h"

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
        static const char *const reserved[] = {
                "removable.default", "usb.default",         "usb.interfaces", "internal",
                "invalid-question",  "filesystems.default", "network.default"};

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
        time_t expires;

        if (expiry_parse(node->text, &expires, &why) < 0)
                check_fault(check, node, "%s: %s", quote(node->text, node->length, text),
                            faults_text(check->faults, why));
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

static void check_destination(Check *check, const TreeNode *node) {
        const char *why;
        char text[QUOTE_MAX];

        if (destination_check(node->text, &why) < 0)
                check_fault(check, node, "%s: %s", quote(node->text, node->length, text),
                            faults_text(check->faults, why));
}

static void check_port(Check *check, const TreeNode *node) {
        const char *why;
        char text[QUOTE_MAX];
        PortRange range;

        if (port_range_parse(node->text, &range, &why) < 0)
                check_fault(check, node, "%s: %s", quote(node->text, node->length, text),
                            faults_text(check->faults, why));
}

static void check_ports_need_protocol(Check *check, const TreeNode *node) {
        const TreeNode *ports = tree_find(check->tree, node, "ports");
        const TreeNode *protocol = tree_find(check->tree, node, "protocol");

        if (ports && !(protocol && (tree_is(protocol, "tcp") || tree_is(protocol, "udp"))))
                check_fault(check, ports,
                            "ports without a protocol that has them; expected protocol: tcp or udp");
}

enum {
        KNOWLEDGE = 1,
        POSSESSION = 2,
        INHERENCE = 4
};

static unsigned kind_of(Factor factor) {
        switch (factor) {
        case FACTOR_PASSWORD:
                return KNOWLEDGE;
        case FACTOR_TOTP:
        case FACTOR_CARD:
        case FACTOR_FIDO2:
                return POSSESSION;
        case FACTOR_FINGERPRINT:
                return INHERENCE;
        }
        return 0;
}

static void check_factors(Check *check, const TreeNode *node) {
        unsigned kinds = 0, seen = 0;

        for (const TreeNode *entry = tree_first(check->tree, node); entry;
             entry = tree_next(check->tree, entry)) {
                int factor = factor_from_string(entry->text);

                if (factor < 0)
                        continue;
                if (seen & (1U << factor))
                        check_fault(check, entry, "factor \"%s\" stands here twice; expected it once",
                                    entry->text);
                seen |= 1U << factor;
                kinds |= kind_of((Factor)factor);
        }
        if ((kinds & (kinds - 1)) == 0)
                check_fault(check, node,
                            "factors of one kind only; expected two of: knowledge (password), "
                            "possession (totp, card, fido2), inherence (fingerprint)");
}

static bool is_service_name(const TreeNode *key) {
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-";

        return key->kind == TREE_SCALAR && key->length > 0 && key->length <= SHORT_LENGTH_MAX &&
               strspn(key->text, allowed) == key->length;
}

static void check_service(Check *check, const TreeNode *services, const TreeNode *key,
                          const TreeNode *value) {
        char text[QUOTE_MAX];

        if (!is_service_name(key))
                check_fault(check, key,
                            "not a PAM service; expected letters, digits and ._@-, at most %d of them",
                            (int)SHORT_LENGTH_MAX);
        else
                for (const TreeNode *other = tree_first(check->tree, services); other != key;
                     other = tree_next(check->tree, tree_next(check->tree, other)))
                        if (tree_is(other, key->text)) {
                                check_fault(
                                        check, key,
                                        "key \"%s\" stands here twice, first in line %zu; expected it once",
                                        key->text, other->line);
                                break;
                        }
        if (value->kind != TREE_SCALAR)
                check_fault(check, value, "%s; expected one of: off, required", check_kind(check, value));
        else if (!tree_is(value, "required") && !tree_is(value, "off"))
                check_fault(check, value, "%s is not known here; expected one of: off, required",
                            quote(value->text, value->length, text));
}

static void check_services(Check *check, const TreeNode *node) {
        const TreeNode *value;

        if (node->kind != TREE_MAPPING) {
                check_fault(check, node, "%s; expected a mapping (service: required or off)",
                            check_kind(check, node));
                return;
        }
        if (node->n_children > 2 * SERVICES_MAX) {
                check_fault(check, node, "%u services; expected at most %d", node->n_children / 2,
                            (int)SERVICES_MAX);
                return;
        }
        for (const TreeNode *key = tree_first(check->tree, node); key; key = tree_next(check->tree, value)) {
                value = tree_next(check->tree, key);
                check_service(check, node, key, value);
        }
}

static const FieldCheck field_checks[] = {
        {.fields = policy_fields, .key = "version", .value = check_version},
        {.fields = policy_fields, .key = "serial", .value = check_serial},
        {.fields = match_fields, .value = check_match},
        {.fields = device_fields, .key = "name", .value = check_name},
        {.fields = device_fields, .key = "hours", .value = check_hours},
        {.fields = device_fields, .key = "expires", .value = check_expires},
        {.fields = device_fields, .value = check_scope_needs_write},
        {.fields = usb_device_fields, .key = "name", .value = check_name},
        {.fields = usb_device_fields, .key = "expires", .value = check_expires},
        {.fields = filesystem_fields, .key = "name", .value = check_name},
        {.fields = filesystem_fields, .key = "hours", .value = check_hours},
        {.fields = filesystem_fields, .key = "expires", .value = check_expires},
        {.fields = filesystem_fields, .value = check_scope_needs_write},
        {.fields = network_fields, .key = "name", .value = check_name},
        {.fields = network_fields, .key = "to", .value = check_destination},
        {.fields = network_fields, .key = "ports", .entry = check_port, .number_is_text = true},
        {.fields = network_fields, .key = "hours", .value = check_hours},
        {.fields = network_fields, .key = "expires", .value = check_expires},
        {.fields = network_fields, .value = check_ports_need_protocol},
        {.fields = mfa_fields, .key = "services", .value = check_services},
        {.fields = mfa_fields, .key = "factors", .value = check_factors},
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
