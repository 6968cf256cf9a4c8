/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/utf8.h"

enum {
        WORDS_MAX = 1024
};

static bool check_value(Check *check, const cyaml_schema_value_t *schema, const FieldCheck *extra,
                        const TreeNode *node);

/* "a, b, c" of a table's words or keys. */
static void list_words(const cyaml_strval_t *words, uint32_t n, char buffer[static WORDS_MAX]) {
        size_t at = 0;

        buffer[0] = '\0';
        for (uint32_t i = 0; i < n && at < WORDS_MAX; i++)
                at += (size_t)snprintf(buffer + at, WORDS_MAX - at, "%s%s", i ? ", " : "", words[i].str);
}

static void list_keys(const cyaml_schema_field_t *fields, char buffer[static WORDS_MAX]) {
        size_t at = 0;

        buffer[0] = '\0';
        for (uint32_t i = 0; fields[i].key && at < WORDS_MAX; i++)
                at += (size_t)snprintf(buffer + at, WORDS_MAX - at, "%s%s", i ? ", " : "", fields[i].key);
}

const char *check_kind(const Check *check, const TreeNode *node) {
        switch (node->kind) {
        case TREE_SCALAR:
                return faults_text(check->faults, N_("a single value"));
        case TREE_SEQUENCE:
                return faults_text(check->faults, N_("a list"));
        case TREE_MAPPING:
                return faults_text(check->faults, N_("a mapping"));
        }
        return "?";
}

/* What a plain scalar would be to other readers of YAML (1.2, core schema): the policy takes only what every
 * reader, and a person, takes the same way. */
static bool looks_like_number(const char *s) {
        static const char digits[] = "0123456789";
        size_t whole, fraction = 0;

        if (strncmp(s, "0o", 2) == 0)
                return s[2] && s[2 + strspn(s + 2, "01234567")] == '\0';
        if (strncmp(s, "0x", 2) == 0)
                return s[2] && s[2 + strspn(s + 2, "0123456789abcdefABCDEF")] == '\0';
        if (strcmp(s, ".nan") == 0 || strcmp(s, ".NaN") == 0 || strcmp(s, ".NAN") == 0)
                return true;
        if (*s == '+' || *s == '-')
                s++;
        if (strcmp(s, ".inf") == 0 || strcmp(s, ".Inf") == 0 || strcmp(s, ".INF") == 0)
                return true;
        whole = strspn(s, digits);
        s += whole;
        if (*s == '.') {
                fraction = strspn(++s, digits);
                s += fraction;
        }
        if (whole == 0 && fraction == 0)
                return false;
        if (*s == 'e' || *s == 'E') {
                s++;
                if (*s == '+' || *s == '-')
                        s++;
                whole = strspn(s, digits);
                return whole > 0 && s[whole] == '\0';
        }
        return *s == '\0';
}

static bool looks_like_other_than_text(const char *s) {
        static const char *const words[] = {"",     "~",    "null",  "Null",  "NULL", "true",
                                            "True", "TRUE", "false", "False", "FALSE"};

        for (size_t i = 0; i < ELEMENTS(words); i++)
                if (strcmp(s, words[i]) == 0)
                        return true;
        return false;
}

static bool check_characters(Check *check, const TreeNode *node) {
        bool seen = false;

        for (size_t i = 0; i < node->length;) {
                uint32_t c = 0;
                size_t n = utf8_next(node->text + i, node->length - i, &c);

                if (n == 0 || utf8_is_control(c)) {
                        check_fault(check, node,
                                    "control character U+%04X; expected one line of visible text", c);
                        return false;
                }
                seen = seen || !utf8_is_blank(c);
                i += n;
        }
        if (!seen)
                check_fault(check, node, "nothing but blanks; expected text");
        return seen;
}

