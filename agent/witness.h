/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * witness.h: the journal as a second memory of the highest serial that was in force, for when the floor in
 * the state directory is lost. It helps as far as the journal reaches back, and against nobody who can
 * take both away.
 */
#pragma once

#include <stdint.h>

/* The highest serial of the policy at POLICY_PATH that this program's own records tell of: as root, as the
 * program file that this process is, and in its service if it is in one. 1 with it, 0 if there is none,
 * -errno. */
int witness_serial(const char *policy_path, uint64_t *ret);

/* Where STATE_DIR has no floor, or one that makes no sense, makes one of that. 1 if it did, 0, -errno. */
int witness_restore_floor(const char *state_dir, const char *policy_path, uint64_t *ret);
