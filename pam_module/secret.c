/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/secret.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

int secret_init(void) {
        return sodium_init() < 0 ? -EIO : 0;
}

void *secret_alloc(size_t size) {
        void *memory = sodium_malloc(size);

        if (memory)
                memset(memory, 0, size);
        return memory;
}

void secret_free(void *memory) {
        sodium_free(memory);
}

int secret_from(const char *text, size_t length, Secret *ret) {
        char *copy = secret_alloc(length + 1);

        if (!copy)
                return -ENOMEM;
        memcpy(copy, text, length);
        *ret = (Secret){.text = copy, .length = length};
        return 0;
}

void secret_clear(Secret *secret) {
        secret_free(secret->text);
        *secret = (Secret){0};
}

void secret_wipe(char *text) {
        if (!text)
                return;
        explicit_bzero(text, strlen(text));
        free(text);
}
