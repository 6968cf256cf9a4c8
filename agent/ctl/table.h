/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h: a table for people: left-aligned columns as wide as what is in them, counted in columns of the
 * terminal. Cells may come from anywhere; they are made safe here.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "policy/scope.h"

enum {
        TABLE_COLUMNS_MAX = 12,
        TABLE_WIDTH_MAX = 48 /* a cell that is wider pushes the rest of its own row only */
};

typedef struct Table Table;

/* HEADINGS are borrowed, N of them. NULL if memory is short. */
Table *table_new(const char *const *headings, size_t n);
void table_free(Table *table);

/* Adds a row of as many cells, which are copied; NULL and "" show as "-". 0 or -ENOMEM. */
int table_add(Table *table, const char *const *cells);

/* Prints the rows and forgets them, under the headings the first time. Widths never shrink, so that rows
 * that come later stand below the earlier ones. */
void table_print(Table *table, FILE *to);

/* How many rows wait to be printed. */
size_t table_rows(const Table *table);

DEFINE_CLEANUP(Table, table_free);
#define CLEANUP_TABLE CLEANUP(scope_table_free)
