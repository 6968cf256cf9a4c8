/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verdict.h: a decision in the form that the programs in the kernel understand: with the people it is for,
 * and with an end, so that it lapses although nobody is there to say so. Pure.
 */
#pragma once

#include "agent/lsm/layout.h"
#include "policy/model.h"
#include "policy/object.h"
#include "policy/verdict.h"

typedef struct LsmVerdict {
        struct lsm_verdict value;
        const RuleScope
                *scopes[LSM_CONDITIONS_MAX]; /* of each condition, whose people are meant; borrowed */
} LsmVerdict;

/* The moment a verdict is made at. */
typedef struct LsmMoment {
        PolicyTime time;
        uint64_t boottime; /* CLOCK_BOOTTIME, ns */
        unsigned second;   /* of the minute that TIME is in */
} LsmMoment;

/* DECISION was made about SUPERBLOCK (for a disk: one of kind block on it) by POLICY. It ends when any rule
 * of the policy expires, for a new one has to be made then; the terminal's own have no end. */
void lsm_verdict_make(const Policy *policy, const SuperblockIdentity *superblock, const Decision *decision,
                      const LsmMoment *now, LsmVerdict *ret);

/* From when until when, in ns since boot, HOURS are open next, or are already. */
void lsm_window(const Hours *hours, const LsmMoment *now, uint64_t *from, uint64_t *until);

/* The moment, in ns since boot, of an expiry; 0 for one that never is. */
uint64_t lsm_expiry(time_t expires, const LsmMoment *now);

/* A device number as the kernel has it inside. */
uint32_t lsm_devnum(dev_t devnum);
/* And back. */
dev_t lsm_devnum_back(uint32_t devnum);
