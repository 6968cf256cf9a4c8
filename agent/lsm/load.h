/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load.h: the programs brought into the kernel and pinned, by a child process: what it takes to fit them to
 * the running kernel (the types of all of it) is not kept in the agent's memory afterwards. Nothing is in
 * force by that yet.
 */
#pragma once

#include <stddef.h>

#include "agent/lsm/child.h"

/* The name of this version of the programs: that of the directory they are pinned in. */
void lsm_version(char *name, size_t size);

/* Load the programs and pin them and their maps in the new directory ROOT/VERSION, whole or not at all: all
 * that fit this kernel, or, where it takes none at its security hooks, those that control groups ask. 0 or
 * -errno; WHY says what the kernel refused, also where less than all was loaded. */
int lsm_load(const char *root, const char *version, char why[LSM_WHY]);
