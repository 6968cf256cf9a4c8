/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/sheet.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/json.h"
#include "agent/ctl/table.h"
#include "agent/ctl/text.h"

#define TIMES "times"

static void row_clear(SheetRow *row) {
        for (size_t i = 0; i < SHEET_COLUMNS; i++)
                free(row->cells[i]);
}

static int row_copy(const char *const cells[static SHEET_COLUMNS], SheetRow *row) {
        for (size_t i = 0; i < SHEET_COLUMNS; i++)
                if (cells[i] && !(row->cells[i] = strdup(cells[i]))) {
                        row_clear(row);
                        return -ENOMEM;
                }
        return 0;
}

int sheet_add(SheetTable *table, const char *const cells[static SHEET_COLUMNS], uint64_t times) {
        SheetRow row = {.times = times};

        if (table->n == table->allocated) {
                size_t more = table->allocated ? 2 * table->allocated : 16;
                SheetRow *rows = reallocarray(table->rows, more, sizeof(*rows));

                if (!rows)
                        return -ENOMEM;
                table->rows = rows;
                table->allocated = more;
        }
        if (row_copy(cells, &row) < 0)
                return -ENOMEM;
        table->rows[table->n++] = row;
        return 0;
}

static int same(const char *a, const char *b) {
        return a && b ? strcmp(a, b) == 0 : a == b;
}

int sheet_count(SheetTable *table, const char *first, const char *second, const char *third,
                uint64_t times) {
        const char *const cells[SHEET_COLUMNS] = {first, second, third, NULL};

        for (size_t i = 0; i < table->n; i++) {
                SheetRow *row = &table->rows[i];
                char *copy;

                if (!same(row->cells[0], first) || !same(row->cells[1], second))
                        continue;
                row->times += times;
                if (!third)
                        return 0;
                copy = strdup(third);
                if (!copy)
                        return -ENOMEM;
                free(row->cells[2]);
                row->cells[2] = copy;
                return 0;
        }
        return sheet_add(table, cells, times);
}

static int by_times(const void *left, const void *right) {
        const SheetRow *a = left, *b = right;

        return a->times > b->times ? -1 : a->times < b->times;
}

void sheet_sort(SheetTable *table) {
        if (table->n > 0)
                qsort(table->rows, table->n, sizeof(*table->rows), by_times);
}

void sheet_table_clear(SheetTable *table) {
        for (size_t i = 0; i < table->n; i++)
                row_clear(&table->rows[i]);
        free(table->rows);
        table->rows = NULL;
        table->n = table->allocated = 0;
}

static size_t columns_of(const SheetTable *table) {
        size_t n = 0;

        while (n < SHEET_COLUMNS && table->keys[n])
                n++;
        return n;
}

/* The text of a cell, with NUMBER to write a number into. */
static const char *cell(const SheetTable *table, const SheetRow *row, size_t column,
                        char number[static 24]) {
        if (strcmp(table->keys[column], TIMES) != 0)
                return row->cells[column];
        (void)snprintf(number, 24, "%" PRIu64, row->times);
        return number;
}

/* text */

static int print_table(const SheetTable *sheet, FILE *to) {
        CLEANUP_TABLE Table *table = table_new(sheet->headings, columns_of(sheet));
        int r = table ? 0 : -ENOMEM;

        fprintf(to, "\n%s\n", sheet->title);
        for (size_t i = 0; i < sheet->n && r == 0; i++) {
                const char *cells[SHEET_COLUMNS];
                char number[24];

                for (size_t k = 0; k < columns_of(sheet); k++)
                        cells[k] = cell(sheet, &sheet->rows[i], k, number);
                r = table_add(table, cells);
        }
        if (r < 0)
                return r;
        if (sheet->n == 0)
                fprintf(to, "%s\n", _("none"));
        else
                table_print(table, to);
        return 0;
}

int sheet_print_text(const Sheet *sheet, FILE *to) {
        fprintf(to, "%s\n", sheet->title);
        text_print(sheet->host, to);
        fprintf(to, "  %s\n", sheet->period);
        for (size_t i = 0; i < SHEET_REMARKS; i++)
                if (sheet->remarks[i])
                        fprintf(to, "\n%s\n", sheet->remarks[i]);
        for (size_t i = 0; i < sheet->n_tables; i++) {
                int r = print_table(&sheet->tables[i], to);

                if (r < 0)
                        return r;
        }
        fprintf(to, "\n%s ____________________   %s ____________________   %s ______\n", _("Reviewed on"),
                _("Reviewer"), _("Seal"));
        return 0;
}

/* HTML */

/* What is not text on a page, or steers how it is read, is shown as text_for_terminal() shows it. */
static int put_html(const char *text, FILE *to) {
        CLEANUP_FREE char *shown = text_for_terminal(text ? text : "");

        if (!shown)
                return -ENOMEM;
        text_put_html(shown, to);
        return 0;
}

static int put_element(const char *element, const char *text, FILE *to) {
        int r;

        fprintf(to, "<%s>", element);
        r = put_html(text, to);
        fprintf(to, "</%s>", element);
        return r;
}

