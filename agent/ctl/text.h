/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text.h: text of unknown origin (paths, names that devices give themselves, command lines) on its way to a
 * terminal or into JSON. Pure; needs a UTF-8 locale for widths.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* TEXT as a terminal may show it: what steers a terminal, reorders what is read, breaks a line or is no
 * UTF-8 becomes \xNN or \uNNNN. A new string, NULL if memory is short. */
char *text_for_terminal(const char *text);

/* Prints TEXT as text_for_terminal has it; "-" for NULL. */
void text_print(const char *text, FILE *to);

/* TEXT, which shows nothing that it should not (text_for_terminal()), as text of an HTML page. */
void text_put_html(const char *text, FILE *to);

/* Columns that TEXT, from text_for_terminal, takes: two for Japanese characters, none for combining ones. */
size_t text_width(const char *text);

/* LENGTH bytes as valid UTF-8: each byte that does not belong becomes U+FFFD. A new string, NULL if memory
 * is short. */
char *text_valid(const char *bytes, size_t length);

/* As asprintf(3): a new string, NULL if memory is short. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* One line "sekishoctl: MESSAGE" to stderr. Returns 2, the exit status for usage and failure. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
