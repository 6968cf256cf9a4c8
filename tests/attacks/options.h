/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.h: the command line of sekisho-attacks. */
#pragma once

#include <stdio.h>

#include "tests/attacks/attacks.h"

enum {
        PATTERNS_MAX = 128
};

/* Names of attacks, or patterns as the shell has them. */
typedef struct Patterns {
        const char *list[PATTERNS_MAX];
        size_t n;
} Patterns;

typedef struct Options {
        Volume volume;
        Patterns only, skip;
        const char *plant, *guard;
        unsigned timeout;
        bool list, json, wait, unmount, self_check, help;
} Options;

/* Reads the arguments, which it cuts at commas. 0, or -EINVAL after having said on stderr what is wrong. */
int options_parse(int argc, char **argv, Options *ret);
/* Tells how it is used. */
void options_help(FILE *f);
/* Whether one of PATTERNS is NAME. */
bool options_match(const Patterns *patterns, const char *name);
