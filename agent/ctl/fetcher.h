/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fetcher.h: having sekisho-fetch get a file. It runs as nobody where this is root, with nothing of the
 * caller's but two pipes and what its environment says of proxies; its answer is untrusted input.
 */
#pragma once

#include <stddef.h>

#include "policy/scope.h"

enum {
        FETCHER_LINE_MAX = 256
};

/* What a server said of a file, by which it knows it again; "" where it said nothing. */
typedef struct Validators {
        char tag[FETCHER_LINE_MAX], modified[FETCHER_LINE_MAX];
} Validators;

typedef struct Fetched {
        Validators validators;
        char *text; /* owned; what was fetched */
        size_t length;
        char why[FETCHER_LINE_MAX]; /* for a person: why it was not */
} Fetched;

/* CA is the file of authorities that count for the server, NULL for the system's. 1 if URL is something else
 * than KNOWN is of, 0 if not; -ECONNABORTED with why; -errno. RET is to be cleared in any case. */
int fetcher_run(const char *url, const char *ca, const Validators *known, Fetched *ret);
void fetched_clear(Fetched *fetched);
#define CLEANUP_FETCHED CLEANUP(fetched_clear)

/* Pure: the same of the answer TEXT. -EBADMSG if it is none. */
int fetcher_parse(const char *text, size_t length, Fetched *ret);

/* 0 if URL begins with "https://" and is visible ASCII, which is all there is in one; -EINVAL if not. */
int fetcher_check_url(const char *url);