static bool check_scalar_text(Check *check, const TreeNode *node, size_t max, bool number_is_text) {
        char text[QUOTE_MAX];

        if (node->kind != TREE_SCALAR) {
                check_fault(check, node, "%s; expected text", check_kind(check, node));
                return false;
        }
        if (node->length == 0) {
                check_fault(check, node, "empty; expected text");
                return false;
        }
        if (node->plain &&
            (looks_like_other_than_text(node->text) || (!number_is_text && looks_like_number(node->text)))) {
                check_fault(check, node, "%s is not text as it stands; expected it in quotes",
                            quote(node->text, node->length, text));
                return false;
        }
        if (node->length > max) {
                check_fault(check, node, "%zu bytes long; expected at most %zu", node->length, max);
                return false;
        }
        return check_characters(check, node);
}

bool check_text(Check *check, const TreeNode *node, size_t max) {
        return check_scalar_text(check, node, max, false);
}

static bool check_enum(Check *check, const cyaml_schema_value_t *schema, const TreeNode *node) {
        char words[WORDS_MAX], text[QUOTE_MAX];

        if (node->kind == TREE_SCALAR)
                for (uint32_t i = 0; i < schema->enumeration.count; i++)
                        if (tree_is(node, schema->enumeration.strings[i].str))
                                return true;
        list_words(schema->enumeration.strings, schema->enumeration.count, words);
        if (node->kind == TREE_SCALAR)
                check_fault(check, node, "%s is not known here; expected one of: %s",
                            quote(node->text, node->length, text), words);
        else
                check_fault(check, node, "%s; expected one of: %s", check_kind(check, node), words);
        return false;
}

/* Decimal, without sign, leading zeros or quotes: nothing that readers of YAML take differently. */
static bool check_number(Check *check, const TreeNode *node) {
        char text[QUOTE_MAX];

        if (node->kind == TREE_SCALAR && node->plain && node->length > 0 && node->length <= 18 &&
            strspn(node->text, "0123456789") == node->length && (node->text[0] != '0' || node->length == 1))
                return true;
        if (node->kind == TREE_SCALAR)
                check_fault(check, node, "%s; expected a whole number in decimal digits, without quotes",
                            quote(node->text, node->length, text));
        else
                check_fault(check, node, "%s; expected a whole number", check_kind(check, node));
        return false;
}

/* Two words of the many that one or another reader of YAML takes for a truth value. */
static bool check_flag(Check *check, const TreeNode *node) {
        char text[QUOTE_MAX];

        if (node->plain && (tree_is(node, "true") || tree_is(node, "false")))
                return true;
        if (node->kind == TREE_SCALAR)
                check_fault(check, node, "%s; expected true or false, without quotes",
                            quote(node->text, node->length, text));
        else
                check_fault(check, node, "%s; expected true or false", check_kind(check, node));
        return false;
}

static bool check_sequence(Check *check, const cyaml_schema_value_t *schema, const FieldCheck *extra,
                           const TreeNode *node) {
        bool good = true;

        if (node->kind != TREE_SEQUENCE) {
                check_fault(check, node, "%s; expected a list", check_kind(check, node));
                return false;
        }
        if (node->n_children < schema->sequence.min) {
                check_fault(check, node, "a list of %u; expected at least %u, or no such key",
                            node->n_children, schema->sequence.min);
                good = false;
        }
        if (node->n_children > schema->sequence.max) {
                check_fault(check, node, "a list of %u; expected at most %u", node->n_children,
                            schema->sequence.max);
                good = false;
        }
        for (const TreeNode *entry = tree_first(check->tree, node); entry;
             entry = tree_next(check->tree, entry))
                if (!check_value(check, schema->sequence.entry, extra, entry))
                        good = false;
                else if (extra && extra->entry)
                        extra->entry(check, entry);
        return good;
}

