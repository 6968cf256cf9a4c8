/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * volume.h: what a gate is handed for one guarded superblock or device node: an immutable, counted snapshot
 * that gives verdicts and describes itself for records. A changed policy or mount makes a new snapshot.
 */
#pragma once

#include <stdbool.h>

#include "agent/clock.h"
#include "agent/device/luks2.h"
#include "agent/report/record.h"
#include "policy/model.h"
#include "policy/object.h"
#include "policy/verdict.h"

typedef struct Volume Volume;

typedef struct VolumeSettings {
        Policy *policy;     /* a reference is taken */
        const Clock *clock; /* borrowed; outlives every volume */
        SuperblockIdentity
                identity;  /* strings and device are copied; for a raw node: kind block and its device */
        const char *mount; /* where it is mounted, or the node's path; copied */
        bool raw;          /* device nodes, not files */
        dev_t closed[LUKS2_MAX]; /* raw: nodes with a LUKS2 volume to be opened, which takes writing */
        size_t n_closed;
        bool monitor;       /* record what would be denied, deny nothing */
        bool quiet;         /* what is refused is told by nobody: the self-test's own disk */
        bool refuse_writes; /* whatever the policy says: nobody is left to ask */
} VolumeSettings;

/* Returns 0 or -ENOMEM; the caller has one reference. */
int volume_new(const VolumeSettings *settings, Volume **ret);
Volume *volume_ref(Volume *volume);
Volume *volume_unref(Volume *volume); /* returns NULL */

/* A copy of VOLUME that refuses every write. 0 or -ENOMEM. */
int volume_refusing(const Volume *volume, Volume **ret);

bool volume_is_monitor(const Volume *volume);
bool volume_is_quiet(const Volume *volume);
bool volume_is_raw(const Volume *volume);
/* Whether the verdict depends on who asks (else nothing of the asker need be read to decide). */
bool volume_asks_subject(const Volume *volume);
/* The policy whose assets an open for writing is to be looked at for; NULL if it has none. Borrowed. */
Policy *volume_assets(const Volume *volume);
/* The verdict where it may come from ASSET (NULL: from none), or where that is not known. */
void volume_judge_source(const Volume *volume, const Asset *asset, bool known, OpenDecision *decision);

/* The verdict on one open. Pure but for reading the clocks; strings live as long as VOLUME. */
void volume_judge(const Volume *volume, const Subject *subject, bool for_writing, OpenDecision *ret);

/* Whether SUBJECT may open the node NODE for writing all the same: root, who opens a LUKS2 volume that waits
 * there. Nothing tells cryptsetup's open from another one of root's. */
bool volume_unlocks(const Volume *volume, dev_t node, const Subject *subject);

/* Fill in what is known of the volume and of the decision. */
void volume_describe(const Volume *volume, const OpenDecision *decision, Record *record);
