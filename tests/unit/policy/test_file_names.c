/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "policy/file_names.h"
#include "policy/scope.h"

static const FileNamesSecret masked = {.how = FILE_NAMES_MASKED},
                             keyed = {.how = FILE_NAMES_KEYED, .key = "a"};

Test(file_names, masked_leave_the_volume_and_a_usual_extension) {
        static const struct {
                const char *path, *mount, *hidden;
        } cases[] = {
                {"/media/usb/住民/山田太郎.xlsx", "/media/usb", "/media/usb/*.xlsx"},
                {"/media/usb/a.XLSX", "/media/usb", "/media/usb/*.XLSX"},
                {"/media/usb/yamada.taro", "/media/usb", "/media/usb/*"},
                {"/media/usb/.xlsx", "/media/usb", "/media/usb/*"},
                {"/media/usb", "/media/usb", "/media/usb"},
                {"/media/usb2/a.txt", "/media/usb", "*.txt"},
                {"/home/a.txt", NULL, "*.txt"},
                {"/a.txt", "/", "*.txt"},
                {"", NULL, ""},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_FREE char *hidden = NULL;

                cr_assert_eq(file_names_hide(&masked, cases[i].path, cases[i].mount, &hidden), 0);
                cr_expect_str_eq(hidden, cases[i].hidden, "%s", cases[i].path);
        }
}

Test(file_names, keyed_are_the_same_for_the_same_name_and_the_same_key_only) {
        char token[FILE_NAME_TOKEN], other[FILE_NAME_TOKEN];
        FileNamesSecret second = {.how = FILE_NAMES_KEYED, .key = "b"};
        CLEANUP_FREE char *hidden = NULL, *again = NULL, *elsewhere = NULL;

        cr_assert_eq(file_names_hide(&keyed, "/media/usb/住民/山田.xlsx", "/media/usb", &hidden), 0);
        cr_assert_eq(file_names_hide(&keyed, "/mnt/住民/山田.xlsx", "/mnt", &again), 0);
        cr_assert_eq(file_names_hide(&second, "/media/usb/住民/山田.xlsx", "/media/usb", &elsewhere), 0);
        cr_expect_str_eq(hidden + strlen("/media/usb"), again + strlen("/mnt"));
        cr_expect_str_neq(hidden, elsewhere);
        cr_expect_null(strstr(hidden, "山田"));
        cr_expect_null(strstr(hidden, "住民"));
        file_name_token(keyed.key, "山田.xlsx", strlen("山田.xlsx"), token);
        file_name_token(keyed.key, "山田.xls", strlen("山田.xls"), other);
        cr_expect_str_neq(token, other);
        cr_expect(file_names_has(hidden, "山田.xlsx", token));
        cr_expect_not(file_names_has(hidden, "山田.xls", other));
        cr_expect_not(file_names_has(hidden, "山田.xlsx", NULL));
        cr_expect(file_names_has("/media/usb/住民/山田.xlsx", "山田.xlsx", token));
        cr_expect_not(file_names_has("/media/usb/住民/山田.xlsx.bak", "山田.xlsx", token));
}

Test(file_names, of_commands_nothing_stays_but_the_program) {
        static const struct {
                const char *command, *hidden;
        } cases[] = {
                {"cp 山田太郎.xlsx /media/usb", "cp ..."},
                {"/usr/bin/soffice --calc 山田.ods", "/usr/bin/soffice ..."},
                {"/media/usb/山田.sh now", "* ..."},
                {"/usr/../home/山田 now", "* ..."},
                {"bash", "bash"},
                {"", ""},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_FREE char *hidden = NULL;

                cr_assert_eq(file_names_hide_command(cases[i].command, &hidden), 0);
                cr_expect_str_eq(hidden, cases[i].hidden);
        }
}
