/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * secret.h: memory for secrets: locked, between guard pages, wiped when it is given back (libsodium). What
 * is typed, hashed or read from an enrolment lies in it and nowhere else of ours.
 */
#pragma once

#include <stddef.h>

#include "policy/scope.h"

typedef struct Secret {
        char *text; /* followed by NUL */
        size_t length;
} Secret;

/* To be called before anything else of libsodium's; any number of times. 0 or -EIO. */
int secret_init(void);

/* SIZE zeroed bytes, NULL without memory. To be given back with secret_free. */
void *secret_alloc(size_t size);
void secret_free(void *memory);
DEFINE_CLEANUP(void, secret_free);

/* A copy of TEXT. 0 or -ENOMEM. */
int secret_from(const char *text, size_t length, Secret *ret);
void secret_clear(Secret *secret);
#define CLEANUP_SECRET CLEANUP(secret_clear)

/* Wipes and frees a string of malloc's, such as an answer of PAM's conversation. NULL is taken. */
void secret_wipe(char *text);
