/* SPDX-License-Identifier: GPL-2.0-or-later */
/* private.h: what the files of this room share: the descriptors of the maps, by name. */
#pragma once

#include <limits.h>

#include "agent/network/hooks/hooks.h"
#include "agent/network/hooks/tables.h"

#define HOOKS_MAP_LIST(X)                                                                                   \
        X(places) X(lists) X(rows) X(people) X(marks) X(heads) X(current) X(tallies) X(wakes) X(seen) X(own)
#define HOOKS_MAP_CONSTANT_(name) MAP_##name,
#define HOOKS_MAP_NAME_(name)     [MAP_##name] = #name,
enum {
        HOOKS_MAP_LIST(HOOKS_MAP_CONSTANT_) HOOKS_MAPS
};

/* The file that a program of the plan in force was. While FD, by O_PATH, has it, no other gets its number.
 */
typedef struct HooksFile {
        int fd; /* or negative */
        struct hooks_exe exe;
        uint32_t mark;
} HooksFile;

struct NetworkHooks {
        char root[PATH_MAX], directory[PATH_MAX], version[32];
        char *group;
        uint64_t network; /* the cookie of the only one that is guarded, 0: all */
        int maps[HOOKS_MAPS];
        uint32_t generation;
        HooksFile *files, *former; /* of the plan before as well: calls may still be judged by it */
        size_t n_files, n_former;
        sd_event *event;
        struct ring_buffer *ring;
        sd_event_source *woken, *look;
        uint64_t looked; /* CLOCK_MONOTONIC, microseconds */
        bool again;      /* there is more since the last look */
        int draining;    /* what the programs wrote to until now, -1: nothing is being told */
        NetworkHooksHandler handler;
        void *userdata;
};

/* load.c: the name of this version, and this version pinned in ROOT/VERSION. 0, or -errno with WHY. */
void hooks_version(char *name, size_t size);
int hooks_load(const char *root, const char *version, char why[LSM_WHY]);

/* hooks.c: the kernel's own number of the network namespace that this process is in. 0 or -errno. */
int hooks_read_network(uint64_t *ret);

/* swap.c: put TABLES in the place of what holds. 0 or -errno: that holds on. */
int hooks_swap(NetworkHooks *hooks, const HooksTables *tables);
void hooks_close_files(HooksFile *files, size_t n);
/* The file that PATH is; zeroes where there is none. */
struct hooks_exe hooks_exe_of(const char *path);

/* drain.c: watch for refusals, and stop doing so. 0 or -errno. */
int hooks_watch(NetworkHooks *hooks);
void hooks_unwatch(NetworkHooks *hooks);
/* An empty count of refusals for the programs, if they have none. 0 or -errno. */
int hooks_prepare_tally(NetworkHooks *hooks);
