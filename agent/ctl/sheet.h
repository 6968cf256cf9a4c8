/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sheet.h: a sheet of titled tables, and how it is given out: as text, as a page that is printed and signed,
 * as CSV for a spreadsheet, as JSON. Pure but for the stream; what is in the tables is review.c's business.
 * Names of files and people come from whoever chose them: each form escapes what would be more than text in
 * it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
        SHEET_COLUMNS = 4,
        SHEET_REMARKS = 2
};

typedef struct SheetRow {
        char *cells[SHEET_COLUMNS]; /* owned; NULL for nothing */
        uint64_t times;             /* of what is counted, the cell "times" */
} SheetRow;

typedef struct SheetTable {
        const char *key, *title;         /* for programs, and for people */
        const char *keys[SHEET_COLUMNS]; /* of the columns; NULL: no more of them */
        const char *headings[SHEET_COLUMNS];
        SheetRow *rows;
        size_t n, allocated;
} SheetTable;

typedef struct Sheet {
        const char *title, *host;
        char *period;
        char *remarks[SHEET_REMARKS]; /* what the reader has to know first; NULL: nothing */
        const char *month;
        SheetTable *tables;
        size_t n_tables;
} Sheet;

/* Adds a row, whose cells are copied. 0 or -ENOMEM. */
int sheet_add(SheetTable *table, const char *const cells[static SHEET_COLUMNS], uint64_t times);

/* Counts TIMES more in the row whose first two cells are these, adding it if there is none; the third
 * becomes THIRD (may be NULL: it stays). 0 or -ENOMEM. */
int sheet_count(SheetTable *table, const char *first, const char *second, const char *third, uint64_t times);

/* The most frequent first. */
void sheet_sort(SheetTable *table);
void sheet_table_clear(SheetTable *table);

/* 0 or -ENOMEM. */
int sheet_print_text(const Sheet *sheet, FILE *to);
int sheet_print_html(const Sheet *sheet, FILE *to);
int sheet_print_csv(const Sheet *sheet, FILE *to);
int sheet_print_json(const Sheet *sheet);

/* TEXT as a cell of CSV: quoted, and no formula. 0 or -ENOMEM. */
int sheet_put_csv(const char *text, FILE *to);
