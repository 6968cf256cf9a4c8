/* SPDX-License-Identifier: GPL-2.0-or-later */
/* private.h: what the files of this room share: the descriptors of the maps, by name. */
#pragma once

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <limits.h>

#include "agent/lsm/lsm.h"

#define LSM_MAP_LIST(X)                                                                                     \
        X(superblocks)                                                                                      \
        X(disks)                                                                                            \
        X(characters)                                                                                       \
        X(people)                                                                                           \
        X(types)                                                                                            \
        X(settings) X(protection) X(directories) X(own_maps) X(guards) X(events) X(lost) X(told) X(programs)
#define LSM_MAP_CONSTANT_(name) MAP_##name,
#define LSM_MAP_NAME_(name)     [MAP_##name] = #name,
enum {
        LSM_MAP_LIST(LSM_MAP_CONSTANT_) MAPS
};

/* Numbers that this agent has judged: what else stands in a map is an earlier one's. */
typedef struct Numbers {
        uint32_t *items;
        size_t n;
} Numbers;

struct Lsm {
        char directory[PATH_MAX], version[32];
        int maps[MAPS];
        struct ring_buffer *ring;
        sd_event_source *source;
        LsmHandler handler;
        void *userdata;
        unsigned taken; /* events in this turn of the loop */
        bool has_hooks;
        bool adopted; /* they were in the kernel already */
        bool settled, lenient, deny_reads;
        Numbers known[MAPS];
};

/* 0 or -errno. */
int lsm_update(int map, const void *key, const void *value);

/* Whether a program of that name is one that refuses, or keeps the maps; others tell. */
bool lsm_is_hook(const char *name);

/* judged.c: the maps of verdicts. Delete what an earlier agent has judged and this one has not. 0 or -errno.
 */
int lsm_sweep(Lsm *lsm);
