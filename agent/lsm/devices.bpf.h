/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * devices.bpf.h: opens of devices, asked about by the control group of all processes: also where the kernel
 * has no BPF among its security modules, and also those that no security hook sees, because the kernel
 * itself opens the disk for a mapping or an array. Source: include/uapi/linux/bpf.h (struct
 * bpf_cgroup_dev_ctx), block/bdev.c.
 */
#pragma once

#include "agent/lsm/nodes.bpf.h"

enum {
        REFUSE,
        LET_THROUGH
};

/* Whether the caller is mounting: what it may then do to the file system is asked elsewhere. */
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

        if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
                return false;
        call = BPF_CORE_READ(regs, orig_ax);
        return call == MOUNT || call == FSCONFIG;
#else
        return false;
#endif
}

static __always_inline int refuse_device(__u32 dev, bool monitor) {
        tell_entry(LSM_EVENT_NODE, LSM_OP_WRITE, dev, NULL, 0, monitor);
        return monitor ? LET_THROUGH : REFUSE;
}

static __always_inline int judge_block_device(__u32 dev) {
        struct found found;

        find_node(dev, &found);
        if (may_write(&found) || is_mounting())
                return LET_THROUGH;
        if (found.verdict && found.verdict->unlocks && (__u32)bpf_get_current_uid_gid() == 0)
                return LET_THROUGH;
        if (!found.verdict && is_lenient())
                return LET_THROUGH;
        return refuse_device(dev, is_watched(&found));
}

SEC("cgroup/dev")
int device_open(struct bpf_cgroup_dev_ctx *context) {
        __u32 type = context->access_type & 0xffff, access = context->access_type >> 16;
        __u32 dev = context->major << MINOR_BITS | context->minor;

        if (access & BPF_DEVCG_ACC_MKNOD)
                return LET_THROUGH;
        if (type == BPF_DEVCG_DEV_BLOCK)
                return access & BPF_DEVCG_ACC_WRITE ? judge_block_device(dev) : LET_THROUGH;
        if (!is_guarded_character(dev, access & BPF_DEVCG_ACC_WRITE) || is_lenient())
                return LET_THROUGH;
        return refuse_device(dev, false);
}
