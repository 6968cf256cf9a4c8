/* SPDX-License-Identifier: GPL-2.0-or-later */
/* maps.bpf.h: what the agent has told the programs, and what they tell it. */
#pragma once

#include "agent/lsm/kernel.bpf.h"
#include "agent/lsm/layout.h"

/* Verdicts on superblocks by their number; a block device's file systems go by `disks` where they have none
 * of their own, so that nobody has to be there at the moment of a mount. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, LSM_SUPERBLOCKS);
        __type(key, __u32);
        __type(value, struct lsm_verdict);
} superblocks SEC(".maps");

/* Verdicts on disks and partitions, by the number of their node. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, LSM_DISKS);
        __type(key, __u32);
        __type(value, struct lsm_verdict);
} disks SEC(".maps");

/* Character devices that reach disks. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, LSM_DISKS);
        __type(key, __u32);
        __type(value, __u32);
} characters SEC(".maps");

/* Who a condition is for. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, LSM_PEOPLE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, struct lsm_person);
        __type(value, __u8);
} people SEC(".maps");

/* Types of file systems that keep nothing outside the terminal. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 256);
        __type(key, struct lsm_type);
        __type(value, __u8);
} types SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct lsm_settings);
} settings SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_ARRAY);
        __uint(max_entries, 1);
        __type(key, __u32);
        __type(value, struct lsm_protection);
} protection SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, LSM_DIRECTORIES);
        __type(key, struct lsm_inode);
        __type(value, __u8);
} directories SEC(".maps");

/* Programs of the system that have to read the nodes of guarded disks: LSM_READER_… */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, LSM_PROGRAMS);
        __type(key, struct lsm_program);
        __type(value, __u8);
} programs SEC(".maps");

/* These maps themselves, by their ids. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, 64);
        __type(key, __u32);
        __type(value, __u8);
} own_maps SEC(".maps");

/* The agent's and its keeper's processes; an entry goes with its process. */
struct {
        __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, int);
        __type(value, __u32);
} guards SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_RINGBUF);
        __uint(max_entries, LSM_RING);
} events SEC(".maps");

/* Of a thread in an open: the superblock that would not let it create. */
struct {
        __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
        __uint(map_flags, BPF_F_NO_PREALLOC);
        __type(key, int);
        __type(value, __u32);
} refused SEC(".maps");

/* What the ring had no room for, and how much of that the agent has recorded. Both only grow: a count that
 * was taken away while somebody adds to it would lose what is added. */
struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, LSM_DISKS);
        __type(key, struct lsm_lost);
        __type(value, __u64);
} lost SEC(".maps");

struct {
        __uint(type, BPF_MAP_TYPE_HASH);
        __uint(max_entries, LSM_DISKS);
        __type(key, struct lsm_lost);
        __type(value, __u64);
} told SEC(".maps");

static __always_inline const struct lsm_settings *get_settings(void) {
        __u32 zero = 0;

        return bpf_map_lookup_elem(&settings, &zero);
}
