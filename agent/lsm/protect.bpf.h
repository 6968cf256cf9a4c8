/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * protect.bpf.h: the guard itself: its processes, what it has pinned, its files and its control group,
 * against everybody but itself and the service manager.
 */
#pragma once

#include "agent/lsm/judge.bpf.h"
#include "agent/lsm/tell.bpf.h"

static __always_inline const struct lsm_protection *get_protection(void) {
        const struct lsm_protection *found;
        __u32 zero = 0;

        found = bpf_map_lookup_elem(&protection, &zero);
        return found && (found->lifted_until == 0 || bpf_ktime_get_boot_ns() >= found->lifted_until) ? found
                                                                                                     : NULL;
}

static __always_inline bool is_unit(const struct lsm_protection *set, const void *name) {
        char text[LSM_UNIT] = {};

        if (!set->unit[0] || bpf_probe_read_kernel_str(text, sizeof(text), name) <= 0)
                return false;
        for (int i = 0; i < LSM_UNIT; i++) {
                if (text[i] != set->unit[i])
                        return false;
                if (!text[i])
                        break;
        }
        return true;
}

/* The guard, the service manager, or what that has started in the guard's unit: the agent that is to come.
 * What the service manager has forked and what has not executed anything yet is still the service manager,
 * on its way into the unit: it has the very file open that the service manager runs from, which nobody else
 * can get.
 */
static __always_inline bool is_entitled(const struct lsm_protection *set) {
        struct task_struct *task = (void *)bpf_get_current_task();
        __u32 pid = bpf_get_current_pid_tgid() >> 32;

        if (pid == 1 || is_guard() || BPF_CORE_READ(task, flags) & PF_KTHREAD)
                return true;
        if (BPF_CORE_READ(task, real_parent, tgid) != 1)
                return false;
        return BPF_CORE_READ(task, mm, exe_file) == BPF_CORE_READ(task, real_parent, mm, exe_file) ||
               is_unit(set, BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, name));
}

static __always_inline int refuse_guard(__u8 operation, struct dentry *dentry, __u32 number) {
        tell_entry(LSM_EVENT_GUARD, operation, 0, dentry, number, false);
        return -EPERM;
}

/* processes */

static __always_inline int judge_process(struct task_struct *target, __u8 operation, __u32 number) {
        const struct lsm_protection *set = get_protection();

        if (!set || !set->process || !bpf_task_storage_get(&guards, target->group_leader, NULL, 0) ||
            is_entitled(set))
                return 0;
        return refuse_guard(operation, NULL, number);
}

SEC("lsm/task_kill")
int BPF_PROG(guard_task_kill, struct task_struct *target, void *info, int sig) {
        return sig == 0 ? 0 : judge_process(target, LSM_OP_SIGNAL, sig);
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(guard_ptrace_access_check, struct task_struct *target, unsigned int mode) {
        return mode & PTRACE_ATTACH_MODE ? judge_process(target, LSM_OP_TRACE, mode) : 0;
}

SEC("lsm/task_setrlimit")
int BPF_PROG(guard_task_setrlimit, struct task_struct *target, unsigned int resource) {
        return judge_process(target, LSM_OP_LIMIT, resource);
}

SEC("lsm/task_setnice")
int BPF_PROG(guard_task_setnice, struct task_struct *target, int nice) {
        return judge_process(target, LSM_OP_LIMIT, 0);
}

SEC("lsm/task_setscheduler")
int BPF_PROG(guard_task_setscheduler, struct task_struct *target) {
        return judge_process(target, LSM_OP_LIMIT, 0);
}

SEC("lsm/task_setioprio")
int BPF_PROG(guard_task_setioprio, struct task_struct *target, int priority) {
        return judge_process(target, LSM_OP_LIMIT, 0);
}

/* what is pinned */

SEC("lsm/bpf_map")
int BPF_PROG(guard_bpf_map, struct bpf_map *map, unsigned int mode) {
        const struct lsm_protection *set = get_protection();
        __u32 id = map->id;

        if (!set || !set->pins || !bpf_map_lookup_elem(&own_maps, &id) || is_entitled(set))
                return 0;
        return refuse_guard(LSM_OP_MAP, NULL, id);
}

SEC("lsm/sb_umount")
int BPF_PROG(guard_sb_umount, struct vfsmount *mount, int flags) {
        const struct lsm_protection *set = get_protection();

        if (!set || !set->pins || mount->mnt_sb->s_dev != set->pins_dev || is_entitled(set))
                return 0;
        return refuse_guard(LSM_OP_UNMOUNT, mount->mnt_root, flags);
}

static __always_inline bool is_listed(struct inode *inode) {
        struct lsm_inode key = {};

        if (!inode)
                return false;
        key.ino = inode->i_ino;
        key.dev = inode->i_sb->s_dev;
        return bpf_map_lookup_elem(&directories, &key) != NULL;
}

static __always_inline bool is_named_sekisho(struct dentry *dentry) {
        const char wanted[] = "sekisho";
        char name[sizeof(wanted) + 1] = {};

        if (bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(dentry, d_name.name)) !=
            sizeof(wanted))
                return false;
        for (unsigned i = 0; i < sizeof(wanted) - 1; i++)
                if (name[i] != wanted[i])
                        return false;
        return true;
}

/* Whether DENTRY, on the file system of pinned objects, is ours: /sekisho, /sekisho/VERSION, or in that. */
static __always_inline bool is_pin(struct dentry *dentry) {
        struct dentry *parent = dentry->d_parent;

        return is_named_sekisho(dentry) || is_named_sekisho(parent) ||
               is_named_sekisho(BPF_CORE_READ(parent, d_parent));
}

/* Whether a change to DENTRY is one to the guard's own, by somebody else: -EPERM, else 0. */
static __always_inline int judge_own(struct dentry *dentry, __u8 operation) {
        const struct lsm_protection *set = get_protection();
        struct super_block *sb = dentry->d_sb;
        bool own;

        if (!set)
                return 0;
        if (sb->s_magic == PINS_MAGIC)
                own = set->pins && sb->s_dev == set->pins_dev && is_pin(dentry);
        else if (sb->s_magic == CGROUPS_MAGIC) /* by which it can be ended, frozen or left without memory */
                own = set->process && is_unit(set, BPF_CORE_READ(dentry, d_parent, d_name.name));
        else
                own = set->directories &&
                      (is_listed(dentry->d_parent->d_inode) || is_listed(dentry->d_inode));
        return own && !is_entitled(set) ? refuse_guard(operation, dentry, 0) : 0;
}
