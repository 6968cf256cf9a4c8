/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * harness.h: what stands around the attacks. volume.c finds out what is attacked, plant.c lays the tree that
 * they need, runner.c runs each in a process of its own and restores what it left, manifest.c and medium.c
 * look at what reached the volume, report.c says so.
 */
#pragma once

#include <stdio.h>

#include "tests/attacks/attacks.h"

/* What came of an attack. */
typedef enum Verdict {
        VERDICT_NOT_RUN,
        VERDICT_HELD,
        VERDICT_LEAKED,
        VERDICT_IMPOSSIBLE,
        VERDICT_HUNG,   /* it did not end in time */
        VERDICT_FAILED, /* the test itself: no preparation, or a crash */
} Verdict;

/* How a leak was seen. */
typedef enum Evidence {
        EVIDENCE_SUCCESS = 1 << 0, /* the kernel let it through */
        EVIDENCE_TREE = 1 << 1,    /* the manifest differs in its directory */
        EVIDENCE_MARKER = 1 << 2,  /* its marker is on the medium */
        EVIDENCE_BLOCK = 1 << 3,   /* what it had to lie on the medium does not lie there any more */
} Evidence;

/* One attack of this run. */
typedef struct Trial {
        Attempt attempt;
        Verdict verdict;
        int error; /* errno of what it got, positive */
        unsigned evidence;
        char detail[WHY_SIZE]; /* what differs, or why it is impossible */
        uint64_t before;       /* what its blocks on the medium held */
        pid_t pid;             /* of a prepared one */
        int go, results;       /* of a prepared one */
} Trial;

/* -- volume.c */

/* Fills in what the mount table and sysfs tell of volume->mount. A node or image given already stays. */
int volume_describe(Volume *volume);
/* Takes the groups of volume->uid from the user database, as far as it knows that user. */
int volume_find_groups(Volume *volume);
/* Whether the attacker may open the node for writing, by its mode. */
bool volume_node_is_open(const Volume *volume);

/* The settings of a volume that an attack may have left changed. */
typedef struct VolumeState {
        int node_read_only, disk_read_only;
        bool mounted, mount_read_only;
} VolumeState;

/* Looks at them. */
void volume_state(const Volume *volume, VolumeState *ret);
/* Puts them back, and takes away mounts below the scratch directory. */
void volume_restore(const Volume *volume, const VolumeState *state);

/* -- plant.c */

/* Makes the tree below DIRECTORY that the attacks need, owned by UID and GID. 0 or -errno. */
int plant(const char *directory, uid_t uid, gid_t gid);

/* -- manifest.c */

typedef struct Manifest Manifest;

/* Reads everything below DIRECTORY on its file system; atime is left out: reading changes it. */
int manifest_read(const char *directory, Manifest **ret);
void manifest_free(Manifest *manifest);
/* Calls FOUND with the path (relative) and a word on each difference. Returns how many. */
size_t manifest_compare(const Manifest *before, const Manifest *after,
                        void (*found)(const char *path, const char *what, void *arg), void *arg);

DEFINE_CLEANUP(Manifest, manifest_free);
#define CLEANUP_MANIFEST CLEANUP(scope_manifest_free)

/* -- medium.c */

/* Finds where the planted files lie, before anything else happens: attempt.block and before of each. */
int medium_locate(const Volume *volume, Trial *trials, size_t n);
/* Looks for markers and for what became of the planted files: adds to the evidence of each. */
int medium_search(const Volume *volume, const char *run_prefix, Trial *trials, size_t n);

/* -- runner.c */

/* Forks the prepared attack I of N TRIALS and has it prepare itself. */
void runner_prepare(Trial *trials, size_t n, size_t i);
/* Runs it, waits TIMEOUT seconds at most. */
void runner_run(Trial *trials, size_t n, size_t i, unsigned timeout);
/* Ends a prepared attack that will not be run. */
void runner_end(Trial *trial);

/* -- report.c */

const char *verdict_to_string(Verdict verdict);
/* Writes one line per trial, or one JSON object for all, to F. */
void report_write(FILE *f, const Trial *trials, size_t n, bool json, size_t elsewhere);
/* Lists the catalogue. */
void report_list(FILE *f, bool json);

/* -- catalogue.c */

/* The attack number I of all, or NULL after the last. */
const Attack *catalogue(size_t i);
