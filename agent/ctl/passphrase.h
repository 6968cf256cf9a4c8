/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passphrase.h: a passphrase that a person types at the terminal and nobody sees. It is read without stdio,
 * into memory that the caller has locked, and no copy of it is made.
 */
#pragma once

#include <stddef.h>

/* A line from the controlling terminal, or of standard input where there is no terminal, without its end.
 * RET is SIZE bytes, ends with NUL, and holds nothing on failure. 0, -ENODATA if the line is empty, -EINTR
 * if it was broken off (Ctrl-C), -E2BIG, -errno. */
int passphrase_read(const char *prompt, char *ret, size_t size);
