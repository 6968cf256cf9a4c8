/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/mount/classify.h"

#include <stdbool.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "policy/scope.h"

/* File systems that hold nothing but what the kernel makes up or keeps in memory: they cannot carry data out
 * of the terminal. Source: fs/, kernel/ and security/ of Linux, each FS_* type without a backing store. */
static const char *const kernel_types[] = {
        "proc",       "sysfs",     "tmpfs",       "devtmpfs",   "devpts",    "ramfs",   "rootfs",
        "cgroup",     "cgroup2",   "cpuset",      "securityfs", "selinuxfs", "smackfs", "apparmorfs",
        "debugfs",    "tracefs",   "bpf",         "mqueue",     "hugetlbfs", "pstore",  "configfs",
        "efivarfs",   "autofs",    "binfmt_misc", "rpc_pipefs", "fusectl",   "nsfs",    "nfsd",
        "functionfs", "binder",    "resctrl",     "pipefs",     "sockfs",    "bdev",    "anon_inodefs",
        "dax",        "secretmem", "guest_memfd",
};

static const char *const network_types[] = {
        "nfs",    "nfs4",   "cifs",   "smb3",   "smbfs",     "smb2",     "ceph",  "afs",    "9p",
        "coda",   "ncpfs",  "ncp",    "lustre", "glusterfs", "orangefs", "pvfs2", "beegfs", "virtiofs",
        "vboxsf", "prl_fs", "vmhgfs", "gfs2",   "ocfs2",     "pnfs",     "davfs",
};

/* Stacked on a directory of another file system: what lies beneath decides. */
static const char *const stacked_types[] = {"overlay", "ecryptfs", "aufs", "unionfs", "shiftfs"};

const char *superblock_inner_type(size_t n) {
        if (n < ELEMENTS(kernel_types))
                return kernel_types[n];
        n -= ELEMENTS(kernel_types);
        return n < ELEMENTS(stacked_types) ? stacked_types[n] : NULL;
}

static bool listed(const char *const *list, size_t n, const char *word) {
        for (size_t i = 0; i < n; i++)
                if (strcmp(list[i], word) == 0)
                        return true;
        return false;
}

SuperblockKind superblock_classify(const char *fstype, dev_t devnum) {
        if (listed(kernel_types, ELEMENTS(kernel_types), fstype))
                return SUPERBLOCK_KERNEL;
        if (listed(network_types, ELEMENTS(network_types), fstype))
                return SUPERBLOCK_NETWORK;
        if (listed(stacked_types, ELEMENTS(stacked_types), fstype))
                return SUPERBLOCK_STACKED;
        if (strcmp(fstype, "fuse") == 0 || strncmp(fstype, "fuse.", 5) == 0 ||
            strcmp(fstype, "fuseblk") == 0)
                return SUPERBLOCK_USER_SPACE;
        /* btrfs gives every volume a device number of its own; its source names the disk */
        if (strcmp(fstype, "btrfs") == 0 || major(devnum) != 0)
                return SUPERBLOCK_BLOCK;
        return SUPERBLOCK_UNKNOWN;
}
