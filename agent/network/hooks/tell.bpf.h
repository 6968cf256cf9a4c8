/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tell.bpf.h: who was refused, and how often. Each refusal adds one somewhere, whatever else is short: to
 * its own count, to its person's, or to that of all the others.
 */
#pragma once

#include "agent/network/hooks/maps.bpf.h"

/* An entry as it begins. */
static const struct hooks_tally blank;

/* Where what is counted nowhere else is. */
static const struct hooks_key nobody;

static __always_inline void add_one(struct hooks_tally *tally) {
        __sync_fetch_and_add(&tally->count, 1);
}

static __always_inline void wake(void) {
        __u8 any = 0;

        (void)bpf_ringbuf_output(&wakes, &any, sizeof(any), 0); /* full: it has not looked yet, and will */
}

/* The entries from the program's name up to its file system's root. */
static __always_inline __u32 put_exe(char *to, struct dentry *dentry) {
        __u32 offset = 0;

        for (int i = 0; i < HOOKS_DEPTH; i++) {
                struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
                long n;

                if (!dentry || dentry == parent || offset > HOOKS_EXE - HOOKS_NAME)
                        break;
                n = bpf_probe_read_kernel_str(to + offset, HOOKS_NAME, BPF_CORE_READ(dentry, d_name.name));
                if (n <= 0)
                        break;
                offset += n;
                dentry = parent;
        }
        return offset;
}

/* A function that the verifier looks at by itself, once, and not on every path that leads to it. Always 0.
 */
__noinline int network_describe(struct hooks_tally *tally) {
        struct task_struct *task = (void *)bpf_get_current_task();
        struct file *exe = BPF_CORE_READ(task, mm, exe_file);

        if (!tally)
                return 0;
        tally->tid = BPF_CORE_READ(task, pid);
        tally->pid = BPF_CORE_READ(task, tgid);
        tally->started = BPF_CORE_READ(task, group_leader, start_boottime);
        (void)bpf_get_current_comm(tally->comm, sizeof(tally->comm));
        if (exe)
                tally->exe_length = put_exe(tally->exe, BPF_CORE_READ(exe, f_path.dentry));
        tally->written = 1;
        return 0;
}

/* Whether it found or made a count of its own for KEY. */
static __always_inline bool count_at(void *map, const struct hooks_key *key, struct hooks_tally *rest,
                                     __u64 limit) {
        struct hooks_tally *tally = bpf_map_lookup_elem(map, key);
        bool is_new;

        if (tally) {
                add_one(tally);
                return true;
        }
        if (rest->started >= limit)
                return false;
        __sync_fetch_and_add(&rest->started, 1);
        is_new = bpf_map_update_elem(map, key, &blank, BPF_NOEXIST) == 0;
        tally = bpf_map_lookup_elem(map, key);
        if (!tally) /* memory is short */
                return false;
        add_one(tally);
        if (is_new) {
                (void)network_describe(tally);
                wake();
        }
        return true;
}

/* Whether it was counted; what was let through is not, where there is too much. */
__noinline int network_tell(const struct hooks_key *key) {
        struct hooks_key mine, many = {};
        struct hooks_tally *rest;
        __u32 first = 0;
        void *map = bpf_map_lookup_elem(&tallies, &first);

        if (!key || !map)
                return false;
        mine = *key; /* until Linux 6.2 only what is on the function's own stack is a key */
        rest = bpf_map_lookup_elem(map, &nobody);
        if (!rest)
                return false;
        if (count_at(map, &mine, rest, HOOKS_TALLY))
                return true;
        if (mine.kind == HOOKS_TOLD_SEEN)
                return false;
        many.kind = HOOKS_TOLD_MANY;
        many.uid = mine.uid;
        many.loginuid = mine.loginuid;
        many.monitor = mine.monitor;
        if (count_at(map, &many, rest, HOOKS_TALLY + HOOKS_TALLY_PEOPLE))
                return true;
        add_one(rest);
        wake();
        return true;
}
