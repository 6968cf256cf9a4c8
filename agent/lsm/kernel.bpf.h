/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.bpf.h: of the kernel's own structures the members that the programs read. Where they lie is found
 * when the programs are loaded (CO-RE), by the types that the running kernel tells of itself.
 * Source: Documentation/bpf/libbpf/libbpf_overview.rst; include/linux/fs.h, dcache.h, sched.h, cred.h.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
        unsigned int val;
} kuid_t;

typedef struct {
        unsigned int val;
} kgid_t;

struct qstr {
        unsigned int len;
        const unsigned char *name;
};

struct file_system_type {
        const char *name;
};

struct block_device;

struct gendisk {
        __u64 diskseq;
};

struct block_device {
        __u32 bd_dev;
        struct gendisk *bd_disk;
};

struct super_block {
        __u32 s_dev;
        struct block_device *s_bdev;
        struct file_system_type *s_type;
        unsigned long s_magic;
};

struct inode {
        unsigned short i_mode;
        __u32 i_rdev;
        unsigned long i_ino;
        struct super_block *i_sb;
};

struct dentry {
        struct dentry *d_parent;
        struct qstr d_name;
        struct inode *d_inode;
        struct super_block *d_sb;
};

struct vfsmount {
        struct super_block *mnt_sb;
        struct dentry *mnt_root;
};

struct path {
        struct vfsmount *mnt;
        struct dentry *dentry;
};

struct file {
        unsigned int f_mode;
        struct path f_path;
        struct inode *f_inode;
};

struct iattr {
        unsigned int ia_valid;
};

struct filename {
        const char *name;
};

struct open_flags {
        int open_flag;
};

struct group_info {
        int ngroups;
        kgid_t gid[];
};

struct cred {
        kuid_t fsuid;
        kgid_t fsgid;
        struct group_info *group_info;
};

struct fdtable {
        unsigned int max_fds;
        struct file **fd;
};

struct files_struct {
        struct fdtable *fdt;
};

struct fs_struct {
        struct path pwd;
};

struct mm_struct {
        struct file *exe_file;
};

struct kernfs_node {
        const char *name;
};

struct cgroup {
        struct kernfs_node *kn;
};

struct css_set {
        struct cgroup *dfl_cgrp;
};

struct task_struct {
        int pid, tgid;
        unsigned int flags;
        void *stack;
        struct task_struct *real_parent;
        struct css_set *cgroups;
        struct task_struct *group_leader;
        struct mm_struct *mm;
        const struct cred *cred;
        struct fs_struct *fs;
        struct files_struct *files;
        kuid_t loginuid;
        unsigned int sessionid;
        void *io_uring;
        __u64 start_boottime;
};

#ifdef __TARGET_ARCH_x86
struct pt_regs { /* of a system call: its number and arguments */
        unsigned long r10, dx, si, di, orig_ax;
};
#endif

struct bpf_map {
        __u32 id;
};

#pragma clang attribute pop

/* Values that are part of the kernel's interface to user space, or have not changed since they came. */
enum {
        FMODE_READ = 0x1,
        FMODE_WRITE = 0x2,
        FMODE_CREATED = 0x100000,
        OPEN_CREATE = 0100, /* O_CREAT */
        ATTR_SIZE = 1 << 3,
        PF_IO_WORKER = 0x00000010,
        PF_USER_WORKER = 0x00004000,
        PF_KTHREAD = 0x00200000,
        TYPE_MASK = 0170000,
        TYPE_BLOCK = 0060000,
        TYPE_CHARACTER = 0020000,
        MINOR_BITS = 20,
        SG_MAJOR = 21,
        LOOP_MAJOR = 7,
        MD_MAJOR = 9,
        DISC_MAJOR = 11,
        USB_MAJOR = 189,
        PTRACE_ATTACH_MODE = 0x2,
        PINS_MAGIC = 0xcafe4a11,          /* BPF_FS_MAGIC */
        CGROUPS_MAGIC = 0x63677270,       /* CGROUP2_SUPER_MAGIC */
        BLOCK_DEVICES_MAGIC = 0x62646576, /* BDEVFS_MAGIC */
};

#define EPERM 1
#define EROFS 30
