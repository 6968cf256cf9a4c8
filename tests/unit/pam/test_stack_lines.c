/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <security/_pam_types.h>
#include <string.h>

#include "pam_module/stack/lines.h"

typedef struct LineCase {
        const char *label, *text;
        const char *lines[4]; /* what is read, in order */
        unsigned first;       /* where the last one begins */
        StackLineEnd end;     /* what comes behind them */
} LineCase;

static const LineCase line_cases[] = {
        {"nothing", "", {NULL}, 0, LINE_NONE},
        {"blank lines and comments", "\n \t\n# a\n  # b\n", {NULL}, 0, LINE_NONE},
        {"plain", "a b\n\nc d\n", {"a b\n", "c d\n"}, 3, LINE_NONE},
        {"no newline at the end", "a b", {"a b"}, 1, LINE_NONE},
        {"a comment behind", "a b # c\nd\n", {"a b ", "d\n"}, 2, LINE_NONE},
        {"a comment in brackets", "a [b # c]\n", {"a [b "}, 1, LINE_NONE},
        {"continued", "a \\\n b\n", {"a   b\n"}, 1, LINE_NONE},
        {"blanks behind the backslash", "a \\ \t\nb\n", {"a  b\n"}, 1, LINE_NONE},
        {"over a comment", "a \\\n# b \\\n\nc\n", {"a  c\n"}, 1, LINE_NONE},
        {"a comment ends it", "a \\\nb # \\\nc\n", {"a  b ", "c\n"}, 3, LINE_NONE},
        {"a backslash in a comment", "a # b \\\nc\n", {"a ", "c\n"}, 2, LINE_NONE},
        {"a backslash within", "a \\ b\nc\n", {"a \\ b\n", "c\n"}, 2, LINE_NONE},
        {"nothing but a backslash", "\\\na\n", {" a\n"}, 1, LINE_NONE},
        {"nothing behind the backslash", "a\nb \\\n", {"a\n"}, 2, LINE_REFUSED},
        {"nothing but comments behind it", "a \\\n\n# b\n", {NULL}, 1, LINE_REFUSED},
        {"carriage returns", "a \\\r\nb\r\n", {"a \\\r\n", "b\r\n"}, 2, LINE_NONE}};

Test(stack_lines, are_those_of_libpam) {
        for (size_t i = 0; i < ELEMENTS(line_cases); i++) {
                const LineCase *c = &line_cases[i];
                StackLines lines = {.text = c->text, .size = strlen(c->text), .number = 1};
                char buffer[STACK_LINE];

                for (size_t j = 0; j < ELEMENTS(c->lines) && c->lines[j]; j++) {
                        cr_expect_eq(stack_line_next(&lines, buffer), LINE_READ, "%s", c->label);
                        cr_expect_str_eq(buffer, c->lines[j], "%s", c->label);
                }
                cr_expect(c->end == LINE_REFUSED || lines.first == c->first, "%s: %u", c->label,
                          lines.first);
                cr_expect_eq(stack_line_next(&lines, buffer), c->end, "%s", c->label);
                cr_expect_not(lines.split, "%s", c->label);
        }
}

/* What a line of N bytes begins with, before TEXT. */
static void fill(char *to, size_t n, const char *text) {
        memset(to, '-', n);
        memcpy(to + n, text, strlen(text) + 1);
}

Test(stack_lines, longer_than_the_buffer_are_two) {
        char text[3 * STACK_LINE], buffer[STACK_LINE];
        StackLines lines = {.text = text, .number = 1};

        fill(text, STACK_LINE - 1, "auth sufficient x\nb\n");
        text[0] = '#';
        lines.size = strlen(text);
        cr_assert_eq(stack_line_next(&lines, buffer), LINE_READ);
        cr_expect_str_eq(buffer, "auth sufficient x\n");
        cr_expect(lines.split && lines.first == 1);
        cr_assert_eq(stack_line_next(&lines, buffer), LINE_READ);
        cr_expect_str_eq(buffer, "b\n");
        cr_expect(!lines.split && lines.first == 2);
}

Test(stack_lines, with_a_backslash_as_the_last_byte_never_end) {
        char text[3 * STACK_LINE], buffer[STACK_LINE];
        StackLines lines = {.text = text, .number = 1};

        fill(text, STACK_LINE - 2, "\\\nb\n");
        lines.size = strlen(text);
        cr_expect_eq(stack_line_next(&lines, buffer), LINE_HANGS);
        lines = (StackLines){.text = text, .number = 1};
        fill(text, STACK_LINE - 3, "\\\nb\n");
        lines.size = strlen(text);
        cr_expect_eq(stack_line_next(&lines, buffer), LINE_READ, "there is room for one byte");
        cr_expect(lines.split);
}

Test(stack_lines, end_in_a_piece_at_a_nul) {
        static const char text[] = "a\0b\nc\n";
        StackLines lines = {.text = text, .size = sizeof(text) - 1, .number = 1};
        char buffer[STACK_LINE];

        cr_assert_eq(stack_line_next(&lines, buffer), LINE_READ);
        cr_expect_str_eq(buffer, "a");
        cr_assert_eq(stack_line_next(&lines, buffer), LINE_READ);
        cr_expect_str_eq(buffer, "c\n");
}

