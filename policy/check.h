/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check.h: a document against the grammar. Goes on after a fault, so that one run finds them all.
 */
#pragma once

#include "policy/faults.h"
#include "policy/names.h"
#include "policy/schema.h"
#include "policy/tree.h"

enum {
        CHECK_FIELDS_MAX = 32, /* keys of a mapping */
        CHECK_KNOWN_MAX = 8
};

typedef struct FieldCheck FieldCheck;

/* What is attached to the mapping FIELDS and its keys, as field_check_find() tells. */
typedef struct MappingChecks {
        const cyaml_schema_field_t *fields;
        const FieldCheck *whole, *by_key[CHECK_FIELDS_MAX];
} MappingChecks;

typedef struct Check {
        const char *file;
        const Tree *tree;
        Faults *faults;
        RuleNames *names;                     /* of all files so far */
        MappingChecks known[CHECK_KNOWN_MAX]; /* of those that were looked at last; lists repeat them */
        size_t n_known;
} Check;

/* Adds every fault of the tree to CHECK's faults. */
void check_tree(Check *check);

/* For the checks attached to fields: a fault at NODE. */
#define check_fault(check, node, ...)                                                                       \
        faults_add((check)->faults, (check)->file, (node)->line, (node)->column, __VA_ARGS__)

/* What NODE is, as faults name it: "a mapping" and the like, in the faults' language. */
const char *check_kind(const Check *check, const TreeNode *node);

/* Whether NODE is text (in quotes, or nothing else could be meant) of at most MAX bytes with something to be
 * seen in it; a fault if not. */
bool check_text(Check *check, const TreeNode *node, size_t max);

/* What is checked of a value beyond its type. */
typedef void (*NodeCheck)(Check *check, const TreeNode *node);

/* FIELDS and KEY name the field; without KEY the whole mapping, which is checked after its values and
 * whether or not these are right. */
struct FieldCheck {
        const cyaml_schema_field_t *fields;
        const char *key;
        NodeCheck value, entry; /* of the field, and of each entry if it is a list */
        bool number_is_text;    /* 443 may stand without quotes */
};

/* NULL if nothing is attached. */
const FieldCheck *field_check_find(const cyaml_schema_field_t *fields, const char *key);
