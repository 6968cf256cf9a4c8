/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/text.h"

struct Table {
        const char *const *headings;
        size_t n_columns, n_rows, allocated;
        size_t widths[TABLE_COLUMNS_MAX];
        char **cells; /* n_rows * n_columns */
        bool has_headings;
};

static void widen(Table *table, size_t column, const char *cell) {
        size_t width = text_width(cell);

        if (width > TABLE_WIDTH_MAX)
                width = TABLE_WIDTH_MAX;
        if (table->widths[column] < width)
                table->widths[column] = width;
}

Table *table_new(const char *const *headings, size_t n) {
        Table *table = n <= TABLE_COLUMNS_MAX ? calloc(1, sizeof(*table)) : NULL;

        if (!table)
                return NULL;
        table->headings = headings;
        table->n_columns = n;
        for (size_t i = 0; i < n; i++)
                widen(table, i, headings[i]);
        return table;
}

static void forget_rows(Table *table) {
        for (size_t i = 0; i < table->n_rows * table->n_columns; i++)
                free(table->cells[i]);
        table->n_rows = 0;
}

void table_free(Table *table) {
        if (!table)
                return;
        forget_rows(table);
        free(table->cells);
        free(table);
}

static int grow(Table *table) {
        size_t allocated = table->allocated ? table->allocated * 2 : 16;
        char **cells;

        if (table->n_rows < table->allocated)
                return 0;
        cells = reallocarray(table->cells, allocated, table->n_columns * sizeof(*cells));
        if (!cells)
                return -ENOMEM;
        table->cells = cells;
        table->allocated = allocated;
        return 0;
}

int table_add(Table *table, const char *const *cells) {
        char **row;

        if (grow(table) < 0)
                return -ENOMEM;
        row = table->cells + table->n_rows * table->n_columns;
        for (size_t i = 0; i < table->n_columns; i++) {
                row[i] = text_for_terminal(cells[i] && *cells[i] ? cells[i] : "-");
                if (!row[i]) {
                        while (i-- > 0)
                                free(row[i]);
                        return -ENOMEM;
                }
                widen(table, i, row[i]);
        }
        table->n_rows++;
        return 0;
}

static void print_row(const Table *table, const char *const *cells, FILE *to) {
        size_t pad = 0;

        for (size_t i = 0; i < table->n_columns; i++) {
                size_t width = text_width(cells[i]);

                fprintf(to, "%*s%s", (int)pad, "", cells[i]);
                pad = 2 + (width < table->widths[i] ? table->widths[i] - width : 0);
        }
        fputc('\n', to);
}

void table_print(Table *table, FILE *to) {
        if (!table->has_headings)
                print_row(table, table->headings, to);
        table->has_headings = true;
        for (size_t i = 0; i < table->n_rows; i++)
                print_row(table, (const char *const *)table->cells + i * table->n_columns, to);
        forget_rows(table);
}

size_t table_rows(const Table *table) {
        return table->n_rows;
}
