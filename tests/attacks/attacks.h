/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attacks.h: what every attack is handed, and the table it stands in. An attack is one way to get something
 * onto a volume: a function of a few lines that returns 0 if the kernel let it through and -errno if not.
 * Whether anything reached the medium is not its word alone: volume_read.h looks afterwards.
 */
#pragma once

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/scope.h"

#define PLANTED "sekisho-attacks" /* the directory on the volume that has one directory for each attack */

enum {
        MARKER_LENGTH = 24, /* random, in whatever an attack smuggles */
        MARKER_KEY = 12,    /* so much of it is searched for: a label may hold no more */
        SECTOR = 512,
        FILE_SIZE = 16384,   /* of the planted "file" */
        MUCH = 262144,       /* so much that some of it stays where others write later */
        OTHER_SIZE = 4096,   /* of "other" and of "twin", which are the same */
        SWAP_SIZE = 1 << 20, /* of "swap" */
        WHY_SIZE = 120,
        NAME_SIZE = 40,
        GROUPS_MAX = 64
};

/* The volume under attack, and who attacks it. */
typedef struct Volume {
        char mount[PATH_MAX], fstype[32], node[PATH_MAX], disk[PATH_MAX], image[PATH_MAX], scratch[64];
        dev_t node_number, disk_number;
        uint64_t start; /* of the node on the disk, in bytes */
        uint64_t size;  /* of the node, in bytes */
        unsigned partition;
        unsigned medium; /* a descriptor of the disk from before the guard, 0: none */
        bool unguarded, machine_wide;
        uid_t uid;
        gid_t gid;
        gid_t groups[GROUPS_MAX];
        size_t n_groups;
} Volume;

/* What an attack needs. */
typedef enum Needs {
        NEEDS_ROOT = 1 << 0,      /* a capability that only root has */
        NEEDS_NODE = 1 << 1,      /* a block device node */
        NEEDS_UNMOUNTED = 1 << 2, /* the device to itself, so it comes last */
        NEEDS_MACHINE = 1 << 3,   /* a setting of the whole machine, for a moment */
        NEEDS_USER = 1 << 4,      /* an ordinary user: root has shorter ways */
        LEAVES_NO_TRACE = 1 << 5, /* nothing that reading would find: success alone tells */
        ERASES_TRACES = 1 << 6,   /* those of others: the medium is read before it */
        TRACES_FADE = 1 << 7      /* others may write over what it leaves: the medium is read after it */
} Needs;

typedef struct Attack Attack;

/* One attempt: an attack in its own process, with its own directory, scratch directory and marker. */
typedef struct Attempt {
        const Volume *volume;
        const Attack *attack;
        char marker[MARKER_LENGTH + 1];
        char scratch[128];   /* not on the volume; the attacker's own */
        int64_t block;       /* where its planted file lies on the node, in bytes; -1 if unknown */
        int kept;            /* a descriptor from the preparation */
        pid_t holder;        /* a process from the preparation */
        void *map;           /* a mapping from the preparation */
        uint8_t handle[160]; /* a struct file_handle from the preparation */
        char why[WHY_SIZE];  /* why it is impossible */
} Attempt;

struct Attack {
        const char *name;
        unsigned needs;
        int (*prepare)(Attempt *a); /* before the guard; 0 or -errno */
        int (*run)(Attempt *a);
};

enum {
        IMPOSSIBLE = INT_MIN /* what run() returns for what this kernel or file system cannot do at all */
};

/* A table of attacks, one per file. */
typedef struct AttackTable {
        const Attack *attacks;
        size_t n;
} AttackTable;

extern const AttackTable attacks_open, attacks_reopen, attacks_before, attacks_copy, attacks_uring,
        attacks_abi, attacks_race, attacks_names, attacks_metadata, attacks_attributes, attacks_ioctl,
        attacks_mounts, attacks_spaces, attacks_raw, attacks_scsi, attacks_stacked;

#define ATTACK_TABLE(table, list) const AttackTable table = {(list), ELEMENTS(list)}

/* A path by value, so that it lives as long as the expression it stands in. */
typedef struct Path {
        char s[PATH_MAX];
} Path;

/* NAME in this attempt's directory on the volume. */
Path at(const Attempt *a, const char *name);
/* A name there that is not taken and carries the marker. */
Path new_name(const Attempt *a);
/* NAME in its scratch directory, which is not on the volume. */
Path beside(const Attempt *a, const char *name);
/* /proc/self/fd/FD. */
Path proc_fd(int fd);

/* The result of a system call wrapper: as it is, or -errno. */
int sys(long r);
/* Writes the marker to FD (or passes -errno on), has it reach the medium, closes it. 0 or -errno. */
int smuggle(const Attempt *a, int fd);
/* The same at OFFSET, in a whole sector. */
int smuggle_sector(const Attempt *a, int fd, int64_t offset);
/* FD was the point (a name, a truncation): has it reach the medium, closes it. 0 or -errno. */
int opened(int fd);
/* Opens NAME of the directory for reading. A descriptor or -errno. */
int open_read(const Attempt *a, const char *name);
/* Opens NAME of the directory for writing and writes the marker. 0 or -errno. */
int write_file(const Attempt *a, const char *name);
/* Says that this is impossible, and why. Returns IMPOSSIBLE. */
int impossible(Attempt *a, const char *why);
/* R, unless it says that the kernel does not know the call: then impossible for the reason WHY. */
int unless_unknown(Attempt *a, int r, const char *why);
/* A file beside the volume with SIZE bytes of markers, open for reading and writing, at its begin. */
int marker_file(const Attempt *a, size_t size);
/* Fills BUFFER with SIZE bytes of markers. */
void fill_with_marker(const Attempt *a, void *buffer, size_t size);
/* Writes SIZE bytes of markers to FD and closes it. 0 or -errno. */
int smuggle_much(const Attempt *a, int fd, size_t size);
/* Runs FUNCTION in a child and returns its result, or -ECHILD if it did not end by itself. */
int in_child(Attempt *a, int (*function)(Attempt *a));