static int put_html_table(const SheetTable *table, FILE *to) {
        int r = put_element("h2", table->title, to);

        if (table->n == 0) {
                fputs("\n", to);
                return r < 0 ? r : put_element("p", _("none"), to);
        }
        fputs("\n<table><thead><tr>", to);
        for (size_t k = 0; k < columns_of(table) && r == 0; k++)
                r = put_element("th", table->headings[k], to);
        fputs("</tr></thead>\n<tbody>\n", to);
        for (size_t i = 0; i < table->n && r == 0; i++) {
                fputs("<tr>", to);
                for (size_t k = 0; k < columns_of(table) && r == 0; k++) {
                        char number[24];

                        r = put_element("td", cell(table, &table->rows[i], k, number), to);
                }
                fputs("</tr>\n", to);
        }
        fputs("</tbody></table>\n", to);
        return r;
}

int sheet_print_html(const Sheet *sheet, FILE *to) {
        int r;

        /* nothing is fetched, nothing runs: also if an escape were forgotten */
        fprintf(to,
                "<!DOCTYPE html>\n<html lang=\"%s\"><head><meta charset=\"utf-8\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                "'unsafe-inline'\">\n",
                C_("language of the page", "en"));
        r = put_element("title", sheet->title, to);
        fputs("\n<style>@page{size:A4;margin:15mm}body{font-family:sans-serif;font-size:10pt}"
              "h1{font-size:16pt}h2{font-size:12pt;margin:1.2em 0 .3em}"
              "table{border-collapse:collapse;width:100%}th,td{border:1px solid #666;padding:2px 6px;"
              "text-align:left;overflow-wrap:anywhere}thead{display:table-header-group}"
              "tr{break-inside:avoid}.remark{border:2px solid #000;padding:6px}"
              ".sign{width:auto;margin-top:2em}.sign td{height:18mm;width:40mm}</style></head><body>\n",
              to);
        if (r == 0)
                r = put_element("h1", sheet->title, to);
        if (r == 0)
                r = put_element("p", sheet->host, to);
        if (r == 0)
                r = put_element("p", sheet->period, to);
        for (size_t i = 0; i < SHEET_REMARKS && r == 0; i++) {
                if (!sheet->remarks[i])
                        continue;
                fputs("<div class=\"remark\">", to);
                r = put_html(sheet->remarks[i], to);
                fputs("</div>\n", to);
        }
        for (size_t i = 0; i < sheet->n_tables && r == 0; i++)
                r = put_html_table(&sheet->tables[i], to);
        fprintf(to,
                "<table class=\"sign\"><tr><th>%s</th><th>%s</th><th>%s</th></tr>"
                "<tr><td></td><td></td><td></td></tr></table>\n</body></html>\n",
                _("Reviewed on"), _("Reviewer"), _("Seal"));
        return r;
}

/* CSV */

/* RFC 4180; what a spreadsheet would take for a formula is made text. */
int sheet_put_csv(const char *text, FILE *to) {
        CLEANUP_FREE char *valid = text_valid(text ? text : "", text ? strlen(text) : 0);

        if (!valid)
                return -ENOMEM;
        fputc('"', to);
        if (*valid && strchr("=+-@\t\r", *valid))
                fputc('\'', to);
        for (const char *at = valid; *at; at++) {
                if (*at == '"')
                        fputc('"', to);
                fputc(*at, to);
        }
        fputc('"', to);
        return 0;
}

int sheet_print_csv(const Sheet *sheet, FILE *to) {
        int r = 0;

        for (size_t i = 0; i < sheet->n_tables; i++) {
                const SheetTable *table = &sheet->tables[i];

                for (size_t row = 0; row <= table->n; row++) { /* the first has the headings */
                        r = sheet_put_csv(table->title, to);
                        for (size_t k = 0; k < columns_of(table) && r == 0; k++) {
                                char number[24];

                                fputc(',', to);
                                r = sheet_put_csv(row == 0 ? table->headings[k]
                                                           : cell(table, &table->rows[row - 1], k, number),
                                                  to);
                        }
                        if (r < 0)
                                return r;
                        fputs("\r\n", to);
                }
        }
        return 0;
}

/* JSON */

static struct json_object *table_json(const SheetTable *table) {
        struct json_object *list = json_object_new_array();

        for (size_t i = 0; list && i < table->n; i++) {
                struct json_object *row = json_object_new_object();

                for (size_t k = 0; row && k < columns_of(table); k++) {
                        if (strcmp(table->keys[k], TIMES) == 0)
                                json_put_number(row, TIMES, (int64_t)table->rows[i].times);
                        else
                                json_put_text(row, table->keys[k], table->rows[i].cells[k]);
                }
                json_object_array_add(list, row);
        }
        return list;
}

int sheet_print_json(const Sheet *sheet) {
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        struct json_object *remarks = json_object_new_array();

        if (!object) {
                json_object_put(remarks);
                return -ENOMEM;
        }
        json_put_text(object, "host", sheet->host);
        json_put_text(object, "month", sheet->month);
        for (size_t i = 0; remarks && i < SHEET_REMARKS; i++)
                if (sheet->remarks[i])
                        json_append_text(remarks, sheet->remarks[i]);
        json_object_object_add(object, "remarks", remarks);
        for (size_t i = 0; i < sheet->n_tables; i++)
                json_object_object_add(object, sheet->tables[i].key, table_json(&sheet->tables[i]));
        return json_print(object, "\n");
}
