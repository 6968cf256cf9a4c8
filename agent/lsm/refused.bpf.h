/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * refused.bpf.h: who was refused because a superblock is read-only underneath. That comes before any
 * question to the security hooks, so the functions that find it out are watched as they return EROFS: taking
 * the right to write to a mount, and opening by name. Only told; nothing is decided here.
 */
#pragma once

#include "agent/lsm/tell.bpf.h"

/* Of a system call that changes something by name: what it does and which of its arguments are the
 * directory's descriptor (or none) and the name. */
struct named_call {
        __u8 operation;
        __s8 directory, name;
};

enum {
        NO_DIRECTORY = -1,
        WORKING_DIRECTORY = -100, /* AT_FDCWD */
};

/* Linux's numbers on x86-64. Source: arch/x86/entry/syscalls/syscall_64.tbl */
static __always_inline struct named_call named_call(__u64 number) {
#ifdef __TARGET_ARCH_x86
        switch (number) {
        case 76: /* truncate */
                return (struct named_call){LSM_OP_TRUNCATE, NO_DIRECTORY, 0};
        case 82: /* rename */
                return (struct named_call){LSM_OP_RENAME, NO_DIRECTORY, 0};
        case 83: /* mkdir */
                return (struct named_call){LSM_OP_MKDIR, NO_DIRECTORY, 0};
        case 84: /* rmdir */
                return (struct named_call){LSM_OP_RMDIR, NO_DIRECTORY, 0};
        case 86: /* link */
                return (struct named_call){LSM_OP_LINK, NO_DIRECTORY, 1};
        case 87: /* unlink */
                return (struct named_call){LSM_OP_UNLINK, NO_DIRECTORY, 0};
        case 88: /* symlink */
                return (struct named_call){LSM_OP_SYMLINK, NO_DIRECTORY, 1};
        case 90:  /* chmod */
        case 92:  /* chown */
        case 94:  /* lchown */
        case 132: /* utime */
        case 235: /* utimes */
                return (struct named_call){LSM_OP_SETATTR, NO_DIRECTORY, 0};
        case 133: /* mknod */
                return (struct named_call){LSM_OP_MKNOD, NO_DIRECTORY, 0};
        case 188: /* setxattr */
        case 189: /* lsetxattr */
        case 197: /* removexattr */
        case 198: /* lremovexattr */
                return (struct named_call){LSM_OP_SETXATTR, NO_DIRECTORY, 0};
        case 258: /* mkdirat */
                return (struct named_call){LSM_OP_MKDIR, 0, 1};
        case 259: /* mknodat */
                return (struct named_call){LSM_OP_MKNOD, 0, 1};
        case 260: /* fchownat */
        case 261: /* futimesat */
        case 268: /* fchmodat */
        case 280: /* utimensat */
        case 452: /* fchmodat2 */
                return (struct named_call){LSM_OP_SETATTR, 0, 1};
        case 263: /* unlinkat: also of directories */
                return (struct named_call){LSM_OP_UNLINK, 0, 1};
        case 264: /* renameat */
        case 316: /* renameat2 */
                return (struct named_call){LSM_OP_RENAME, 0, 1};
        case 265: /* linkat */
                return (struct named_call){LSM_OP_LINK, 2, 3};
        case 266: /* symlinkat */
                return (struct named_call){LSM_OP_SYMLINK, 1, 2};
        }
#endif
        return (struct named_call){LSM_OP_UNKNOWN, NO_DIRECTORY, NO_DIRECTORY};
}

static __always_inline bool is_open_call(__u64 number) {
#ifdef __TARGET_ARCH_x86
        return number == 2 || number == 85 || number == 257 || number == 437; /* open creat openat openat2 */
#else
        return false;
#endif
}

static __always_inline __u64 call_number(const struct pt_regs *regs) {
#ifdef __TARGET_ARCH_x86
        return BPF_CORE_READ(regs, orig_ax);
#else
        return (__u64)-1;
#endif
}

static __always_inline __u64 call_argument(const struct pt_regs *regs, __s8 n) {
#ifdef __TARGET_ARCH_x86
        switch (n) {
        case 0:
                return BPF_CORE_READ(regs, di);
        case 1:
                return BPF_CORE_READ(regs, si);
        case 2:
                return BPF_CORE_READ(regs, dx);
        case 3:
                return BPF_CORE_READ(regs, r10);
        }
#endif
        return 0;
}

