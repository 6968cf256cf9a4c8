/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * programs.bpf.c: the kernel asks these before a change to a file system, an open of a device, or an ioctl;
 * they refuse what the verdicts in the maps do not allow, and what nobody has judged. They decide nothing
 * themselves and need no agent. Source: Documentation/bpf/prog_lsm.rst, include/linux/lsm_hook_defs.h.
 */
#include "agent/lsm/devices.bpf.h"
#include "agent/lsm/judge.bpf.h"
#include "agent/lsm/nodes.bpf.h"
#include "agent/lsm/protect.bpf.h"
#include "agent/lsm/refused.bpf.h"
#include "agent/lsm/tell.bpf.h"

char LICENSE[] SEC("license") = "GPL";

static __always_inline int refuse(const struct found *found, struct dentry *dentry, __u8 operation,
                                  __u32 request) {
        bool monitor = is_watched(found);

        if (!found->verdict && is_lenient())
                return 0;
        tell_entry(LSM_EVENT_FILE, operation, found->dev, dentry, request, monitor);
        return monitor ? 0 : -EPERM;
}

static __always_inline int judge_change(struct dentry *dentry, __u8 operation) {
        struct found found;

        if (judge_own(dentry, operation))
                return -EPERM;
        find_superblock(dentry->d_sb, &found);
        return may_write(&found) ? 0 : refuse(&found, dentry, operation, 0);
}

static __always_inline int judge_open(struct file *file, __u8 operation) {
        struct inode *inode = file->f_inode;
        unsigned short type = inode->i_mode & TYPE_MASK;
        bool writing = file->f_mode & FMODE_WRITE;
        const struct lsm_settings *set;
        struct found found;

        if (type == TYPE_CHARACTER)
                return judge_character(file);
        if (type == TYPE_BLOCK && writing)
                return judge_node(file, operation, 0);
        if (writing && judge_own(file->f_path.dentry, operation))
                return -EPERM;
        set = get_settings();
        if (!writing && !(set && set->deny_reads))
                return 0;
        find_superblock(inode->i_sb, &found);
        if (writing)
                return may_write(&found) ? 0 : refuse(&found, file->f_path.dentry, operation, 0);
        if (!found.verdict || found.verdict->access != LSM_DENY)
                return 0;
        return refuse(&found, file->f_path.dentry, LSM_OP_READ, 0);
}

SEC("lsm/file_open")
int BPF_PROG(guard_file_open, struct file *file) {
        return judge_open(file, file->f_mode & FMODE_CREATED ? LSM_OP_CREATE : LSM_OP_WRITE);
}

/* A descriptor that somebody else opened: who may not open it may not be given it either. */
SEC("lsm/file_receive")
int BPF_PROG(guard_file_receive, struct file *file) {
        return judge_open(file, LSM_OP_RECEIVE);
}

SEC("lsm/inode_create")
int BPF_PROG(guard_inode_create, struct inode *dir, struct dentry *dentry) {
        return judge_change(dentry, LSM_OP_CREATE);
}

SEC("lsm/inode_link")
int BPF_PROG(guard_inode_link, struct dentry *old, struct inode *dir, struct dentry *dentry) {
        return judge_change(dentry, LSM_OP_LINK);
}

SEC("lsm/inode_unlink")
int BPF_PROG(guard_inode_unlink, struct inode *dir, struct dentry *dentry) {
        return judge_change(dentry, LSM_OP_UNLINK);
}

SEC("lsm/inode_symlink")
int BPF_PROG(guard_inode_symlink, struct inode *dir, struct dentry *dentry) {
        return judge_change(dentry, LSM_OP_SYMLINK);
}

SEC("lsm/inode_mkdir")
int BPF_PROG(guard_inode_mkdir, struct inode *dir, struct dentry *dentry) {
        return judge_change(dentry, LSM_OP_MKDIR);
}

SEC("lsm/inode_rmdir")
int BPF_PROG(guard_inode_rmdir, struct inode *dir, struct dentry *dentry) {
        return judge_change(dentry, LSM_OP_RMDIR);
}

SEC("lsm/inode_mknod")
int BPF_PROG(guard_inode_mknod, struct inode *dir, struct dentry *dentry) {
        return judge_change(dentry, LSM_OP_MKNOD);
}

SEC("lsm/inode_rename")
int BPF_PROG(guard_inode_rename, struct inode *old_dir, struct dentry *old) {
        return judge_change(old, LSM_OP_RENAME);
}

