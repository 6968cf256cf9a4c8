/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <security/_pam_types.h>
#include <string.h>

#include "pam_module/stack/lines.h"
#include "pam_module/stack/walk.h"
#include "tests/unit/pam/stack_files.h"

typedef struct WalkCase {
        const char *label, *text;
        StackType type;
        const char *way; /* "LINE:CODE" of each step of the shortest; NULL: none */
} WalkCase;

static const WalkCase cases[] = {
        {"nothing", "account required us\n", STACK_AUTH, NULL},
        {"required", "auth required x\nauth required us\n", STACK_AUTH, NULL},
        {"alone", "auth required us\n", STACK_AUTH, NULL},
        {"not there", "auth required x\n", STACK_AUTH, "1:success"},
        {"optional", "auth required x\nauth optional us\n", STACK_AUTH, "1:success 2:auth_err"},
        {"sufficient before", "auth sufficient x\nauth required us\n", STACK_AUTH, "1:success"},
        {"sufficient behind", "auth required us\nauth sufficient x\nauth required y\n", STACK_AUTH, NULL},
        {"an ignore is no success", "auth optional x\nauth required us\n", STACK_AUTH, NULL},
        {"jump over", "auth [success=1 default=ignore] x\nauth required us\nauth required y\n", STACK_AUTH,
         "1:success 3:success"},
        {"jump to the end says nothing", "auth [success=1 default=bad] x\nauth required us\n", STACK_AUTH,
         NULL},
        {"jump beyond the end", "auth required y\nauth [success=2 default=bad] x\nauth required us\n",
         STACK_AUTH, NULL},
        {"jump of one code in many",
         "auth [cred_expired=1 default=bad] x\nauth required us\nauth required y\n", STACK_AUTH,
         "1:cred_expired 3:success"},
        {"pam_deny fails", "auth sufficient pam_deny.so\nauth required us\n", STACK_AUTH, NULL},
        {"but another's may not", "auth sufficient /x/pam_deny.so\nauth required us\n", STACK_AUTH,
         "1:success"},
        {"and its failure may let in",
         "auth required x\nauth [auth_err=done default=bad] pam_deny.so\nauth required us\n", STACK_AUTH,
         NULL},
        {"pam_permit succeeds",
         "account [success=1 default=ignore] pam_permit.so\naccount sufficient x\naccount required us\n",
         STACK_ACCOUNT, "1:module_unknown 2:success"},
        {"but may fail as auth",
         "auth [success=1 user_unknown=ignore default=bad] pam_permit.so\nauth sufficient x\nauth required "
         "us\n",
         STACK_AUTH, "1:user_unknown 2:success"},
        {"denial forgotten", "auth required us\nauth [default=reset] x\nauth required y\n", STACK_AUTH,
         "1:auth_err 2:success 3:success"},
        {"a password to be changed",
         "account [success=ok new_authtok_reqd=done default=bad] x\naccount required us\n", STACK_ACCOUNT,
         "1:new_authtok_reqd"},
        {"is no way in for auth",
         "auth [success=ok new_authtok_reqd=done default=bad] x\nauth required us\n", STACK_AUTH, NULL},
        {"nor behind a denial", "account required us\naccount [new_authtok_reqd=done default=ok] x\n",
         STACK_ACCOUNT, NULL},
        {"a denial that says so", "account [default=bad] x\naccount required us\n", STACK_ACCOUNT,
         "1:new_authtok_reqd 2:auth_err"},
        {"the shortest of two",
         "auth [success=2 auth_err=1 default=bad] x\nauth sufficient z\nauth sufficient y\nauth required "
         "us\n",
         STACK_AUTH, "1:auth_err 3:success"},
        {"a line in error", "auth sufficient\nauth required us\n", STACK_AUTH, NULL}};

static void describe(const StackPath *path, char *to, size_t size) {
        size_t used = 0;

        to[0] = '\0';
        for (size_t i = 0; i < path->n; i++) {
                used += (size_t)snprintf(to + used, size - used, "%s%u:%s", i ? " " : "",
                                         path->steps[i].handler->line,
                                         stack_code_to_string(path->steps[i].code));
                cr_assert_lt(used, size);
        }
}

