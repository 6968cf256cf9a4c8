/* SPDX-License-Identifier: GPL-2.0-or-later */
/* judge.bpf.h: which verdict holds for a superblock or a node, and whether the caller may write by it. */
#pragma once

#include "agent/lsm/maps.bpf.h"

/* A verdict and where it stands, which people of a condition are kept by. */
struct found {
        const struct lsm_verdict *verdict; /* NULL: nobody has judged it, or it is free */
        __u32 dev;
        __u8 on;
        bool free; /* of a kind that keeps nothing outside the terminal */
};

static __always_inline bool is_free_type(struct super_block *sb) {
        struct lsm_type type = {};

        return bpf_probe_read_kernel_str(type.name, sizeof(type.name), sb->s_type->name) > 0 &&
               bpf_map_lookup_elem(&types, &type);
}

/* A FUSE file system on a block device is served by a program: what it is goes by rules of its own. */
static __always_inline bool is_served(struct super_block *sb) {
        char name[5] = {};

        return bpf_probe_read_kernel_str(name, sizeof(name), sb->s_type->name) <= 0 ||
               (name[0] == 'f' && name[1] == 'u' && name[2] == 's' && name[3] == 'e');
}

static __always_inline void find_superblock(struct super_block *sb, struct found *ret) {
        const struct lsm_verdict *verdict;
        struct block_device *bdev;
        __u32 dev = sb->s_dev;

        *ret = (struct found){.dev = dev, .on = LSM_ON_SUPERBLOCK};
        ret->verdict = bpf_map_lookup_elem(&superblocks, &dev);
        if (ret->verdict)
                return;
        bdev = sb->s_bdev;
        if (!bdev) {
                ret->free = is_free_type(sb);
                return;
        }
        if (is_served(sb))
                return;
        dev = bdev->bd_dev;
        verdict = bpf_map_lookup_elem(&disks, &dev);
        if (!verdict || (verdict->diskseq && bpf_core_field_exists(((struct gendisk *)0)->diskseq) &&
                         verdict->diskseq != bdev->bd_disk->diskseq))
                return;
        ret->verdict = verdict;
        ret->dev = dev;
        ret->on = LSM_ON_DISK;
}

struct group_search {
        struct lsm_person person;
        const void *gids;
        bool found;
};

static long search_group(__u32 i, void *context) {
        struct group_search *search = context;
        kgid_t gid;

        if (bpf_probe_read_kernel(&gid, sizeof(gid), (const char *)search->gids + i * sizeof(gid)))
                return 1;
        search->person.id = gid.val;
        search->found = bpf_map_lookup_elem(&people, &search->person) != NULL;
        return search->found;
}

static __always_inline bool is_named(const struct found *found, __u8 condition) {
        struct task_struct *task = (void *)bpf_get_current_task();
        struct group_search search = {
                .person = {.dev = found->dev, .on = found->on, .condition = condition},
        };
        struct group_info *groups;
        int n;

        search.person.id = BPF_CORE_READ(task, cred, fsuid.val);
        if (bpf_map_lookup_elem(&people, &search.person))
                return true;
        search.person.what = LSM_GROUP;
        search.person.id = BPF_CORE_READ(task, cred, fsgid.val);
        if (bpf_map_lookup_elem(&people, &search.person))
                return true;
        groups = BPF_CORE_READ(task, cred, group_info);
        n = BPF_CORE_READ(groups, ngroups);
        search.gids = groups->gid;
        if (n > 0)
                bpf_loop(n, search_group, &search, 0);
        return search.found;
}

/* Where the kernel has no audit nobody is in a session. */
static __always_inline bool is_in_session(const struct found *found, __u8 condition) {
        struct task_struct *task = (void *)bpf_get_current_task();
        struct lsm_person person = {
                .dev = found->dev, .on = found->on, .condition = condition, .what = LSM_SESSION};

        if (!bpf_core_field_exists(task->sessionid))
                return false;
        person.id = BPF_CORE_READ(task, sessionid);
        return bpf_map_lookup_elem(&people, &person);
}

static __always_inline bool is_open(const struct found *found, const struct lsm_condition *condition,
                                    __u8 number, __u64 now) {
        if (now < condition->from || now >= condition->until)
                return false;
        if (condition->by_session && !is_in_session(found, number))
                return false;
        return !condition->by_person || is_named(found, number);
}

/* Whether the caller may write now. */
static __always_inline bool may_write(const struct found *found) {
        const struct lsm_verdict *verdict = found->verdict;
        __u64 now;

        if (!verdict)
                return found->free;
        if (verdict->access != LSM_WRITE)
                return false;
        if (verdict->until == 0 && verdict->n_conditions == 0)
                return true;
        now = bpf_ktime_get_boot_ns();
        if (verdict->until != 0 && now >= verdict->until)
                return false;
        for (__u8 i = 0; i < LSM_CONDITIONS_MAX; i++)
                if (i < verdict->n_conditions && !is_open(found, &verdict->conditions[i], i, now))
                        return false;
        return verdict->n_conditions <= LSM_CONDITIONS_MAX;
}

/* Whether what is refused by it is only told. It ends as an approval does, and then the verdict is in force.
 */
static __always_inline bool is_watched(const struct found *found) {
        const struct lsm_verdict *verdict = found->verdict;

        return verdict && verdict->monitor &&
               (verdict->until == 0 || bpf_ktime_get_boot_ns() < verdict->until);
}

static __always_inline bool is_lenient(void) {
        const struct lsm_settings *set = get_settings();

        return set && set->lenient;
}

/* Whether the caller is the agent or its keeper. */
static __always_inline bool is_guard(void) {
        struct task_struct *task = bpf_get_current_task_btf();

        return bpf_task_storage_get(&guards, task->group_leader, NULL, 0) != NULL;
}
