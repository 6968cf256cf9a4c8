/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lines.h: lines, words and controls of PAM files, byte by byte as libpam takes them. Pure.
 */
#pragma once

#include "pam_module/stack/stack.h"

typedef struct StackLines {
        const char *text;
        size_t size, at;
        unsigned number; /* of the line at AT, from 1 */
        unsigned first;  /* where the line that was read last begins */
        bool split;      /* it, or what was passed over before it, was longer than the buffer */
} StackLines;

typedef enum StackLineEnd {
        LINE_REFUSED, /* libpam gives the whole file up */
        LINE_HANGS,   /* it reads nothing for ever */
        LINE_NONE,    /* the end of the file */
        LINE_READ
} StackLineEnd;

/* The next line with something in it: continued lines as one, without comments. */
StackLineEnd stack_line_next(StackLines *lines, char buffer[STACK_LINE]);

/* The next word of FROM, or of *NEXT where FROM is NULL, which is cut up; NULL: there is none. A word in
 * brackets may have blanks, and loses the brackets. *NEXT is what follows, NULL at the end. */
char *stack_word(char *from, char **next);

/* What CONTROL ("required", "success=ok default=bad") makes of each code. False if libpam cannot read it,
 * and takes everything for bad. */
bool stack_control(const char *control, int32_t actions[STACK_CODES]);

/* Sets what is not yet set. */
void stack_control_default(int32_t actions[STACK_CODES], int32_t action);

/* libpam's word for a code, such as "auth_err"; NULL if it has none. */
const char *stack_code_to_string(int code);
