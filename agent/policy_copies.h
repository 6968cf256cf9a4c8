/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_copies.h: copies of policies in the state directory: of what was in force last, which comes into
 * force again when nothing better is there, and of the signed editions before it, for people.
 */
#pragma once

#include <stdint.h>

/* Below the state directory: SERIAL.bundle, with leading zeros. */
#define POLICY_HISTORY "policies"

enum {
        POLICY_HISTORY_MAX = 8
};

/* Make directory TO hold what PATH (a file, or a directory of policies) does. 0 or -errno; a copy that is
 * not whole is only ever taken if it loads. */
int policy_copies_keep(const char *path, const char *to);

/* Remove what it made there. 0, also if there was none, or -errno. */
int policy_copies_drop(const char *to);

/* Remove what an installation that was cut short has left in DIRECTORY. */
void policy_copies_tidy(const char *directory);

/* Copy the bundle of the directory PATH to the history, and let go what is older than the last eight. 0 or
 * -errno. */
int policy_copies_add_history(const char *path, const char *state_dir, uint64_t serial);
