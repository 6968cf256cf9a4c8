/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.h: the names of all rules of all files, to find those given twice: a record in the journal names the
 * rule that decided, so a name means one rule.
 */
#pragma once

#include "policy/faults.h"

typedef struct RuleName {
        char *name;
        const char *file; /* borrowed */
        size_t line, column;
} RuleName;

typedef struct RuleNames {
        RuleName *items;
        size_t n, allocated;
} RuleNames;

/* 0 or -ENOMEM. FILE has to outlive NAMES. */
int rule_names_add(RuleNames *names, const char *name, const char *file, size_t line, size_t column);

/* Adds a fault for each name that was there before, naming the first place. Reorders NAMES. */
void rule_names_find_doubles(RuleNames *names, Faults *faults);

void rule_names_clear(RuleNames *names);
