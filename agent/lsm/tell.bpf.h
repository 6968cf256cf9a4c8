/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tell.bpf.h: what was refused, and to whom, into the ring; what does not fit there is counted. */
#pragma once

#include "agent/lsm/maps.bpf.h"

/* The entries from DENTRY up to its file system's root, the last first, each ended by a zero. The length. */
static __always_inline __u32 put_entries(char *to, __u32 size, struct dentry *dentry, __u8 *truncated) {
        __u32 offset = 0;

        for (int i = 0; i < LSM_DEPTH; i++) {
                struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
                long n;

                if (!dentry || dentry == parent)
                        return offset;
                if (offset > size - LSM_NAME)
                        break;
                n = bpf_probe_read_kernel_str(to + offset, LSM_NAME, BPF_CORE_READ(dentry, d_name.name));
                if (n <= 0)
                        break;
                offset += n;
                dentry = parent;
        }
        *truncated = 1;
        return offset;
}

static __always_inline void count_lost(__u32 dev, __u8 kind, __u8 operation, bool monitor) {
        struct lsm_lost key = {.dev = dev, .kind = kind, .operation = operation, .monitor = monitor};
        __u64 *count = bpf_map_lookup_elem(&lost, &key), one = 1;

        if (count) {
                __sync_fetch_and_add(count, 1);
                return;
        }
        if (bpf_map_update_elem(&lost, &key, &one, BPF_NOEXIST) == 0)
                return;
        count = bpf_map_lookup_elem(&lost, &key); /* somebody else was faster */
        if (count)
                __sync_fetch_and_add(count, 1);
}

/* An event with what is known of the caller; NULL if the ring is full, which is counted. */
static __always_inline struct lsm_event *begin_event(__u8 kind, __u8 operation, __u32 dev, bool monitor) {
        struct task_struct *task = (void *)bpf_get_current_task();
        struct lsm_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
        struct file *exe;
        __u8 truncated = 0;

        if (!event) {
                count_lost(dev, kind, operation, monitor);
                return NULL;
        }
        event->kind = kind;
        event->operation = operation;
        event->monitor = monitor;
        event->truncated = 0;
        event->dev = dev;
        event->tid = BPF_CORE_READ(task, pid);
        event->pid = BPF_CORE_READ(task, tgid);
        event->uid = BPF_CORE_READ(task, cred, fsuid.val);
        event->loginuid = (__u32)-1;
        if (bpf_core_field_exists(task->loginuid))
                event->loginuid = BPF_CORE_READ(task, loginuid.val);
        event->started = BPF_CORE_READ(task, group_leader, start_boottime);
        event->ioctl = 0;
        event->base_dev = 0;
        event->base_length = 0;
        event->path_length = 0;
        event->exe_dev = 0;
        event->exe_length = 0;
        exe = BPF_CORE_READ(task, mm, exe_file);
        if (exe) {
                event->exe_dev = BPF_CORE_READ(exe, f_inode, i_sb, s_dev);
                event->exe_length = put_entries(event->exe, sizeof(event->exe),
                                                BPF_CORE_READ(exe, f_path.dentry), &truncated);
        }
        return event;
}

static __always_inline void tell_entry(__u8 kind, __u8 operation, __u32 dev, struct dentry *dentry,
                                       __u32 ioctl, bool monitor) {
        struct lsm_event *event = begin_event(kind, operation, dev, monitor);

        if (!event)
                return;
        event->ioctl = ioctl;
        if (dentry)
                event->base_dev = BPF_CORE_READ(dentry, d_sb, s_dev);
        event->path_length = put_entries(event->path, sizeof(event->path), dentry, &event->truncated);
        bpf_ringbuf_submit(event, 0);
}
