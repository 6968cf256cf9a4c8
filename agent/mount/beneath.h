/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * beneath.h: what a mounted file system stands on, by the mount table. Asks no server: only local paths that
 * the table names are looked up, and those without syncing.
 */
#pragma once

#include "agent/mount/mountinfo.h"
#include "policy/object.h"

/* What kind of superblock ENTRY shows: for an overlay that of its upper directory. The root file system that
 * this process itself runs from is the terminal's own (SUPERBLOCK_KERNEL) where no block device tells it,
 * such as an overlay whose layers are out of sight, or a root over the network. RET_BLOCK is the number of
 * the block device beneath, 0 if there is none. */
SuperblockKind mount_beneath(const MountTable *table, const MountEntry *entry, dev_t *ret_block);
