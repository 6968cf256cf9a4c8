/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * classify.h: what kind of file system a superblock is, by its type's name. Pure. A name that is not known
 * is SUPERBLOCK_UNKNOWN, or SUPERBLOCK_BLOCK where its device number is that of a block device.
 */
#pragma once

#include <stddef.h>

#include "policy/object.h"

/* The N-th of the types that hold nothing of their own outside the terminal: those that the kernel makes up
 * or keeps in memory, and those stacked on others, which are judged themselves. NULL beyond the last. */
const char *superblock_inner_type(size_t n);

/* DEVNUM as mountinfo has it: a major number of 0 means that no block device carries it directly. */
SuperblockKind superblock_classify(const char *fstype, dev_t devnum);