/* The directory that a relative name begins at. */
static __always_inline void put_base(struct lsm_event *event, int directory) {
        struct task_struct *task = (void *)bpf_get_current_task();
        struct fdtable *table = BPF_CORE_READ(task, files, fdt);
        struct dentry *base = NULL;
        struct file **slots, *file = NULL;

        if (directory == WORKING_DIRECTORY)
                base = BPF_CORE_READ(task, fs, pwd.dentry);
        else if (directory >= 0 && (__u32)directory < BPF_CORE_READ(table, max_fds)) {
                slots = BPF_CORE_READ(table, fd);
                bpf_probe_read_kernel(&file, sizeof(file), slots + directory);
                base = BPF_CORE_READ(file, f_path.dentry);
        }
        if (!base)
                return;
        event->base_dev = BPF_CORE_READ(base, d_sb, s_dev);
        event->base_length = put_entries(event->base, sizeof(event->base), base, &event->truncated);
}

/* The superblock on which an open could not create, for when the open ends. */
static __always_inline void note_refused(struct task_struct *task, __u32 dev) {
        __u32 *noted = bpf_task_storage_get(&refused, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

        if (noted)
                *noted = dev;
}

static __always_inline __u32 take_refused(struct task_struct *task) {
        __u32 *noted = bpf_task_storage_get(&refused, task, NULL, 0), dev = 0;

        if (noted) {
                dev = *noted;
                *noted = 0;
        }
        return dev;
}

/* Taking the right to write: by name, or (as ftruncate does) by descriptor. */
SEC("fexit/mnt_want_write")
int BPF_PROG(tell_want_write, struct vfsmount *mount, int ret) {
        struct task_struct *task = bpf_get_current_task_btf();
        const struct pt_regs *regs;
        struct named_call call;
        struct lsm_event *event;
        __u64 number;
        long n = 0;

        if (ret != -EROFS)
                return 0;
        regs = (const struct pt_regs *)bpf_task_pt_regs(task);
        number = task->flags & PF_KTHREAD ? (__u64)-1 : call_number(regs);
        if (is_open_call(number)) { /* it may go on to read; if not, see tell_open() */
                note_refused(task, BPF_CORE_READ(mount, mnt_sb, s_dev));
                return 0;
        }
        call = named_call(number);
        event = begin_event(LSM_EVENT_NAME, call.operation, BPF_CORE_READ(mount, mnt_sb, s_dev), false);
        if (!event)
                return 0;
        if (call.name >= 0)
                n = bpf_probe_read_user_str(event->path, sizeof(event->path),
                                            (const void *)call_argument(regs, call.name));
        event->path_length = n > 0 ? n : 0;
        if (n > 1 && event->path[0] != '/')
                put_base(event, call.directory == NO_DIRECTORY ? WORKING_DIRECTORY
                                                               : (int)call_argument(regs, call.directory));
        bpf_ringbuf_submit(event, 0);
        return 0;
}

SEC("fexit/mnt_want_write_file")
int BPF_PROG(tell_want_write_file, struct file *file, int ret) {
        if (ret == -EROFS)
                tell_entry(LSM_EVENT_READ_ONLY, LSM_OP_SETATTR, BPF_CORE_READ(file, f_inode, i_sb, s_dev),
                           file->f_path.dentry, 0, false);
        return 0;
}

/* Opens for writing. Of what was there already the superblock is the agent's to find, by the name. */
SEC("fexit/do_filp_open")
int BPF_PROG(tell_open, int directory, struct filename *name, const struct open_flags *flags,
             struct file *ret) {
        struct lsm_event *event;
        __u32 dev = 0;
        long n;

        if ((long)ret != -EROFS) /* runs at every open */
                return 0;
        if (flags->open_flag & OPEN_CREATE) /* else a note is of an earlier one, which went on to read */
                dev = take_refused(bpf_get_current_task_btf());
        event = begin_event(LSM_EVENT_NAME, dev ? LSM_OP_CREATE : LSM_OP_WRITE, dev, false);
        if (!event)
                return 0;
        n = bpf_probe_read_kernel_str(event->path, sizeof(event->path), BPF_CORE_READ(name, name));
        event->path_length = n > 0 ? n : 0;
        if (n > 1 && event->path[0] != '/')
                put_base(event, directory);
        bpf_ringbuf_submit(event, 0);
        return 0;
}
