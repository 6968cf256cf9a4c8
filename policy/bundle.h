/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bundle.h: several policy files as one, which can be signed as one:
 *
 *     sekisho-policy-bundle 1
 *     10-base.yaml 812
 *     (812 bytes)
 *     50-register.yaml 4711
 *     (4711 bytes)
 *     end
 *
 * The names are in byte order; a newline follows each content. There is one way to write down given files. A
 * sealed bundle is the four lines of a minisign signature with the bundle behind them, in one file, so that
 * both are replaced in one step. Pure: bytes in, bytes out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
        BUNDLE_MAX = 4 * 1024 * 1024 - 4096, /* so that it is a policy file with its signature, too */
        BUNDLE_FILES_MAX = 1000,
        BUNDLE_NAME_MAX = 255
};

#define BUNDLE_MAGIC "sekisho-policy-bundle 1\n"
/* What a bundle that is in force is called in the directory of policies. */
#define BUNDLE_NAME "policy.bundle"

typedef struct BundleFile {
        char *name;       /* owned */
        const char *text; /* borrowed */
        size_t length;
} BundleFile;

typedef struct Bundle {
        BundleFile *files;
        size_t n;
} Bundle;

/* Whether TEXT sets out to be one. */
bool bundle_is(const char *text, size_t length);

/* Whether a file may be called that in a bundle: NAME.yaml, not beginning with a dot. */
bool bundle_name_is_good(const char *name);

/* 0 with RET, which borrows from TEXT; -EBADMSG with RET_WHY (static) if it is none; -ENOMEM. */
int bundle_parse(const char *text, size_t length, Bundle *ret, const char **ret_why);
void bundle_clear(Bundle *bundle);
#define CLEANUP_BUNDLE CLEANUP(bundle_clear)

/* Puts files together, in any order. RET is new. 0; -EINVAL for a name that is not good or stands there
 * twice, or for none at all; -E2BIG; -ENOMEM. */
int bundle_make(const BundleFile *files, size_t n, char **ret, size_t *ret_length);

/* Where the four lines of a signature end and what they sign begins. 0 or -EBADMSG. */
int bundle_unseal(const char *text, size_t length, size_t *ret_at);
