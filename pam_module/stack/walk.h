/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * walk.h: how libpam goes through a stack, and whether one can get through without a given module. Pure.
 */
#pragma once

#include "pam_module/stack/stack.h"

/* How a stack ends with these codes, one for each handler (those of handlers that are not called do not
 * matter): the code that the program gets. */
int stack_run(const Stack *stack, const int *codes);

/* Whether a program that gets CODE from a call of TYPE goes on with the login. Also where the account's
 * password has to be changed: that is then done, and the login goes on. */
bool stack_lets_in(StackType type, int code);

typedef struct StackQuery {
        StackType type;
        const char *module;  /* that has to return success, such as "pam_sekisho.so" */
        const char *refused; /* a module that is taken never to return success; NULL: none */
} StackQuery;

typedef struct StackStep {
        const StackHandler *handler;
        int code;       /* that it returns */
        int32_t action; /* what follows */
} StackStep;

typedef struct StackPath {
        StackStep *steps;
        size_t n;
        int result; /* that the program gets */
} StackPath;

/* The shortest way through STACK that lets in and on which the module does not return success, whatever the
 * others return. 1 with the way; 0: there is none, which is proven; -E2BIG: too much to try; -ENOMEM.
 *
 * Others may return anything, with two exceptions whose sources say so: pam_deny fails, and pam_permit
 * succeeds (but not as auth, where it asks for the name first, which may fail); or else there is no such
 * module. The module itself denies by anything but PAM_IGNORE and PAM_NEW_AUTHTOK_REQD. */
int stack_search(const Stack *stack, const StackQuery *query, StackPath *ret);

void stack_path_clear(StackPath *path);
#define CLEANUP_STACK_PATH CLEANUP(stack_path_clear)