static int search(const StackConfig *config, StackType type, const char *refused, char *way, size_t size) {
        CLEANUP_STACK_PATH StackPath path = {0};
        const StackQuery query = {.type = type, .module = "us", .refused = refused};
        int r = stack_search(stack_of(config, type), &query, &path);

        describe(&path, way, size);
        return r;
}

Test(stack_walk, finds_the_shortest_way) {
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                const WalkCase *c = &cases[i];
                CLEANUP_STACK_CONFIG StackConfig config = {0};
                char way[256];
                int r;

                stack_load_text("s", c->text, &config);
                r = search(&config, c->type, NULL, way, sizeof(way));
                cr_expect_eq(r, c->way != NULL, "%s: %d %s", c->label, r, way);
                cr_expect_str_eq(way, c->way ? c->way : "", "%s: %s", c->label, way);
        }
}

Test(stack_walk, ends_a_substack_and_no_more) {
        static const struct {
                const char *inner, *outer, *way;
        } stacks[] = {{"auth sufficient x\nauth required z\n", "auth substack a\nauth required us\n", NULL},
                      {"auth sufficient x\nauth required us\n", "auth substack a\n", "1:success"},
                      {"auth requisite x\nauth required us\n", "auth substack a\nauth sufficient y\n", NULL},
                      {"auth requisite x\nauth required us\n",
                       "auth substack a\nauth [default=reset] y\nauth sufficient y\n",
                       "1:auth_err 2:success 3:success"},
                      {"auth [default=die] x\nauth [default=reset] x\n",
                       "auth required y\nauth substack a\nauth required us\n", NULL},
                      {"auth required us\n",
                       "auth [success=1 default=ignore] y\nauth substack a\nauth required x\n",
                       "1:success 3:success"},
                      {"auth required x\nauth required us\n",
                       "auth required y\nauth [success=1 default=bad] y\nauth substack a\n",
                       "1:success 2:success"}};

        for (size_t i = 0; i < ELEMENTS(stacks); i++) {
                CLEANUP_STACK_CONFIG StackConfig config = {0};
                char way[256];

                stack_load_texts((StackText[]){{"/etc/pam.d/s", stacks[i].outer},
                                               {"/etc/pam.d/a", stacks[i].inner},
                                               {NULL, NULL}},
                                 "s", &config);
                cr_expect_eq(search(&config, STACK_AUTH, NULL, way, sizeof(way)), stacks[i].way != NULL,
                             "%zu: %s", i, way);
                cr_expect_str_eq(way, stacks[i].way ? stacks[i].way : "", "%zu: %s", i, way);
        }
}

Test(stack_walk, can_leave_the_success_of_a_module_out) {
        CLEANUP_STACK_CONFIG StackConfig config = {0};
        char way[64];

        stack_load_text("s", "auth sufficient pam_rootok.so\nauth required us\n", &config);
        cr_expect_eq(search(&config, STACK_AUTH, NULL, way, sizeof(way)), 1);
        cr_expect_eq(search(&config, STACK_AUTH, "pam_rootok.so", way, sizeof(way)), 0);
}

/* Jumps of many lengths and many resets: few states all the same, since only what differs counts. */
Test(stack_walk, of_a_long_stack_ends) {
        static const char line[] =
                "auth [success=ok auth_err=1 ignore=2 maxtries=3 abort=reset new_authtok_reqd=bad "
                "default=ignore] x\n";
        static const char last[] =
                "auth requisite us\nauth requisite us\nauth requisite us\nauth requisite us\n";
        CLEANUP_STACK_CONFIG StackConfig config = {0};
        CLEANUP_FREE char *text = calloc(501, sizeof(line));
        char way[64];

        cr_assert_not_null(text);
        for (size_t i = 0; i < 500; i++)
                memcpy(text + i * (sizeof(line) - 1), line, sizeof(line) - 1);
        memcpy(text + 500 * (sizeof(line) - 1), last, sizeof(last));
        stack_load_text("s", text, &config);
        cr_expect_eq(search(&config, STACK_AUTH, NULL, way, sizeof(way)), 0);
}