static __always_inline int judge_attributes(struct dentry *dentry, struct iattr *attributes) {
        return judge_change(dentry, attributes->ia_valid & ATTR_SIZE ? LSM_OP_TRUNCATE : LSM_OP_SETATTR);
}

/* Of these two the one that fits the kernel is loaded: since 6.3 the mount's mapping of ids comes first. */
SEC("lsm/inode_setattr")
int BPF_PROG(guard_inode_setattr, struct dentry *dentry, struct iattr *attributes) {
        return judge_attributes(dentry, attributes);
}

SEC("lsm/inode_setattr")
int BPF_PROG(guard_inode_setattr_mapped, void *mapping, struct dentry *dentry, struct iattr *attributes) {
        return judge_attributes(dentry, attributes);
}

SEC("lsm/inode_setxattr")
int BPF_PROG(guard_inode_setxattr, void *mapping, struct dentry *dentry) {
        return judge_change(dentry, LSM_OP_SETXATTR);
}

SEC("lsm/inode_removexattr")
int BPF_PROG(guard_inode_removexattr, void *mapping, struct dentry *dentry) {
        return judge_change(dentry, LSM_OP_SETXATTR);
}

/* Since 6.2 access control lists go another way. */
SEC("lsm/inode_set_acl")
int BPF_PROG(guard_inode_set_acl, void *mapping, struct dentry *dentry) {
        return judge_change(dentry, LSM_OP_SETXATTR);
}

SEC("lsm/inode_remove_acl")
int BPF_PROG(guard_inode_remove_acl, void *mapping, struct dentry *dentry) {
        return judge_change(dentry, LSM_OP_SETXATTR);
}

/* ioctls. Source: include/uapi/asm-generic/ioctl.h, ioctls.h, include/uapi/linux/fs.h, fiemap.h */
enum {
        FIBMAP_ = 1,
        FIGETBSZ_ = 2,
        FIEMAP_ = 0xc020660b,
        SHUTDOWN_ = 0x8004587d, /* says of itself that it only reads */
        TERMINAL_TYPE = 0x54,   /* is it a terminal? */
};

static __always_inline bool is_harmless_request(__u32 request) {
        if (request == SHUTDOWN_)
                return false;
        return request >> 30 == 2 || (request >> 8 & 0xff) == TERMINAL_TYPE || request == FIBMAP_ ||
               request == FIGETBSZ_ || request == FIEMAP_;
}

static __always_inline int judge_ioctl(struct file *file, __u32 request, unsigned long argument,
                                       bool compat) {
        struct inode *inode = file->f_inode;
        unsigned short type = inode->i_mode & TYPE_MASK;
        struct found found;

        if (type == TYPE_BLOCK) {
                if (is_harmless_node_request(request, argument, compat) || is_guard())
                        return 0;
                return judge_node(file, LSM_OP_IOCTL, request);
        }
        if (type == TYPE_CHARACTER || is_harmless_request(request))
                return 0;
        find_superblock(inode->i_sb, &found);
        if (may_write(&found) || is_guard())
                return 0;
        return refuse(&found, file->f_path.dentry, LSM_OP_IOCTL, request);
}

SEC("lsm/file_ioctl")
int BPF_PROG(guard_file_ioctl, struct file *file, unsigned int request, unsigned long argument) {
        return judge_ioctl(file, request, argument, false);
}

/* Programs of 32 bits, since 6.8 (before, the same hook is asked). */
SEC("lsm/file_ioctl_compat")
int BPF_PROG(guard_file_ioctl_compat, struct file *file, unsigned int request, unsigned long argument) {
        return judge_ioctl(file, request, argument, true);
}

/* A number that is used again belongs to something else. A disk or partition goes with its inode in the
 * kernel's own file system of block devices. */
SEC("lsm/inode_free_security")
int BPF_PROG(forget_disk, struct inode *inode) {
        __u32 dev;

        if (inode->i_sb->s_magic != BLOCK_DEVICES_MAGIC)
                return 0;
        dev = inode->i_rdev;
        (void)bpf_map_delete_elem(&disks, &dev);
        return 0;
}

SEC("lsm/sb_free_security")
int BPF_PROG(forget_superblock, struct super_block *sb) {
        __u32 dev = sb->s_dev;

        (void)bpf_map_delete_elem(&superblocks, &dev);
        return 0;
}
