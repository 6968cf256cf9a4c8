/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.h: what a draft of a policy would have said where the guard made a record. What a record does not
 * hold is tried both ways: only what comes out the same is an answer. Pure but for who belongs to which
 * group, which is looked up.
 */
#pragma once

#include "agent/ctl/event_record.h"
#include "policy/model.h"

typedef enum ReplayOutcome {
        REPLAY_NO_VERDICT, /* the record is about no verdict of a policy */
        REPLAY_SAME,
        REPLAY_OTHERWISE,
        REPLAY_UNDECIDED
} ReplayOutcome;

typedef struct Replay {
        ReplayOutcome outcome;
        const char *before, *after; /* verdicts; static */
        const char *rule, *reason;  /* of the draft; borrowed from it, or static */
        bool monitor;               /* what the draft refuses is only recorded */
        const char *missing;        /* UNDECIDED: what the record does not say; static, untranslated */
} Replay;

/* Who has the uid in the text UID. 0 and groups to be freed, -ENOENT if the machine does not know, -errno.
 */
typedef int (*ReplayPerson)(void *userdata, const char *uid, Subject *ret, gid_t **ret_groups);

/* DRAFT is resolved. 0 or -errno. */
int replay_record(const Policy *draft, const EventRecord *record, ReplayPerson person, void *userdata,
                  Replay *ret);
