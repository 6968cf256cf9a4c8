/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard.h: bringing the guard of one superblock in line with its verdict: marks, the seal underneath,
 * writers that were there before. Used by superblocks.c alone.
 */
#pragma once

#include "agent/mount/mountinfo.h"
#include "agent/mount/superblocks.h"

const SuperblocksCallbacks *superblocks_callbacks(const Superblocks *all);
Report *superblocks_report(const Superblocks *all);
const char *superblocks_runtime_dir(const Superblocks *all);
bool superblocks_monitor_only(const Superblocks *all);

/* Guard or release SB by its decision; TABLE tells where it is mounted. Sets SB's guard and error, returns 0
 * or that error. */
int guard_apply(Superblocks *all, const MountTable *table, Superblock *sb);

/* SB, marked and mounted out of sight, where it cannot be made read-only: its gate goes by the policy in
 * force, and who may write no more and has it open is ended. 0 or -errno. */
int guard_out_of_sight(Superblocks *all, Superblock *sb);

/* Whether a mark of SB's gate still stands: then the superblock lives, though no mount is seen. */
bool guard_is_marked(const Superblock *sb);

/* SB may be written to again: make it writable if it was us who made it read-only. A note below the runtime
 * directory tells, so that it also holds for what a keeper or an earlier agent closed. */
void guard_lift(Superblocks *all, const MountTable *table, Superblock *sb);

/* Make SB read-only if nobody writes to it; whether it now is. */
bool guard_close(Superblocks *all, const MountTable *table, const Superblock *sb);
