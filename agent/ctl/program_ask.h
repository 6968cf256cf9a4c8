/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program_ask.h: what another program of this machine says, without a shell or an environment. Waits for
 * seconds, not for ever.
 */
#pragma once

#include <stddef.h>

/* Runs ARGUMENTS, the first of which is a path, and puts what it writes to its standard output into ANSWER,
 * with a NUL behind it. 0; -ENOENT if there is no such program, -EIO if it fails, -E2BIG, -ETIMEDOUT,
 * another -errno. */
int program_ask(char *const arguments[], char *answer, size_t size);
