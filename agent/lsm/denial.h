/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * denial.h: what the programs in the kernel tell of a refusal, made readable. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/lsm/layout.h"
#include "policy/event.h"

typedef struct LsmDenial {
        int kind; /* LSM_EVENT_… */
        Operation operation;
        bool monitor;   /* only told, not refused */
        uint64_t count; /* more than 1: so many of which nothing else is known */
        dev_t devnum;
        pid_t tid, pid;      /* 0: not known */
        uid_t uid, loginuid; /* (uid_t) -1: not known */
        uint64_t started;    /* of the process, CLOCK_BOOTTIME in ns */
        unsigned request;    /* an ioctl's number, or a signal's */
        char path[LSM_PATH]; /* from the root of its file system, with a slash at the front; of a name: as
                                given */
        char base[LSM_PATH]; /* where a name that does not begin with a slash is relative to, likewise */
        dev_t base_devnum;   /* of a node: where path is */
        char exe[LSM_PATH / 2];
        dev_t exe_devnum;
} LsmDenial;

/* 0, or -EBADMSG if EVENT, of SIZE bytes, is not one of ours. */
int lsm_denial_from_event(const void *event, size_t size, LsmDenial *ret);

/* Of refusals that were only counted. */
void lsm_denial_from_count(const struct lsm_lost *lost, uint64_t count, LsmDenial *ret);

/* Turn "c\0b\0a\0" into "/a/b/c". What does not fit is cut off at the front, where it says least. */
void lsm_join_entries(const char *entries, size_t length, char *to, size_t size);
