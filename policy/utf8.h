/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * utf8.h: reading UTF-8 one character at a time, strictly.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the character at TEXT, and the character in RET; 0 if it is not valid UTF-8 (RFC 3629:
 * shortest form, no surrogates, nothing above U+10FFFF) or LENGTH is 0. */
size_t utf8_next(const char *text, size_t length, uint32_t *ret);

/* Characters that steer a terminal or reorder what is read: C0, DEL, C1, line and paragraph separators, the
 * bidirectional controls. */
bool utf8_is_control(uint32_t c);

/* A space that leaves nothing to be seen. */
bool utf8_is_blank(uint32_t c);
