/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * target.h: what a policy is asked about from the command line: a device that is plugged in, one that
 * options describe, the file system that holds a path. Reads sysfs and the mount table; decides nothing.
 */
#pragma once

#include "agent/ctl/options.h"
#include "policy/decide.h"

typedef struct Target {
        DeviceIdentity device;  /* described or found; has_device says whether there is one */
        DeviceIdentity *bottom; /* what it stands on */
        size_t n_bottom;
        bool has_device, block; /* block: a disk; else a USB device, asked by its interfaces */
        bool raw;               /* the disk's node itself is opened, not a file on it */
        SuperblockKind kind;
        char *fstype, *source, *mount, *path;
} Target;

void target_clear(Target *target);

/* A device node or a directory below /sys. 0, or 2 after one line on stderr. */
int target_from_device(const char *path, Target *ret);

/* Whether --bus, --vendor, --product or --serial was given. */
bool target_is_described(const Options *options);

/* The device of those options. 0, or 2 after one line on stderr. */
int target_from_options(const Options *options, Target *ret);

/* The file system of --fstype and --source, on the device that options describe if they do. */
int target_from_filesystem(const Options *options, Target *ret);

/* The file system that holds PATH, or would if PATH does not exist but its directory does; for the node of a
 * disk the disk. 0, or 2 after one line on stderr. */
int target_from_path(const char *path, Target *ret);

/* "sdb (usb 0951:1666, serial E0D55EA574)" as a new string. */
char *target_device_name(const DeviceIdentity *device);

/* The verdict on a disk: the strictest over what it stands on, as the agent judges it. */
void target_decide_device(const Policy *policy, const Target *target, const PolicyTime *now, Decision *ret);

/* The verdict on an open; RET_DECISION is that on the whole file system. */
void target_decide_open(const Policy *policy, const Target *target, const Subject *subject, bool for_writing,
                        const PolicyTime *now, OpenDecision *ret, Decision *ret_decision);

#define CLEANUP_TARGET CLEANUP(target_clear)
