/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * maps.bpf.h: what the agent has told the programs, and what they tell it. A plan is a generation: tables of
 * its own that are filled before `current` names it, so that no question is judged by half of one and half
 * of another.
 */
#pragma once

#include "agent/lsm/kernel.bpf.h"
#include "agent/network/hooks/layout.h"

/* Sizes and not types: those of inner maps do not get into the object. */
struct places_map {
        __uint(type, BPF_MAP_TYPE_LPM_TRIE);
        __uint(max_entries, HOOKS_ROWS_MAX);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __uint(key_size, sizeof(struct hooks_place));
        __uint(value_size, sizeof(struct hooks_list));
};

struct lists_map {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __uint(map_flags, BPF_F_INNER_MAP);
        __uint(key_size, sizeof(__u32));
        __uint(value_size, sizeof(__u32));
};

struct rows_map {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __uint(map_flags, BPF_F_INNER_MAP);
        __uint(key_size, sizeof(__u32));
        __uint(value_size, sizeof(struct hooks_row));
};

struct people_map {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 1);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __uint(key_size, sizeof(struct hooks_person));
        __uint(value_size, sizeof(__u8));
};

struct marks_map {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 1);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __uint(key_size, sizeof(struct hooks_exe));
        __uint(value_size, sizeof(__u32));
};

struct tally_map {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, HOOKS_TALLY + HOOKS_TALLY_PEOPLE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __uint(key_size, sizeof(struct hooks_key));
        __uint(value_size, sizeof(struct hooks_tally));
};

#define GENERATIONS_OF(inner)                                                                               \
        __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);                                                           \
        __uint(max_entries, HOOKS_GENERATIONS);                                                             \
        __type(key, __u32);                                                                                 \
        __array(values, struct inner)

struct {
        GENERATIONS_OF(places_map);
} places SEC(".maps");

struct {
        GENERATIONS_OF(lists_map);
} lists SEC(".maps");

struct {
        GENERATIONS_OF(rows_map);
} rows SEC(".maps");

struct {
        GENERATIONS_OF(people_map);
} people SEC(".maps");

struct {
        GENERATIONS_OF(marks_map);
} marks SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, HOOKS_GENERATIONS);
        __type(key, __u32);
        __type(value, struct hooks_head);
} heads SEC(".maps");

/* The number of the plan that holds: its generation, counted on; of it the last bit says which tables. */
struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, __u32);
} current SEC(".maps");

/* What was refused since the agent looked: the first. It puts an empty one there and has the other, which
 * no program writes to any more, in the second meanwhile. */
struct {
        GENERATIONS_OF(tally_map);
} tallies SEC(".maps");

/* Addresses that are the terminal's own, with the cookie of the network namespace in which they are. */
struct {
        __uint(type, BPF_MAP_TYPE_LPM_TRIE);
        __uint(max_entries, HOOKS_OWN);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, struct hooks_place);
        __type(value, __u64);
} own SEC(".maps");

/* Wakes the agent when there is something to look at. */
struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, HOOKS_RING);
} wakes SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_LRU_HASH);
        __uint(max_entries, HOOKS_SEEN);
        __type(key, struct hooks_seen);
        __type(value, __u8);
} seen SEC(".maps");
