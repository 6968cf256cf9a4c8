/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The model against libpam itself: stacks that chance writes, of pam_debug, which returns what its arguments
 * say. Includes are by absolute path, since Debian's libpam looks for others in /etc/pam.d only.
 */
#include <criterion/criterion.h>
#include <security/pam_appl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pam_module/stack/lines.h"
#include "pam_module/stack/walk.h"
#include "tests/unit/pam/stack_files.h"

enum {
        CASES = 800,
        FILES = 4, /* "case", "other", and two that are included */
        TEXT_MAX = 4096
};

static char directory[] = "/tmp/sekisho-stack-XXXXXX";
static char paths[FILES][64], texts[FILES][TEXT_MAX];
static const char *const names[FILES] = {"case", "other", "inner", "innermost"};
static unsigned seed;

static unsigned chance(unsigned n) {
        return (unsigned)rand_r(&seed) % n;
}

#define ONE_OF(array) ((array)[chance(ELEMENTS(array))])

static __attribute__((format(printf, 2, 3))) void put(char *text, const char *format, ...) {
        size_t used = strlen(text);
        va_list arguments;

        va_start(arguments, format);
        cr_assert_lt(vsnprintf(text + used, TEXT_MAX - used, format, arguments), (int)(TEXT_MAX - used));
        va_end(arguments);
}

static const char *code_word(void) {
        static const int frequent[] = {PAM_SUCCESS, PAM_SUCCESS, PAM_AUTH_ERR, PAM_IGNORE,
                                       PAM_NEW_AUTHTOK_REQD};
        return stack_code_to_string(chance(3) ? ONE_OF(frequent) : (int)chance(STACK_CODES));
}

static void put_control(char *text) {
        static const char *const words[] = {"required", "requisite",  "sufficient", "optional",
                                            "REQUIRED", "[optional]", "Sufficient", "[requisite ]"};
        static const char *const actions[] = {"ignore", "ok", "done", "bad", "die", "reset",
                                              "1",      "1",  "2",    "3",   "007"};
        static const char *const odd[] = {"[success=ok default=bad success=die]",
                                          "[default=ignore default=bad]",
                                          "success=ok",
                                          "success=1",
                                          "[success=0]",
                                          "[success]",
                                          "[=ok]",
                                          "[success = ok\\\n default= ignore]",
                                          "[success=okdefault=done]",
                                          "[]",
                                          "[success=4294967297 default=ignore]",
                                          "[success=4294967295]",
                                          "[success=ok,default=bad]",
                                          "[success=99 default=ignore]",
                                          "[unknown=ok]",
                                          "[\tsuccess\t=\tdone\tdefault=1 ]",
                                          "nonsense",
                                          "[success=ok"};

        if (chance(2)) {
                put(text, "%s", ONE_OF(words));
                return;
        }
        if (chance(5) == 0) {
                put(text, "%s", ONE_OF(odd));
                return;
        }
        put(text, "[success=%s", ONE_OF(actions));
        for (unsigned n = chance(3); n > 0; n--)
                put(text, " %s=%s", code_word(), ONE_OF(actions));
        put(text, chance(4) ? " default=%s]" : "]", ONE_OF(actions));
}

static void put_module(char *text) {
        static const char *const others[] = {"pam_permit.so", "pam_deny.so", "pam_none_such.so", ""};

        if (chance(8) == 0)
                put(text, "%s", ONE_OF(others));
        else
                put(text, "pam_debug.so auth=%s acct=%s", code_word(), code_word());
}

static void put_line(char *text, unsigned file) {
        static const char *const types[] = {"auth", "auth",    "auth",      "account", "account", "-auth",
                                            "AUTH", "session", "[account]", "\tauth",  "Account"};
        static const char *const blanks[] = {" ", "\t", "  ", " \\\n ", " \\\n# between\n\n\t"};
        static const char *const odd[] = {"# a comment\n",
                                          "\n",
                                          "   \t\n",
                                          "what is this\n",
                                          "auth\n",
                                          "auth required\n",
                                          "bogus sufficient pam_debug.so auth=success\n",
                                          "account required pam_debug.so # acct=auth_err\n",
                                          "auth required pam_debug.so [auth=auth_err]\n",
                                          "auth sufficient [pam_debug.so] auth=success\r\n",
                                          "auth required /lib/security/../security/pam_none.so\n"};
        bool last = file + 1 == FILES;

        if (chance(8) == 0) {
                put(text, "%s", ONE_OF(odd));
                return;
        }
        if (!last && chance(5) == 0) {
                const char *what = chance(2) ? "include" : "substack";

                if (chance(4) == 0)
                        put(text, "@include %s\n", paths[file + 1]);
                else
                        put(text, "%s %s %s\n", ONE_OF(types), what,
                            chance(12) ? paths[file + 1 + chance(FILES - file - 1)] : "/nonexistent/file");
                return;
        }
        put(text, "%s%s", ONE_OF(types), ONE_OF(blanks));
        put_control(text);
        put(text, "%s", ONE_OF(blanks));
        put_module(text);
        put(text, "\n");
}

