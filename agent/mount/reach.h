/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reach.h: getting at a file system by the mounts of the machine (host.h). Decides nothing. */
#pragma once

#include "agent/mount/mountinfo.h"

/* A descriptor (O_PATH) on any mount of the file system DEVNUM that can be reached by its path: another
 * mount may hide it. Held, it keeps that mount from being unmounted. The descriptor; -ENOENT; -errno. */
int mount_reach(const MountTable *table, dev_t devnum);