Test(stack_lines, have_words_and_brackets) {
        static const struct {
                const char *text, *words[5];
        } cases[] = {{"", {NULL}},
                     {" \t\n", {NULL}},
                     {"a\tb  c\n", {"a", "b", "c"}},
                     {"[a b] c", {"a b", "c"}},
                     {"[a b]c d", {"a b", "c", "d"}},
                     {"a[b c]", {"a[b", "c]"}},
                     {"[a [b] c", {"a [b", "c"}},
                     {"[a \\] b] c", {"a ] b", "c"}},
                     {"[a \\b] c", {"a \\b", "c"}},
                     {"[] a", {"", "a"}},
                     {"a [b c", {"a", "b c"}},
                     {"a\r b", {"a\r", "b"}}};

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_FREE char *text = strdup(cases[i].text);
                char *next = text;

                cr_assert_not_null(text);
                for (size_t j = 0; cases[i].words[j]; j++) {
                        const char *word = stack_word(NULL, &next);

                        cr_expect(word && strcmp(word, cases[i].words[j]) == 0, "'%s': %s, not %s",
                                  cases[i].text, word, cases[i].words[j]);
                }
                cr_expect_null(stack_word(NULL, &next), "%s", cases[i].text);
        }
}

typedef struct ControlCase {
        const char *text;
        bool understood;
        int32_t success, new_authtok, ignore, others;
} ControlCase;

static const ControlCase control_cases[] = {
        {"required", true, ACTION_OK, ACTION_OK, ACTION_IGNORE, ACTION_BAD},
        {"RequisitE", true, ACTION_OK, ACTION_OK, ACTION_IGNORE, ACTION_DIE},
        {"sufficient", true, ACTION_DONE, ACTION_DONE, ACTION_IGNORE, ACTION_IGNORE},
        {"optional", true, ACTION_OK, ACTION_OK, ACTION_IGNORE, ACTION_IGNORE},
        {"success=ok", true, ACTION_OK, ACTION_BAD, ACTION_BAD, ACTION_BAD},
        {"success=ok new_authtok_reqd=ok ignore=ignore default=bad", true, ACTION_OK, ACTION_OK,
         ACTION_IGNORE, ACTION_BAD},
        {" success = 2\tdefault = reset ", true, 2, ACTION_RESET, ACTION_RESET, ACTION_RESET},
        {"default=die success=ok", true, ACTION_OK, ACTION_DIE, ACTION_DIE, ACTION_DIE},
        {"default=die default=ok", true, ACTION_DIE, ACTION_DIE, ACTION_DIE, ACTION_DIE},
        {"success=okdefault=done", true, ACTION_OK, ACTION_DONE, ACTION_DONE, ACTION_DONE},
        {"success=ok success=bad", true, ACTION_BAD, ACTION_BAD, ACTION_BAD, ACTION_BAD},
        {"success=007", true, 7, ACTION_BAD, ACTION_BAD, ACTION_BAD},
        {"success=4294967297", true, 1, ACTION_BAD, ACTION_BAD, ACTION_BAD},
        {"success=4294967295", true, ACTION_OK, ACTION_BAD, ACTION_BAD, ACTION_BAD},
        {"", true, ACTION_BAD, ACTION_BAD, ACTION_BAD, ACTION_BAD},
        {"success=0", false, ACTION_BAD, ACTION_BAD, ACTION_BAD, ACTION_BAD},
        {"default=ok success=", false, ACTION_BAD, ACTION_BAD, ACTION_BAD, ACTION_BAD},
        {"default=ok success", false, ACTION_BAD, ACTION_BAD, ACTION_BAD, ACTION_BAD},
        {"success=ok,default=ok", false, ACTION_BAD, ACTION_BAD, ACTION_BAD, ACTION_BAD},
        {"SUCCESS=ok", false, ACTION_BAD, ACTION_BAD, ACTION_BAD, ACTION_BAD},
        {"success=-1", false, ACTION_BAD, ACTION_BAD, ACTION_BAD, ACTION_BAD},
        {"suficient", false, ACTION_BAD, ACTION_BAD, ACTION_BAD, ACTION_BAD}};

Test(stack_lines, have_controls) {
        for (size_t i = 0; i < ELEMENTS(control_cases); i++) {
                const ControlCase *c = &control_cases[i];
                int32_t actions[STACK_CODES];

                cr_expect_eq(stack_control(c->text, actions), c->understood, "%s", c->text);
                cr_expect_eq(actions[PAM_SUCCESS], c->success, "%s: %d", c->text, actions[PAM_SUCCESS]);
                cr_expect_eq(actions[PAM_NEW_AUTHTOK_REQD], c->new_authtok, "%s", c->text);
                cr_expect_eq(actions[PAM_IGNORE], c->ignore, "%s", c->text);
                cr_expect_eq(actions[PAM_AUTH_ERR], c->others, "%s", c->text);
                cr_expect_eq(actions[PAM_INCOMPLETE], c->others, "%s", c->text);
        }
}
