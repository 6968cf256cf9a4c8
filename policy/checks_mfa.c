/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/checks_mfa.h"

#include <stdlib.h>
#include <string.h>

void check_mfa_factors(Check *check, const TreeNode *node) {
        unsigned seen = 0;

        for (const TreeNode *entry = tree_first(check->tree, node); entry;
             entry = tree_next(check->tree, entry)) {
                int factor = factor_from_string(entry->text);

                if (factor < 0)
                        continue;
                if (seen & (1U << factor))
                        check_fault(check, entry, "factor \"%s\" stands here twice; expected it once",
                                    entry->text);
                seen |= 1U << factor;
        }
        if ((seen & FACTOR_BIT(FACTOR_CARD_PIN)) && !(seen & FACTOR_BIT(FACTOR_CARD)))
                check_fault(check, node, "\"card-pin\" without \"card\"; expected both");
        if (factor_kinds_count(seen) < 2)
                check_fault(check, node,
                            "factors of one kind only; expected two of: knowledge (password, card-pin), "
                            "possession (totp, card, fido2, recovery, substitute), "
                            "inherence (fingerprint)");
}

static bool is_service_name(const TreeNode *key) {
        static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-";

        return key->kind == TREE_SCALAR && key->length > 0 && key->length <= SHORT_LENGTH_MAX &&
               strspn(key->text, allowed) == key->length;
}

void check_mfa_service(Check *check, const TreeNode *node) {
        if (!is_service_name(node))
                check_fault(check, node,
                            "not a PAM service; expected letters, digits and ._@-, at most %d of them",
                            (int)SHORT_LENGTH_MAX);
}

static void check_service(Check *check, const TreeNode *services, const TreeNode *key,
                          const TreeNode *value) {
        char text[QUOTE_MAX];

        if (!is_service_name(key))
                check_mfa_service(check, key);
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

void check_mfa_services(Check *check, const TreeNode *node) {
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

void check_mfa_rule(Check *check, const TreeNode *node) {
        const TreeNode *login = tree_find(check->tree, node, "login");
        const TreeNode *factors = tree_find(check->tree, node, "factors");

        if (factors && login && (tree_is(login, "off") || tree_is(login, "deny")))
                check_fault(check, factors, "factors that nobody is asked for; expected login: required");
}

static void check_range(Check *check, const TreeNode *node, unsigned min, unsigned max) {
        unsigned long number = strtoul(node->text, NULL, 10);

        if (number < min || number > max)
                check_fault(check, node, "%s is out of range; expected %u to %u", node->text, min, max);
}

void check_mfa_days(Check *check, const TreeNode *node) {
        check_range(check, node, 1, 365);
}

void check_mfa_tries(Check *check, const TreeNode *node) {
        check_range(check, node, 1, 20);
}

void check_mfa_wait(Check *check, const TreeNode *node) {
        check_range(check, node, 1, 3600);
}

void check_mfa_wait_max(Check *check, const TreeNode *node) {
        check_range(check, node, 1, 86400);
}

void check_mfa_drift(Check *check, const TreeNode *node) {
        check_range(check, node, 0, 5);
}

void check_mfa_timeout(Check *check, const TreeNode *node) {
        check_range(check, node, 5, 120);
}

void check_mfa_lock_idle(Check *check, const TreeNode *node) {
        check_range(check, node, 1, 480);
}

void check_self_test_every(Check *check, const TreeNode *node) {
        check_range(check, node, 0, 1440);
}

void check_keep_days(Check *check, const TreeNode *node) {
        check_range(check, node, 1, 3660);
}

void check_grant_minutes(Check *check, const TreeNode *node) {
        check_range(check, node, 1, GRANTS_MINUTES_MAX);
}

void check_mfa_relying_party(Check *check, const TreeNode *node) {
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";

        if (strspn(node->text, allowed) != node->length)
                check_fault(check, node,
                            "not a relying party; expected a host name: small letters, digits, . and -");
}

void check_mfa_attestation(Check *check, const TreeNode *node) {
        if (!tree_is(node, "none") && (node->text[0] != '/' || node->length < 2))
                check_fault(check, node, "expected none, or the path of a file with certificates");
}

void check_mfa_path(Check *check, const TreeNode *node) {
        if (node->text[0] != '/' || node->length < 2)
                check_fault(check, node, "expected the path of a file, from / on");
}

void check_mfa_card(Check *check, const TreeNode *node) {
        const TreeNode *crl = tree_find(check->tree, node, "crl");

        if (crl && !tree_find(check->tree, node, "ca"))
                check_fault(check, crl, "nobody signed these; expected \"ca\" besides \"crl\"");
}
