/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/table.h"
#include "agent/ctl/text.h"

static void utf8(void) {
        cr_assert_not_null(setlocale(LC_CTYPE, "C.UTF-8"));
}

static const struct {
        const char *text, *shown;
} texts[] = {
        {"", ""},
        {"plain text", "plain text"},
        {"課税課 ｶｾﾞｲ", "課税課 ｶｾﾞｲ"},
        {"a\nb\tc\r", "a\\x0ab\\x09c\\x0d"},
        {"\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"},
        {"\x7f", "\\x7f"},
        {"\xc2\x9b"
         "31m",
         "\\u009b31m"}, /* CSI in one character */
        {"txt.\xe2\x80\xae"
         "exe",
         "txt.\\u202eexe"}, /* right-to-left override */
        {"a\xe2\x80\x8b"
         "b",
         "a\\u200bb"}, /* zero-width space */
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xe8\xaa", "\\xe8\\xaa"},          /* cut off */
        {"\xc0\xaf", "\\xc0\\xaf"},          /* not the shortest form */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
};

Test(text, that_steers_a_terminal_is_shown_as_what_it_is, .init = utf8) {
        for (size_t i = 0; i < ELEMENTS(texts); i++) {
                CLEANUP_FREE char *shown = text_for_terminal(texts[i].text);

                cr_expect_str_eq(shown, texts[i].shown);
        }
}

Test(text, width_counts_japanese_as_two_and_combining_as_none, .init = utf8) {
        cr_expect_eq(text_width(""), 0);
        cr_expect_eq(text_width("abc"), 3);
        cr_expect_eq(text_width("課税課"), 6);
        cr_expect_eq(text_width("ｶｾﾞｲ"), 4);
        cr_expect_eq(text_width("e\xcc\x81"), 1);
}

Test(text, that_is_no_utf8_becomes_valid) {
        CLEANUP_FREE char *valid = text_valid("a\xff"
                                              "b\xe8\xaa\0c",
                                              7);

        cr_assert_str_eq(valid, "a\xef\xbf\xbd"
                                "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                                "c");
}

static char *print(Table *table) {
        char *text = NULL;
        size_t size = 0;
        FILE *to = open_memstream(&text, &size);

        table_print(table, to);
        fclose(to);
        return text;
}

Test(table, columns_stand_below_each_other, .init = utf8) {
        const char *const headings[] = {"A", "RULE", "C"};
        const char *const first[] = {"long cell", "課税課", "x"}, *const second[] = {"s", NULL, ""};
        CLEANUP_TABLE Table *table = table_new(headings, 3);
        CLEANUP_FREE char *text = NULL;

        cr_assert_eq(table_add(table, first), 0);
        cr_assert_eq(table_add(table, second), 0);
        cr_assert_eq(table_rows(table), 2);
        text = print(table);
        cr_assert_str_eq(text, "A          RULE    C\n"
                               "long cell  課税課  x\n"
                               "s          -       -\n");
}

Test(table, rows_that_come_later_keep_the_widths, .init = utf8) {
        const char *const headings[] = {"A", "B"};
        const char *const first[] = {"wide cell", "x"}, *const second[] = {"n", "y"};
        CLEANUP_TABLE Table *table = table_new(headings, 2);
        CLEANUP_FREE char *before = NULL;
        CLEANUP_FREE char *after = NULL;

        cr_assert_eq(table_add(table, first), 0);
        before = print(table);
        cr_assert_not_null(strstr(before, "wide cell  x\n"));
        cr_assert_eq(table_rows(table), 0);
        cr_assert_eq(table_add(table, second), 0);
        after = print(table);
        cr_assert_str_eq(after, "n          y\n");
}

Test(table, a_cell_without_bounds_moves_only_its_own_row, .init = utf8) {
        const char *const headings[] = {"A", "B"};
        CLEANUP_TABLE Table *table = table_new(headings, 2);
        CLEANUP_FREE char *text = NULL;
        char cell[4096];
        const char *const first[] = {cell, "x"}, *const second[] = {"n", "y"};

        memset(cell, 'a', sizeof(cell) - 1);
        cell[sizeof(cell) - 1] = '\0';
        cr_assert_eq(table_add(table, first), 0);
        cr_assert_eq(table_add(table, second), 0);
        text = print(table);
        /* headings, the long row, and the row whose second cell stands where it would without the long one
         */
        cr_assert_eq(strlen(text), TABLE_WIDTH_MAX + 4 + sizeof(cell) - 1 + 4 + TABLE_WIDTH_MAX + 4);
}

Test(table, with_more_columns_than_there_may_be_is_refused) {
        const char *const headings[TABLE_COLUMNS_MAX + 1] = {"A"};

        cr_assert_null(table_new(headings, TABLE_COLUMNS_MAX + 1));
}
