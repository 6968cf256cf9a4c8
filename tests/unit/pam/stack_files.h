/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stack_files.h: PAM configurations in memory.
 */
#pragma once

#include "pam_module/stack/stack.h"

typedef struct StackText {
        const char *path, *text;
} StackText;

/* Loads SERVICE from FILES, which end with a NULL path, as if they were all there is; services are in
 * "/etc/pam.d". The test fails if it cannot be loaded. */
void stack_load_texts(const StackText *files, const char *service, StackConfig *ret);

/* The same of one file of "/etc/pam.d". */
void stack_load_text(const char *service, const char *text, StackConfig *ret);

/* StackSource's read() of such FILES. */
int stack_read_text(void *files, const char *path, char **ret_text, size_t *ret_size);