static void write_case(void) {
        for (unsigned i = 0; i < FILES; i++) {
                FILE *file;

                texts[i][0] = '\0';
                for (unsigned n = 1 + chance(6); n > 0; n--)
                        put_line(texts[i], i == 1 ? 2 : i);
                if (chance(30) == 0)
                        put(texts[i], "auth required pam_debug.so \\");
                if (chance(30) == 0)
                        put(texts[i], "#%0*d\n", 1030 + (int)chance(4), 7);
                file = fopen(paths[i], "we");
                cr_assert_not_null(file);
                cr_assert_geq(fputs(texts[i], file), 0);
                cr_assert_eq(fclose(file), 0);
        }
}

static int say_nothing(int n, const struct pam_message **messages, struct pam_response **ret,
                       void *userdata) {
        (void)messages;
        (void)userdata;
        *ret = calloc((size_t)n, sizeof(**ret));
        return *ret ? PAM_SUCCESS : PAM_BUF_ERR;
}

/* It reads the configuration where the transaction begins, and may refuse it there. */
static int ask_libpam(int (*call)(pam_handle_t *pamh, int flags)) {
        const struct pam_conv conversation = {say_nothing, NULL};
        pam_handle_t *pamh = NULL;
        int code = pam_start_confdir("case", "nobody", &conversation, directory, &pamh);

        if (code != PAM_SUCCESS)
                return code;
        code = call(pamh, 0);
        cr_assert_eq(pam_end(pamh, PAM_SUCCESS), PAM_SUCCESS);
        return code;
}

/* What the handler's module is going to return. */
static int code_of(const StackHandler *handler, const char *event) {
        size_t length = strlen(event);
        int code = PAM_SUCCESS;

        if (handler->kind != HANDLER_MODULE)
                return PAM_PERM_DENIED;
        if (strcmp(handler->module, "pam_deny.so") == 0)
                return PAM_AUTH_ERR;
        if (strcmp(handler->module, "pam_permit.so") == 0)
                return PAM_SUCCESS;
        if (strcmp(handler->module, "pam_debug.so") != 0)
                return PAM_MODULE_UNKNOWN;
        for (size_t i = 0; i < handler->n_arguments; i++) {
                const char *argument = handler->arguments[i];

                if (strncmp(argument, event, length) != 0 || argument[length] != '=')
                        continue;
                for (int j = 0; j < STACK_CODES; j++)
                        if (strcmp(stack_code_to_string(j), argument + length + 1) == 0)
                                code = j;
                break;
        }
        return code;
}

static int model(const StackConfig *config, StackType type, const char *event) {
        const Stack *stack = stack_of(config, type);
        int codes[STACK_HANDLERS_MAX];

        if (config->outcome == STACK_REFUSED)
                return PAM_ABORT;
        for (size_t i = 0; i < stack->n; i++)
                codes[i] = code_of(&stack->handlers[i], event);
        return stack_run(stack, codes);
}

static void setup(void) {
        cr_assert_not_null(mkdtemp(directory));
        for (int i = 0; i < FILES; i++)
                (void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", directory, names[i]);
}

static void teardown(void) {
        for (int i = 0; i < FILES; i++)
                (void)unlink(paths[i]);
        (void)rmdir(directory);
}

TestSuite(stack_libpam, .init = setup, .fini = teardown);

Test(stack_libpam, ends_as_the_model_says) {
        unsigned successes = 0, kinds = 0;

        for (unsigned i = 1; i <= CASES; i++) {
                CLEANUP_STACK_CONFIG StackConfig config = {0};
                StackText files[FILES + 1] = {0};
                StackSource source = {.directory = directory, .read = stack_read_text, .userdata = files};
                int auth, account;

                seed = i;
                write_case();
                for (int f = 0; f < FILES; f++)
                        files[f] = (StackText){paths[f], texts[f]};
                cr_assert_eq(stack_load(&source, "case", &config), 0);
                if (config.outcome == STACK_UNKNOWN)
                        continue;
                auth = ask_libpam(pam_authenticate);
                account = ask_libpam(pam_acct_mgmt);
                cr_assert_eq(model(&config, STACK_AUTH, "auth"), auth,
                             "%u: libpam %d, model %d:\n%s--\n%s--\n%s--\n%s", i, auth,
                             model(&config, STACK_AUTH, "auth"), texts[0], texts[1], texts[2], texts[3]);
                cr_assert_eq(model(&config, STACK_ACCOUNT, "acct"), account,
                             "%u: libpam %d, model %d:\n%s--\n%s--\n%s--\n%s", i, account,
                             model(&config, STACK_ACCOUNT, "acct"), texts[0], texts[1], texts[2], texts[3]);
                successes += (auth == PAM_SUCCESS) + (account == PAM_SUCCESS);
                kinds |= 1U << auth | 1U << account;
        }
        /* or else they would say nothing */
        cr_assert_gt(successes, CASES / 10);
        cr_assert_gt(__builtin_popcount(kinds), 10);
}
