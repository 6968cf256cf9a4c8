/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sources.h: from which of the policy's assets a write may come: what the process that opens a file for
 * writing has open itself, or one of its ancestors in the session, or one of its process group. Read from
 * names in the kernel's memory; nothing of a file system is touched. A process's mappings stand behind a
 * lock of its own, so that a thread with a deadline reads, and never the one that others wait for.
 */
#pragma once

#include <sys/types.h>

#include "policy/assets.h"

typedef struct SourcesReader SourcesReader;

enum {
        SOURCES_DEADLINE_MSEC = 500,
        SOURCES_ANCESTORS_MAX = 64
};

/* 0 or -ENOMEM; the thread is started when it is first needed. */
int sources_reader_new(SourcesReader **ret);
SourcesReader *sources_reader_free(SourcesReader *reader); /* returns NULL; never waits */

/* The strictest asset of POLICY that PID may write from, NULL in RET if there is none. 0; -ETIMEDOUT,
 * -EHOSTDOWN (while too many reads are stuck), -ESRCH or another -errno if it cannot be told. */
int sources_find(SourcesReader *reader, Policy *policy, pid_t pid, const Asset **ret);

/* What sources_find() has done in the thread; for tests. 0 or -errno. */
int sources_scan(const Policy *policy, pid_t pid, const Asset **ret);