/* The index of the field that KEY names, -1 after a fault. */
static int check_key(Check *check, const cyaml_schema_field_t *fields, const TreeNode *key,
                     const size_t seen[static CHECK_FIELDS_MAX]) {
        char words[WORDS_MAX], text[QUOTE_MAX];

        if (key->kind != TREE_SCALAR) {
                check_fault(check, key, "a key that is no text; expected a word");
                return -1;
        }
        for (int i = 0; fields[i].key; i++) {
                if (!tree_is(key, fields[i].key))
                        continue;
                if (seen[i] == 0)
                        return i;
                check_fault(check, key, "key \"%s\" stands here twice, first in line %zu; expected it once",
                            fields[i].key, seen[i]);
                return -1;
        }
        list_keys(fields, words);
        check_fault(check, key, "unknown key %s; expected one of: %s", quote(key->text, key->length, text),
                    words);
        return -1;
}

/* What is attached to FIELDS. Valid until the next call. */
static const MappingChecks *find_checks(Check *check, const cyaml_schema_field_t *fields) {
        MappingChecks *checks;

        for (size_t i = 0; i < check->n_known && i < CHECK_KNOWN_MAX; i++)
                if (check->known[i].fields == fields)
                        return &check->known[i];
        checks = &check->known[check->n_known++ % CHECK_KNOWN_MAX];
        *checks = (MappingChecks){.fields = fields, .whole = field_check_find(fields, NULL)};
        for (size_t i = 0; fields[i].key && i < CHECK_FIELDS_MAX; i++)
                checks->by_key[i] = field_check_find(fields, fields[i].key);
        return checks;
}

static bool check_mapping(Check *check, const cyaml_schema_field_t *fields, const TreeNode *node) {
        size_t seen[CHECK_FIELDS_MAX] = {0};
        const TreeNode *value = NULL;
        bool good = true;

        if (node->kind != TREE_MAPPING) {
                check_fault(check, node, "%s; expected a mapping (key: value)", check_kind(check, node));
                return false;
        }
        for (const TreeNode *key = tree_first(check->tree, node); key; key = tree_next(check->tree, value)) {
                const FieldCheck *extra;
                int i = check_key(check, fields, key, seen);

                value = tree_next(check->tree, key);
                if (i < 0) {
                        good = false;
                        continue;
                }
                seen[i] = key->line;
                extra = find_checks(check, fields)->by_key[i];
                if (!check_value(check, &fields[i].value, extra, value))
                        good = false;
                else if (extra && extra->value)
                        extra->value(check, value);
        }
        for (int i = 0; fields[i].key; i++)
                if (seen[i] == 0 && !(fields[i].value.flags & CYAML_FLAG_OPTIONAL)) {
                        check_fault(check, node, "key \"%s\" is missing; expected it in this mapping",
                                    fields[i].key);
                        good = false;
                }
        return good;
}

/* Whether NODE has the type that SCHEMA says, all the way down; faults if not. */
static bool check_value(Check *check, const cyaml_schema_value_t *schema, const FieldCheck *extra,
                        const TreeNode *node) {
        const FieldCheck *whole;
        bool good;

        switch (schema->type) {
        case CYAML_INT:
        case CYAML_UINT:
                return check_number(check, node);
        case CYAML_BOOL:
                return check_flag(check, node);
        case CYAML_ENUM:
                return check_enum(check, schema, node);
        case CYAML_STRING:
                return check_scalar_text(check, node, schema->string.max, extra && extra->number_is_text);
        case CYAML_MAPPING:
                good = check_mapping(check, schema->mapping.fields, node);
                whole = find_checks(check, schema->mapping.fields)->whole;
                if (node->kind == TREE_MAPPING && whole && whole->value)
                        whole->value(check, node);
                return good;
        case CYAML_SEQUENCE:
                return check_sequence(check, schema, extra, node);
        case CYAML_IGNORE: /* all of it is the attached check's matter */
                return true;
        case CYAML_FLAGS:
        case CYAML_FLOAT:
        case CYAML_BITFIELD:
        case CYAML_SEQUENCE_FIXED:
        case CYAML__TYPE_COUNT:
                break;
        }
        check_fault(check, node, "the grammar has no meaning for this");
        return false;
}

void check_tree(Check *check) {
        check_value(check, &policy_schema, NULL, tree_root(check->tree));
}
