/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * medium.h: a medium from when it is plugged in until it is pulled, so that who looks later knows whether it
 * was out meanwhile. Within one boot.
 */
#pragma once

#include "agent/grants/book.h"
#include "policy/object.h"

/* In place of a word for one that could not be noted: it is never there. */
#define MEDIUM_UNKNOWN "?"

enum {
        MEDIUM_TOKEN_MAX = 80
};

/* A word for the device at PATH in sysfs, which is of DISKSEQ (0: it has none): its directory's inode
 * number, which the kernel gives anew to each device that it makes, and the number of the medium in it. 0 or
 * -errno. Source: fs/kernfs/dir.c, __kernfs_new_node(); Documentation/ABI/stable/sysfs-block, diskseq. */
int medium_token(const char *path, uint64_t diskseq, char ret[static MEDIUM_TOKEN_MAX]);

/* Adds DEVICE to what PERMIT knows of. 1 if it is new there, 0; -errno, with PERMIT untouched. */
int medium_add(Permit *permit, const DeviceIdentity *device);

/* Whether all that PERMIT knows of are there, and have been since. */
bool medium_stayed(const Permit *permit);
