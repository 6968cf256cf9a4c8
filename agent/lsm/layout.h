/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * layout.h: what the agent and its programs in the kernel share: the maps' keys and values, and the events.
 * Included by both sides: plain integers of fixed size only. Zero denies: a verdict that was not filled in
 * lets nothing be written.
 */
#pragma once

#include <linux/types.h>

enum {
        LSM_CONDITIONS_MAX = 2, /* a file system's and its device's */
        LSM_TYPE_NAME = 32,
        LSM_PATH = 1024,
        LSM_DEPTH = 24, /* directories of a path; what lies deeper is told without its upper ones */
        LSM_NAME = 256,
        LSM_UNIT = 64,
        LSM_DIRECTORIES = 256,
        LSM_SUPERBLOCKS = 16384,
        LSM_DISKS = 4096,
        LSM_PEOPLE = 65536,
        LSM_RING = 1 << 20,
        LSM_PROGRAMS = 256,
        LSM_PROGRAM_PATH = 220,
        LSM_PROGRAM_NAME = 32, /* with its zero; one that fills it may have been cut off */
        LSM_PROGRAM_DEPTH = 12,
};

/* What may be done, as in policy/verdict.h. */
enum {
        LSM_DENY,
        LSM_READ_ONLY,
        LSM_WRITE
};

/* One rule's limits on who may write and when. */
struct lsm_condition {
        __u64 from, until; /* ns since boot; open while from <= now < until */
        __u32 by_person;   /* only those of the map `people` */
        __u32 by_session;  /* and only in the sessions there */
};

/* The verdict on a superblock or on a block device. */
struct lsm_verdict {
        __u8 access;
        __u8 monitor; /* up to the end: deny nothing, tell what would be denied */
        __u8 unlocks; /* a node on which root may open a LUKS2 volume, which takes writing */
        __u8 n_conditions;
        __u32 pad;
        __u64 diskseq; /* of the medium it is about, 0: whichever */
        __u64 until;   /* ns since boot from when on nobody may write, 0: no end */
        struct lsm_condition conditions[LSM_CONDITIONS_MAX];
};

/* What the id of a person is. */
enum {
        LSM_USER,
        LSM_GROUP,
        LSM_SESSION /* of audit */
};

/* Who a condition is for. */
enum {
        LSM_ON_SUPERBLOCK,
        LSM_ON_DISK
};
struct lsm_person {
        __u32 dev; /* as the kernel numbers devices inside: major << 20 | minor */
        __u8 on, condition, what, pad;
        __u32 id;
};

struct lsm_type {
        char name[LSM_TYPE_NAME];
};

/* A character device that reaches a disk past its node. */
enum {
        LSM_CHAR_GUARDED, /* not even opened */
        LSM_CHAR_FREE
};

struct lsm_settings {
        __u32 lenient;    /* what nobody has judged is let through, and not told */
        __u32 deny_reads; /* there are superblocks that may not even be read */
        __u32 bsg_major;
        __u32 mapper_major; /* 0: the device mapper is not there */
        __u32 written;      /* by an agent: else it is as it was made */
        __u32 closed;       /* nodes of what may not be written are not even read, but by `programs` */
};

/* An executable file: its entries, the last first, each ended by a zero, on the superblock DEV. */
struct lsm_program {
        __u32 dev;
        char path[LSM_PROGRAM_PATH];
};

/* Whom such a program lets read nodes. */
enum {
        LSM_READER_ITSELF = 1,
        LSM_READER_FAMILY, /* what it starts as well */
};

/* What of the guard itself nobody else may touch. */
struct lsm_protection {
        __u64 lifted_until; /* ns since boot until when nothing of it holds, 0: it holds */
        __u32 process, pins, directories;
        __u32 pins_dev; /* the file system that the pins are on */
        char unit[LSM_UNIT];
};

/* A directory whose entries the guard alone changes. */
struct lsm_inode {
        __u64 ino;
        __u32 dev;
        __u32 pad;
};

enum {
        LSM_EVENT_FILE, /* refused on a superblock; path is its entries, the last first, each ended by a zero
                         */
        LSM_EVENT_NODE, /* refused on the node of a device; path likewise */
        LSM_EVENT_READ_ONLY, /* by a superblock that is read-only underneath; path as for a file */
        LSM_EVENT_NAME,      /* likewise; path is the name that the caller gave */
        LSM_EVENT_GUARD,     /* somebody laid hands on the guard */
};

enum {
        LSM_OP_UNKNOWN,
        LSM_OP_READ,
        LSM_OP_WRITE,
        LSM_OP_CREATE,
        LSM_OP_TRUNCATE,
        LSM_OP_MKDIR,
        LSM_OP_MKNOD,
        LSM_OP_SYMLINK,
        LSM_OP_LINK,
        LSM_OP_RENAME,
        LSM_OP_UNLINK,
        LSM_OP_RMDIR,
        LSM_OP_SETATTR,
        LSM_OP_SETXATTR,
        LSM_OP_IOCTL,
        LSM_OP_RECEIVE,
        LSM_OP_SIGNAL,
        LSM_OP_TRACE,
        LSM_OP_LIMIT,
        LSM_OP_UNMOUNT,
        LSM_OP_MAP,
        LSM_OPS
};

struct lsm_event {
        __u8 kind, operation, monitor;
        __u8 truncated; /* the path has more directories than are told */
        __u32 dev;      /* the superblock's; of a node, the device's; of a name, where it begins */
        __u32 tid, pid;
        __u32 uid, loginuid; /* the file-system uid; (__u32) -1: nobody logged in */
        __u64 started;       /* of the process, ns since boot: tells it from a later one with its number */
        __u32 ioctl;         /* the request, or the signal */
        __u32 base_length, path_length, exe_length;
        __u32 base_dev, exe_dev; /* the superblocks that base (of a node, path) and exe are on */
        char base[LSM_PATH]; /* of a name that does not begin with a slash: the directory that it is relative
                                to */
        char path[LSM_PATH];
        char exe[LSM_PATH / 2];
};

/* How often an event did not fit into the ring. */
struct lsm_lost {
        __u32 dev;
        __u8 kind, operation, monitor, pad;
};
