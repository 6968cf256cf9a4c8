/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/pam/stack_files.h"

#define MODULES_MAX 64

typedef struct LoadCase {
        const char *label;
        StackText files[4];
        StackOutcome outcome;
        const char *auth, *account; /* "MODULE/LEVEL" of each handler; "!" fails, ">" is before a substack */
        const char *fault;          /* the first; NULL: none */
} LoadCase;

#define S "/etc/pam.d/s"
#define O "/etc/pam.d/other"
#define A "/etc/pam.d/a"

static const LoadCase cases[] = {
        {"types in any case",
         {{S, "AUTH required m\n-Account required n x y\n[auth] optional o\nsession required p\n"}},
         STACK_READY,
         "m/0 o/0",
         "n/0",
         NULL},
        {"include",
         {{S, "auth required m\nauth include a\nauth required o\n"},
          {A, "auth required n\naccount required x\n"}},
         STACK_READY,
         "m/0 n/0 o/0",
         "",
         NULL},
        {"@include",
         {{S, "@include a\nauth required o\n"}, {A, "auth required n\naccount required x\n"}},
         STACK_READY,
         "n/0 o/0",
         "x/0",
         NULL},
        {"@include within include takes the one type",
         {{S, "auth include a\n"},
          {A, "@INCLUDE b\n"},
          {"/etc/pam.d/b", "account required x\nauth required y\n"}},
         STACK_READY,
         "y/0",
         "",
         NULL},
        {"substack",
         {{S, "auth substack a\nauth required o\n"},
          {A, "auth required n\nauth include /x\n"},
          {"/x", "auth required y\n"}},
         STACK_READY,
         ">/0 n/1 y/1 o/0",
         "",
         NULL},
        {"by its path",
         {{S, "auth include /x\n"}, {"/x", "auth required y\n"}},
         STACK_READY,
         "y/0",
         "",
         NULL},
        {"other where there is no line of the type",
         {{S, "auth required m\n"}, {O, "auth required n\naccount required x\n"}},
         STACK_READY,
         "m/0",
         "x/0",
         NULL},
        {"other where there is no file", {{O, "auth required n\n"}}, STACK_READY, "n/0", "", NULL},
        {"no file at all", {{A, "auth required n\n"}}, STACK_REFUSED, NULL, NULL, "no-file"},
        {"a type that is none",
         {{S, "aut sufficient m\nauth required n\n"}},
         STACK_READY,
         "!/0 n/0",
         "",
         "not-a-type"},
        {"a type that is none in an include of account",
         {{S, "account include a\n"}, {A, "aut sufficient m\n"}},
         STACK_READY,
         "",
         "!/0",
         "not-a-type"},
        {"a type that is none, and an include",
         {{S, "aut include a\n"}, {A, "auth required n\naccount required x\n"}},
         STACK_READY,
         "n/0",
         "",
         "not-a-type"},
        {"no control", {{S, "account\n"}}, STACK_READY, "", "!/0", "bad-control"},
        {"no module", {{S, "account required\n"}}, STACK_READY, "", "!/0", "no-module"},
        {"a control that is none", {{S, "account nonsense m\n"}}, STACK_READY, "", "m/0", "bad-control"},
        {"nothing to include",
         {{S, "auth required m\naccount include none\n"}},
         STACK_READY,
         "m/0",
         "!/0",
         "cannot-include"},
        {"nothing to @include",
         {{S, "auth required m\n@include none\n"}},
         STACK_REFUSED,
         NULL,
         NULL,
         "cannot-include"},
        {"nothing to @include within include",
         {{S, "auth include a\n"}, {A, "@include none\n"}},
         STACK_UNKNOWN,
         NULL,
         NULL,
         "cannot-include"},
        {"an include without a name", {{S, "auth include\n"}}, STACK_REFUSED, NULL, NULL, "crash"},
        {"a file without an end",
         {{S, "auth required m \\\n"}},
         STACK_REFUSED,
         NULL,
         NULL,
         "unfinished-line"},
        {"an include without an end",
         {{S, "auth include a\n"}, {A, "auth required m\nauth required n \\\n"}},
         STACK_READY,
         "m/0 !/0",
         "",
         "unfinished-line"},
        {"other is refused",
         {{S, "auth required m\n"}, {O, "auth required n \\\n"}},
         STACK_REFUSED,
         NULL,
         NULL,
         "unfinished-line"},
        {"includes itself", {{S, "auth include s\n"}}, STACK_UNKNOWN, NULL, NULL, "loop"},
        {"substack of itself",
         {{S, "auth substack s\n"}},
         STACK_READY,
         ">/0 >/1 >/2 >/3 >/4 >/5 >/6 >/7 >/8 >/9 >/10 >/11 >/12 >/13 >/14 >/15 !/15",
         "",
         "too-deep"},
        {"a module without a name",
         {{S, "auth required .so\n"}},
         STACK_REFUSED,
         NULL,
         NULL,
         "bad-module-name"},
        {"one that is included",
         {{S, "auth include a\n"}, {A, "auth required /x/?.so\n"}},
         STACK_UNKNOWN,
         NULL,
         NULL,
         "bad-module-name"}};

