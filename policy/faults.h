/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faults.h: collecting what is wrong with policy files. Adding never fails towards the caller: lack of
 * memory is remembered and told at the end, and a flood is cut off after FAULTS_MAX.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "policy/load.h"

enum {
        FAULTS_MAX = 1000,
        QUOTE_MAX = 96
};

typedef struct Faults {
        PolicyFaults list;
        bool no_memory;
        bool cut_off; /* there were more than FAULTS_MAX */
} Faults;

/* LINE and COLUMN count from 1; 0 if the fault has no place. FORMAT is translated here. */
void faults_add(Faults *faults, const char *file, size_t line, size_t column, const char *format, ...)
        __attribute__((format(printf, 5, 6)));

/* TEXT in the language that the faults are collected in. */
const char *faults_text(const Faults *faults, const char *text) __attribute__((format_arg(2)));

/* Sorts by file, line and column, and says at the end if there were more. */
void faults_finish(Faults *faults);

/* 0 if there are none, -EBADMSG if there are, -ENOMEM if they could not all be kept. */
int faults_result(const Faults *faults);

/* TEXT as a message may show it: in quotes, shortened, nothing in it that steers a terminal. Returns BUFFER.
 */
const char *quote(const char *text, size_t length, char buffer[static QUOTE_MAX]);
