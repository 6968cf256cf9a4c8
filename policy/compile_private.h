/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compile_private.h: what the makers of a policy's sections share. For compile*.c alone.
 */
#pragma once

#include "policy/model.h"
#include "policy/schema.h"
#include "policy/tree.h"

typedef struct Compile {
        Policy *policy;
        const Tree *tree;
        const char *file;
} Compile;

/* "FILE:LINE" of NODE; -EINVAL if there is no node. */
int compile_make_origin(const Compile *compile, const TreeNode *node, char **ret);
/* The same in place of *ORIGIN, which is freed. */
int compile_replace_origin(const Compile *compile, const TreeNode *node, char **origin);
/* Makes room for MORE zeroed elements behind the N of *ITEMS. */
int compile_grow(void **items, size_t n, size_t more, size_t size);
/* 0 in RET, which is untouched, if TEXT is NULL. */
int compile_take_expires(const char *text, time_t *ret);
int compile_take_monitor(const RawMonitor *raw, MonitorSpan *monitor);
/* Takes what RAW owns. */
int compile_take_scope(RawScope *raw, RuleScope *scope);

/* The section network. */
int compile_networks(Compile *compile, RawNetworks *raw, const TreeNode *section);
/* The section mfa. */
int compile_mfa(Compile *compile, RawMfa *raw, const TreeNode *section);

#define GROW(items, n, more)                                                                                \
        __extension__({                                                                                     \
                void *items_ = (items);                                                                     \
                int r_ = compile_grow(&items_, n, more, sizeof(*(items)));                                  \
                (items) = items_;                                                                           \
                r_;                                                                                         \
        })
