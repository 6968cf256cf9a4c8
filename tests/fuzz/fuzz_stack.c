/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PAM files, from whoever can write them. The input is up to four files, with a byte 0xff between: the
 * service's, "other", and what they may include as "a" and "b". A way in that is found is one, by the codes
 * on it; and no chance finds one where there is none.
 */
#include <errno.h>
#include <security/_pam_types.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pam_module/stack/lines.h"
#include "pam_module/stack/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
        FILES = 4,
        TRIES = 16
};

static const char *const names[FILES] = {"/p/login", "/p/other", "/p/a", "/p/b"};

typedef struct Files {
        const char *text[FILES];
        size_t size[FILES];
} Files;

static int read_part(void *userdata, const char *path, char **ret_text, size_t *ret_size) {
        const Files *files = userdata;

        for (int i = 0; i < FILES; i++)
                if (files->text[i] && strcmp(names[i], path) == 0) {
                        *ret_text = malloc(files->size[i] + 1);
                        if (!*ret_text)
                                return -ENOMEM;
                        memcpy(*ret_text, files->text[i], files->size[i]);
                        *ret_size = files->size[i];
                        return 0;
                }
        return -ENOENT;
}

static void set_codes(const Stack *stack, const StackPath *path, int *codes) {
        for (size_t i = 0; i < path->n; i++)
                codes[path->steps[i].handler - stack->handlers] = path->steps[i].code;
}

static void expect_way(const Stack *stack, StackType type, const StackPath *path, int *codes) {
        set_codes(stack, path, codes);
        if (stack_run(stack, codes) != path->result || !stack_lets_in(type, path->result))
                abort();
        for (size_t i = 0; i < path->n; i++)
                if (path->steps[i].handler->module && stack_module_is(path->steps[i].handler->module, "m") &&
                    path->steps[i].code == PAM_SUCCESS)
                        abort();
}

/* Nobody gets in if "m" never returns success. */
static void expect_none(const Stack *stack, StackType type, const uint8_t *data, size_t size, int *codes) {
        for (size_t try = 0; try < TRIES; try++) {
                for (size_t i = 0; i < stack->n; i++) {
                        const char *module = stack->handlers[i].module;

                        codes[i] = data[(try * 31 + i * 7) % size] % 3 ? data[(try + i) % size] % STACK_CODES
                                                                       : PAM_SUCCESS;
                        if (module && strcmp(module, "pam_deny.so") == 0)
                                codes[i] = PAM_AUTH_ERR;
                        else if (module && strcmp(module, "pam_permit.so") == 0 && type != STACK_AUTH)
                                codes[i] = PAM_SUCCESS;
                        else if (module && stack_module_is(module, "m"))
                                codes[i] = PAM_AUTH_ERR;
                }
                if (stack_lets_in(type, stack_run(stack, codes)))
                        abort();
        }
}

static void try_type(const StackConfig *config, StackType type, const uint8_t *data, size_t size) {
        static int codes[STACK_HANDLERS_MAX];
        const Stack *stack = stack_of(config, type);
        const StackQuery query = {.type = type, .module = "m"};
        CLEANUP_STACK_PATH StackPath path = {0};
        int r = stack_search(stack, &query, &path);

        memset(codes, 0, sizeof(codes));
        if (r > 0)
                expect_way(stack, type, &path, codes);
        else if (r == 0)
                expect_none(stack, type, data, size, codes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        CLEANUP_STACK_CONFIG StackConfig config = {0};
        Files files = {0};
        StackSource source = {.directory = "/p", .read = read_part, .userdata = &files};
        const uint8_t *at = data;

        for (int i = 0; i < FILES && at < data + size; i++) {
                const uint8_t *end = memchr(at, 0xff, (size_t)(data + size - at));

                files.text[i] = (const char *)at;
                files.size[i] = (size_t)((end ? end : data + size) - at);
                at += files.size[i] + 1;
        }
        if (size > 0 && stack_load(&source, "login", &config) == 0)
                for (int type = STACK_AUTH; type <= STACK_SESSION; type++)
                        try_type(&config, (StackType)type, data, size);
        return 0;
}