static void describe(const Stack *stack, char *to, size_t size) {
        size_t used = 0;

        to[0] = '\0';
        for (size_t i = 0; i < stack->n; i++) {
                const StackHandler *handler = &stack->handlers[i];
                const char *name = handler->kind == HANDLER_FAILS ? "!"
                                   : handler->module              ? handler->module
                                                                  : ">";

                used += (size_t)snprintf(to + used, size - used, "%s%s/%u", i ? " " : "", name,
                                         handler->level);
                cr_assert_lt(used, size);
        }
}

Test(stack_load, makes_of_files_what_libpam_does) {
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                const LoadCase *c = &cases[i];
                CLEANUP_STACK_CONFIG StackConfig config = {0};
                char text[1024];

                stack_load_texts(c->files, "s", &config);
                cr_expect_eq(config.outcome, c->outcome, "%s: %d", c->label, config.outcome);
                if (c->auth) {
                        describe(stack_of(&config, STACK_AUTH), text, sizeof(text));
                        cr_expect_str_eq(text, c->auth, "%s: %s", c->label, text);
                        describe(stack_of(&config, STACK_ACCOUNT), text, sizeof(text));
                        cr_expect_str_eq(text, c->account, "%s: %s", c->label, text);
                }
                if (c->fault)
                        cr_expect(config.n_faults > 0 && strcmp(stack_fault_to_string(config.faults[0].kind),
                                                                c->fault) == 0,
                                  "%s: %s", c->label,
                                  config.n_faults ? stack_fault_to_string(config.faults[0].kind) : "none");
                else
                        cr_expect_eq(config.n_faults, 0, "%s", c->label);
        }
}

Test(stack_load, knows_file_and_line_and_arguments) {
        CLEANUP_STACK_CONFIG StackConfig config = {0};
        const StackHandler *handler;

        stack_load_texts((StackText[]){{S, "# x\n@include a\n"},
                                       {A, "\nauth required \\\n m a [b c] d\n"},
                                       {NULL, NULL}},
                         "s", &config);
        cr_assert_eq(config.own[STACK_AUTH].n, 1);
        handler = &config.own[STACK_AUTH].handlers[0];
        cr_expect_str_eq(handler->file, A);
        cr_expect_eq(handler->line, 2);
        cr_assert_eq(handler->n_arguments, 3);
        cr_expect_str_eq(handler->arguments[1], "b c");
        cr_assert_eq(config.n_files, 2);
        cr_expect_str_eq(config.files[0], S);
}

Test(stack_load, reads_services_of_a_second_directory_but_includes_of_the_first) {
        CLEANUP_STACK_CONFIG StackConfig config = {0};
        StackText files[] = {{"/usr/lib/pam.d/s", "auth required m\naccount include a\n"},
                             {"/usr/lib/pam.d/a", "account required x\n"},
                             {NULL, NULL}};
        StackSource source = {.directory = "/etc/pam.d",
                              .fallback = "/usr/lib/pam.d",
                              .read = stack_read_text,
                              .userdata = files};
        char text[64];

        cr_assert_eq(stack_load(&source, "s", &config), 0);
        describe(&config.own[STACK_AUTH], text, sizeof(text));
        cr_expect_str_eq(text, "m/0");
        describe(&config.own[STACK_ACCOUNT], text, sizeof(text));
        cr_expect_str_eq(text, "!/0");
}

Test(stack_load, reads_a_single_file) {
        CLEANUP_STACK_CONFIG StackConfig config = {0};
        StackText files[] = {
                {"/etc/pam.conf", "t auth required x\nS AUTH required m\nother account required n\n"},
                {NULL, NULL}};
        StackSource source = {.directory = "/etc/pam.d",
                              .single = "/etc/pam.conf",
                              .read = stack_read_text,
                              .userdata = files};
        char text[64];

        cr_assert_eq(stack_load(&source, "s", &config), 0);
        describe(stack_of(&config, STACK_AUTH), text, sizeof(text));
        cr_expect_str_eq(text, "m/0");
        describe(stack_of(&config, STACK_ACCOUNT), text, sizeof(text));
        cr_expect_str_eq(text, "n/0");
}

Test(stack_load, has_bounds) {
        static const char line[] = "auth required m\n";
        CLEANUP_STACK_CONFIG StackConfig config = {0};
        CLEANUP_FREE char *text = calloc(STACK_HANDLERS_MAX + 2, sizeof(line) - 1);
        StackText files[] = {{S, text}, {NULL, NULL}};
        StackSource source = {.directory = "/etc/pam.d", .read = stack_read_text, .userdata = files};

        cr_assert_not_null(text);
        for (size_t i = 0; i <= STACK_HANDLERS_MAX; i++)
                memcpy(text + i * (sizeof(line) - 1), line, sizeof(line) - 1);
        cr_expect_eq(stack_load(&source, "s", &config), -E2BIG);
        cr_expect_eq(config.outcome, STACK_UNKNOWN);
}
