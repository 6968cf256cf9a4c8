/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nodes.bpf.h: device nodes by which a disk is reached past its file system. */
#pragma once

#include "agent/lsm/judge.bpf.h"
#include "agent/lsm/tell.bpf.h"

/* Source: include/uapi/linux/fs.h, cdrom.h, hdreg.h; include/scsi/sg.h */
enum {
        BLKROSET_ = 0x125d,
        BLKROGET_ = 0x125e,
        BLKRRPART_ = 0x125f,
        BLKGETSIZE_ = 0x1260,
        BLKFLSBUF_ = 0x1261,
        BLKRAGET_ = 0x1263,
        BLKFRAGET_ = 0x1265,
        BLKSECTGET_ = 0x1267,
        BLKSSZGET_ = 0x1268,
        BLKIOMIN_ = 0x1278,
        BLKROTATIONAL_ = 0x127e,
        BLKDISCARD_SECURE_ = 0x127d,
        CDROM_FIRST = 0x5301,
        CDROM_LAST = 0x5396,
        CDROM_SEND_PACKET_ = 0x5393,
        HDIO_GETGEO_ = 0x301,
        HDIO_GET_IDENTITY_ = 0x30d,
        SG_GET_VERSION_NUM_ = 0x2282,
        SG_EMULATED_HOST_ = 0x2203,
        SG_IO_ = 0x2285,
        SG_COMMAND_OFFSET = 24, /* of the pointer to the command in struct sg_io_hdr on 64 bits */
        PACKET_COMMAND = 12,    /* struct cdrom_generic_command begins with it */
};

static __always_inline void find_node(__u32 dev, struct found *ret) {
        *ret = (struct found){.dev = dev, .on = LSM_ON_DISK};
        ret->verdict = bpf_map_lookup_elem(&disks, &dev);
        /* a loop device writes to a file, and whoever set it up had that open for writing */
        ret->free = !ret->verdict && dev >> MINOR_BITS == LOOP_MAJOR;
}

static __always_inline int judge_node(struct file *file, __u8 operation, __u32 request) {
        struct inode *inode = file->f_inode;
        struct found found;
        bool watched;

        find_node(inode->i_rdev, &found);
        if (may_write(&found))
                return 0;
        /* nothing tells cryptsetup's open from another one of root's */
        if (found.verdict && found.verdict->unlocks && (__u32)bpf_get_current_uid_gid() == 0)
                return 0;
        if (!found.verdict && is_lenient())
                return 0;
        watched = is_watched(&found);
        tell_entry(LSM_EVENT_NODE, operation, found.dev, file->f_path.dentry, request, watched);
        return watched ? 0 : -EPERM;
}

/* Commands that a disk may be sent although nothing may be written: those that ask. Source: SPC-4, SBC-3,
 * MMC-6. */
static __always_inline bool is_asking_command(__u8 opcode) {
        switch (opcode) {
        case 0x00: /* TEST UNIT READY */
        case 0x03: /* REQUEST SENSE */
        case 0x08: /* READ(6) */
        case 0x12: /* INQUIRY */
        case 0x1a: /* MODE SENSE(6) */
        case 0x1b: /* START STOP UNIT */
        case 0x1e: /* PREVENT ALLOW MEDIUM REMOVAL */
        case 0x25: /* READ CAPACITY(10) */
        case 0x28: /* READ(10) */
        case 0x42: /* READ SUB-CHANNEL */
        case 0x43: /* READ TOC */
        case 0x46: /* GET CONFIGURATION */
        case 0x4a: /* GET EVENT STATUS NOTIFICATION */
        case 0x4d: /* LOG SENSE */
        case 0x51: /* READ DISC INFORMATION */
        case 0x52: /* READ TRACK INFORMATION */
        case 0x5a: /* MODE SENSE(10) */
        case 0x88: /* READ(16) */
        case 0xa0: /* REPORT LUNS */
        case 0xa8: /* READ(12) */
        case 0xac: /* GET PERFORMANCE */
        case 0xad: /* READ DVD STRUCTURE */
        case 0xbe: /* READ CD */
                return true;
        }
        return false;
}

/* What the caller's command begins with. Another thread could change it meanwhile: what the kernel itself
 * lets through without the right to raw commands does not write either. */
static __always_inline bool asks_only(__u32 request, unsigned long argument) {
        const void *command = (const void *)argument;
        __u8 opcode;

        if (request == SG_IO_ &&
            bpf_probe_read_user(&command, sizeof(command), (const char *)argument + SG_COMMAND_OFFSET))
                return false;
        return bpf_probe_read_user(&opcode, sizeof(opcode), command) == 0 && is_asking_command(opcode);
}

static __always_inline bool is_harmless_node_request(__u32 request, unsigned long argument, bool compat) {
        int read_only = 0;

        if (request == SG_IO_ || request == CDROM_SEND_PACKET_)
                return !compat && asks_only(request, argument);
        if (request == BLKROSET_) /* to hold it is anybody's right */
                return bpf_probe_read_user(&read_only, sizeof(read_only), (const void *)argument) == 0 &&
                       read_only != 0;
        if (request >> 30 == 2) /* only reads from the kernel */
                return true;
        if (request >= BLKIOMIN_ && request <= BLKROTATIONAL_)
                return request != BLKDISCARD_SECURE_;
        if (request >= CDROM_FIRST && request <= CDROM_LAST)
                return true;
        switch (request) {
        case BLKROGET_:
        case BLKRRPART_:
        case BLKGETSIZE_:
        case BLKFLSBUF_:
        case BLKRAGET_:
        case BLKFRAGET_:
        case BLKSECTGET_:
        case BLKSSZGET_:
        case HDIO_GETGEO_:
        case HDIO_GET_IDENTITY_:
        case SG_GET_VERSION_NUM_:
        case SG_EMULATED_HOST_:
                return true;
        }
        return false;
}

/* SCSI and USB nodes speak to the device itself. */
static __always_inline bool is_guarded_character(__u32 dev, bool writing) {
        const struct lsm_settings *set = get_settings();
        __u32 major = dev >> MINOR_BITS;
        const __u32 *verdict;
        bool guarded;

        if (major != SG_MAJOR && major != USB_MAJOR && !(set && set->bsg_major && major == set->bsg_major))
                return false;
        verdict = bpf_map_lookup_elem(&characters, &dev);
        /* a USB device is anything, and card readers are opened as they are plugged in */
        guarded = verdict ? *verdict == LSM_CHAR_GUARDED : major != USB_MAJOR;
        return guarded && (major != USB_MAJOR || writing);
}

static __always_inline int judge_character(struct file *file) {
        __u32 dev = file->f_inode->i_rdev;

        if (!is_guarded_character(dev, file->f_mode & FMODE_WRITE) || is_lenient())
                return 0;
        tell_entry(LSM_EVENT_NODE, LSM_OP_WRITE, dev, file->f_path.dentry, 0, false);
        return -EPERM;
}
