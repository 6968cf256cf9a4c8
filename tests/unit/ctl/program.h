/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program.h: sekishoctl run as people run it, and what it printed; and a directory of the test's own.
 */
#pragma once

#include <stdbool.h>

typedef struct Outcome {
        int status;
        char out[65536], err[8192];
} Outcome;

/* ARGUMENTS end with NULL. The program's answer is whole or the test fails. */
void program_run(const char *const *arguments, Outcome *ret);

#define RUN(outcome, ...) program_run((const char *const[]){__VA_ARGS__, NULL}, outcome)

/* The same as an ordinary user. False if that user cannot reach the program at all. */
bool program_run_unprivileged(const char *const *arguments, Outcome *ret);

/* How often C stands in TEXT. */
int count_of(const char *text, char c);

/* A new directory, whose path is returned; removed with all files in it by directory_remove(). */
const char *directory_make(void);
void directory_remove(void);

/* Write a file in it, readable by its owner alone; returns its path until the next call. */
const char *directory_write(const char *name, const char *text);
