/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * failing.h: makes one call between the module and the libraries fail: the one whose number is in
 * SEKISHO_FAIL_AT, as it fails in life. Says "failing NAME" then.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>

/* Counts a call. */
bool fails(const char *name);

/* WRAP(type, name, what it returns when it fails, its errno, parameters, arguments): by the linker's --wrap.
 */
#define WRAP(type, name, failure, error, parameters, arguments)                                             \
        type __real_##name parameters;                                                                      \
        type __wrap_##name parameters;                                                                      \
        type __wrap_##name parameters {                                                                     \
                if (fails(#name)) {                                                                         \
                        errno = (error);                                                                    \
                        return failure;                                                                     \
                }                                                                                           \
                return __real_##name arguments;                                                             \
        }
