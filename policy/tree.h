/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tree.h: one YAML document as nodes that know where they stand in the file. Only what a policy needs: no
 * anchors, no aliases, no tags beside the core ones, one document, bounded in depth and number.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/faults.h"
#include "policy/scope.h"

enum {
        TREE_DEPTH_MAX = 16,
        TREE_NODES_MAX = 400000
};

typedef enum TreeKind {
        TREE_SCALAR,
        TREE_SEQUENCE,
        TREE_MAPPING,
} TreeKind;

typedef struct TreeNode {
        TreeKind kind;
        bool plain; /* a scalar without quotes */
        uint32_t first,
                next; /* first child and next sibling; 0 for none. A mapping's children are key, value, … */
        uint32_t n_children;
        size_t line, column;
        char *text; /* of a scalar; may hold NUL, but is followed by one */
        size_t length;
} TreeNode;

typedef struct Tree {
        TreeNode *nodes; /* the first is the root */
        size_t n, allocated;
} Tree;

/* Parses TEXT. Returns 0; -EBADMSG with what is wrong added to FAULTS; -ENOMEM. RET is to be cleared after
 * success only. */
int tree_parse(const char *file, const char *text, size_t length, Tree *ret, Faults *faults);
void tree_clear(Tree *tree);
#define CLEANUP_TREE CLEANUP(tree_clear)

static inline const TreeNode *tree_root(const Tree *tree) {
        return &tree->nodes[0];
}

static inline const TreeNode *tree_first(const Tree *tree, const TreeNode *node) {
        return node->first ? &tree->nodes[node->first] : NULL;
}

static inline const TreeNode *tree_next(const Tree *tree, const TreeNode *node) {
        return node->next ? &tree->nodes[node->next] : NULL;
}

/* Whether NODE is a scalar of just this text. */
bool tree_is(const TreeNode *node, const char *text);

/* The value of KEY in the mapping NODE, NULL if NODE is none or has no such key. */
const TreeNode *tree_find(const Tree *tree, const TreeNode *node, const char *key);
