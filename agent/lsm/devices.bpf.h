/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices.bpf.h: opens of devices, asked about by the control group of all processes: also where the kernel
 * has no BPF among its security modules, and also those that no security hook sees, because the kernel
 * itself opens the disk for a mapping or an array. Source: include/uapi/linux/bpf.h (struct
 * bpf_cgroup_dev_ctx), block/bdev.c.
 */
#pragma once

#include "agent/lsm/nodes.bpf.h"
#include "agent/lsm/readers.bpf.h"

enum {
        REFUSE,
        LET_THROUGH
};

enum {
#ifdef __TARGET_ARCH_x86
        TELLS_MOUNTING = 1
#else
        TELLS_MOUNTING = 0 /* nobody could mount a medium to read it, if readers were refused */
#endif
};

/* Whether the kernel opens it by itself: it reads a partition table. */
static __always_inline bool is_kernel(void) {
        struct task_struct *task = (void *)bpf_get_current_task();

        return BPF_CORE_READ(task, flags) & PF_KTHREAD;
}

/* Whether the caller is mounting: what it may then do to the file system is asked elsewhere. A request to
 * io_uring may open a node on the way back from any system call, so who has made any is not believed, nor is
 * a worker of theirs, which has the registers of whoever made it. */
static __always_inline bool is_mounting(void) {
#ifdef __TARGET_ARCH_x86
        enum {
                THREAD_SIZE = 1 << 14,
                MOUNT = 165,
                FSCONFIG = 431
        };
        struct task_struct *task = (void *)bpf_get_current_task();
        const char *stack = BPF_CORE_READ(task, stack);
        const struct pt_regs *regs =
                (const struct pt_regs *)(stack + THREAD_SIZE - bpf_core_type_size(struct pt_regs));
        unsigned long call;

        if (BPF_CORE_READ(task, flags) & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER))
                return false;
        if (bpf_core_field_exists(task->io_uring) && BPF_CORE_READ(task, io_uring))
                return false;
        call = BPF_CORE_READ(regs, orig_ax);
        return call == MOUNT || call == FSCONFIG;
#else
        return false;
#endif
}

static __always_inline int refuse_device(__u8 operation, __u32 dev, bool monitor) {
        tell_entry(LSM_EVENT_NODE, operation, dev, NULL, 0, monitor);
        return monitor ? LET_THROUGH : REFUSE;
}

/* Whether its node may be written by the caller, without mounting. */
static __always_inline bool is_open_node(const struct found *found) {
        if (may_write(found))
                return true;
        if (found->verdict && found->verdict->unlocks && (__u32)bpf_get_current_uid_gid() == 0)
                return true;
        return !found->verdict && is_lenient();
}

static __always_inline int judge_block_device(__u32 dev) {
        struct found found;

        find_node(dev, &found);
        if (is_open_node(&found) || is_mounting())
                return LET_THROUGH;
        return refuse_device(LSM_OP_WRITE, dev, is_watched(&found));
}

/* People's programs play discs from the node; what they may do by it the kernel itself looks at, for all but
 * root. */
static __always_inline bool is_player(__u32 dev) {
        return dev >> MINOR_BITS == DISC_MAJOR && (__u32)bpf_get_current_uid_gid() != 0;
}

/* The flag of what is mapped onto a disk is not that of the disk, which the mapping has opened for reading.
 */
static __always_inline bool is_mapped(__u32 dev) {
        const struct lsm_settings *set = get_settings();
        __u32 major = dev >> MINOR_BITS;

        return major == MD_MAJOR || (set && set->mapper_major && major == set->mapper_major);
}

static __always_inline int judge_block_reader(__u32 dev) {
        struct found found;

        if (!is_closed() || !TELLS_MOUNTING || is_player(dev))
                return LET_THROUGH;
        find_node(dev, &found);
        if (!found.verdict && is_mapped(dev))
                return LET_THROUGH;
        if (is_open_node(&found) || is_kernel() || is_mounting() || is_reader())
                return LET_THROUGH;
        return refuse_device(LSM_OP_READ, dev, is_watched(&found));
}

SEC("cgroup/dev")
int device_open(struct bpf_cgroup_dev_ctx *context) {
        __u32 type = context->access_type & 0xffff, access = context->access_type >> 16;
        __u32 dev = context->major << MINOR_BITS | context->minor;

        if (access & BPF_DEVCG_ACC_MKNOD)
                return LET_THROUGH;
        if (type == BPF_DEVCG_DEV_BLOCK)
                return access & BPF_DEVCG_ACC_WRITE ? judge_block_device(dev) : judge_block_reader(dev);
        if (!is_guarded_character(dev, access & BPF_DEVCG_ACC_WRITE) || is_lenient())
                return LET_THROUGH;
        return refuse_device(LSM_OP_WRITE, dev, false);
}
