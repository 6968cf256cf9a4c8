/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host.h: the machine's own mounts, those of its first process, seen from a process that has a mount
 * namespace of its own. Where both have the same one, or where the first process cannot be looked at,
 * everything here means the caller's own. Nothing is remembered. Source: proc(5), mount_namespaces(7).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whether the machine's mounts are in another namespace than the caller's. */
bool host_is_elsewhere(void);

/* Whether the first process can be looked at: where not, its mounts are taken for the caller's. */
bool host_can_be_seen(void);

/* The file that has the machine's mount table. */
const char *host_mountinfo(void);

/* Open PATH, absolute, among the machine's mounts. FLAGS as for open(2), without O_CREAT; O_CLOEXEC is
 * added. A symbolic link with an absolute target leads back among the caller's: openat2(2), which could hold
 * it, is what RestrictSUIDSGID= forbids, and what the kernel tells (mount points, files behind loop devices)
 * has no links. The descriptor or -errno. */
int host_open(const char *path, int flags);

/* The same below the root directory at ROOT. */
int host_open_below(const char *root, const char *path, int flags);

/* The number of the block device whose node is at PATH; 0 if there is none. */
dev_t host_block_device(const char *path);

/* Take the N mounts at POINTS away from the machine, the last first, whoever uses them (MNT_DETACH); points
 * that are none any more are passed over. Mounts of another namespace can be taken away from within only: a
 * short-lived child goes there, for which CAP_SYS_CHROOT is needed. 0 or -errno if it could not go. */
int host_detach(const char *const *points, size_t n);
