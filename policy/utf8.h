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
static inline size_t utf8_next(const char *text, size_t length, uint32_t *ret);

/* Characters that steer a terminal or reorder what is read: C0, DEL, C1, line and paragraph separators, the
 * bidirectional controls. */
static inline bool utf8_is_control(uint32_t c) {
        return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
               (c >= 0x2066 && c <= 0x2069);
}

/* A space that leaves nothing to be seen. */
bool utf8_is_blank(uint32_t c);

/* utf8_next() of what is not ASCII. */
size_t utf8_next_long(const char *text, size_t length, uint32_t *ret);

static inline size_t utf8_next(const char *text, size_t length, uint32_t *ret) {
        if (length == 0)
                return 0;
        if ((unsigned char)text[0] >= 0x80)
                return utf8_next_long(text, length, ret);
        *ret = (unsigned char)text[0];
        return 1;
}
