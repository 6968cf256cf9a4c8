/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * readers.bpf.h: who may read the node of a disk that nobody may write. Where no security hook is asked
 * about ioctl(2), a descriptor for reading is enough to take the read-only flag away (BLKROSET), to change
 * partitions (BLKPG) and to send SCSI commands (SG_IO): so only programs of the system get one, which probe
 * and mount, told by their file.
 */
#pragma once

#include "agent/lsm/maps.bpf.h"

enum {
        FAMILY_DEPTH = 6
};

/* False if it has more directories, or longer names, than a key has room for. */
static __always_inline bool name_program(struct task_struct *task, struct lsm_program *key) {
        struct file *exe = BPF_CORE_READ(task, mm, exe_file);
        struct dentry *dentry = BPF_CORE_READ(exe, f_path.dentry);
        __u32 offset = 0;

        if (!exe)
                return false;
        key->dev = BPF_CORE_READ(exe, f_inode, i_sb, s_dev);
        for (int i = 0; i < LSM_PROGRAM_DEPTH; i++) {
                struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
                long n;

                if (!dentry || dentry == parent)
                        return offset > 0;
                if (offset > sizeof(key->path) - LSM_PROGRAM_NAME)
                        return false;
                n = bpf_probe_read_kernel_str(key->path + offset, LSM_PROGRAM_NAME,
                                              BPF_CORE_READ(dentry, d_name.name));
                if (n <= 0)
                        return false;
                offset += n;
                dentry = parent;
        }
        return false;
}

/* A daemon is in nobody's login session; somebody's own call of its program is. */
static __always_inline bool is_in_login(struct task_struct *task) {
        return bpf_core_field_exists(task->sessionid) && BPF_CORE_READ(task, sessionid) != (__u32)-1;
}

/* LSM_READER_…, 0 for any other program. */
static __noinline int reader_kind(struct task_struct *task) {
        struct lsm_program key = {};
        const __u8 *kind;

        if (!name_program(task, &key))
                return 0;
        kind = bpf_map_lookup_elem(&programs, &key);
        return kind ? *kind : 0;
}

static __always_inline bool is_reader(void) {
        struct task_struct *task = (void *)bpf_get_current_task();

        if (reader_kind(task) != 0)
                return true;
        for (int i = 0; i < FAMILY_DEPTH; i++) {
                struct task_struct *parent = BPF_CORE_READ(task, real_parent);

                if (!parent || parent == task)
                        return false;
                if (reader_kind(parent) == LSM_READER_FAMILY && !is_in_login(parent))
                        return true;
                task = parent;
        }
        return false;
}

static __always_inline bool is_closed(void) {
        const struct lsm_settings *set = get_settings();

        return set && set->closed;
}
