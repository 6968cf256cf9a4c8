/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * restored.h: writing the note STATE/restored (policy/restored.h). sekishoctl does before it moves the
 * policies; the agent takes none of them again, records who did it, and drops the note once a later policy
 * is in force.
 */
#pragma once

#include "policy/restored.h"

/* Atomically, for root alone. 0 or -errno. */
int restored_write(const char *state_dir, const Restored *restored);

/* 0, also if there is none, or -errno. */
int restored_drop(const char *state_dir);
