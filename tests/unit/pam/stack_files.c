/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/pam/stack_files.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

int stack_read_text(void *files, const char *path, char **ret_text, size_t *ret_size) {
        for (const StackText *file = files; file->path; file++)
                if (strcmp(file->path, path) == 0) {
                        *ret_text = strdup(file->text);
                        *ret_size = strlen(file->text);
                        return 0;
                }
        return -ENOENT;
}

void stack_load_texts(const StackText *files, const char *service, StackConfig *ret) {
        StackSource source = {.directory = "/etc/pam.d", .read = stack_read_text, .userdata = (void *)files};

        cr_assert_eq(stack_load(&source, service, ret), 0);
}

void stack_load_text(const char *service, const char *text, StackConfig *ret) {
        char path[64];

        (void)snprintf(path, sizeof(path), "/etc/pam.d/%s", service);
        stack_load_texts((StackText[]){{path, text}, {NULL, NULL}}, service, ret);
}
