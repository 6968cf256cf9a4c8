/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * object.h: what a policy is asked about: devices, superblocks, people, opens, time. Plain values; whoever
 * fills them (the agent from sysfs and procfs, tests from tables) owns their strings. An absent attribute is
 * NULL, never "".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "policy/enum.h"

/* How a device is attached. The bus of a USB stick is usb, whatever speaks over it (scsi). */
#define DEVICE_BUS_LIST(X)                                                                                  \
        X(DEVICE_BUS_UNKNOWN, "unknown")                                                                    \
        X(DEVICE_BUS_USB, "usb")                                                                            \
        X(DEVICE_BUS_MMC, "mmc")                                                                            \
        X(DEVICE_BUS_THUNDERBOLT, "thunderbolt")                                                            \
        X(DEVICE_BUS_FIREWIRE, "firewire")                                                                  \
        X(DEVICE_BUS_NETWORK, "network") /* nbd, rbd, iSCSI, NVMe over fabrics */                           \
        X(DEVICE_BUS_LOOP, "loop")                                                                          \
        X(DEVICE_BUS_DM, "dm")                                                                              \
        X(DEVICE_BUS_MD, "md")                                                                              \
        X(DEVICE_BUS_RAM, "ram") /* zram, brd */                                                            \
        X(DEVICE_BUS_VIRTIO, "virtio")                                                                      \
        X(DEVICE_BUS_ATA, "ata")                                                                            \
        X(DEVICE_BUS_SCSI, "scsi")                                                                          \
        X(DEVICE_BUS_NVME, "nvme")                                                                          \
        X(DEVICE_BUS_PLATFORM, "platform") /* eMMC soldered to the board, pmem, xen */
DECLARE_ENUM(DeviceBus, device_bus, DEVICE_BUS_LIST);

enum {
        USB_INTERFACES_MAX = 32
}; /* USB 2.0 spec 9.6.3: bNumInterfaces is a byte; real devices stay far below */

/* USB class codes by name. Source: USB-IF, Defined Class Codes. */
#define USB_CLASS_LIST(X)                                                                                   \
        X(USB_CLASS_AUDIO_, 0x01, "audio")                                                                  \
        X(USB_CLASS_COMMUNICATIONS_, 0x02, "communications")                                                \
        X(USB_CLASS_HID_, 0x03, "hid")                                                                      \
        X(USB_CLASS_PHYSICAL_, 0x05, "physical")                                                            \
        X(USB_CLASS_STILL_IMAGE_, 0x06, "still-image")                                                      \
        X(USB_CLASS_PRINTER_, 0x07, "printer")                                                              \
        X(USB_CLASS_MASS_STORAGE_, 0x08, "mass-storage")                                                    \
        X(USB_CLASS_HUB_, 0x09, "hub")                                                                      \
        X(USB_CLASS_CDC_DATA_, 0x0a, "cdc-data")                                                            \
        X(USB_CLASS_SMART_CARD_, 0x0b, "smart-card")                                                        \
        X(USB_CLASS_CONTENT_SECURITY_, 0x0d, "content-security")                                            \
        X(USB_CLASS_VIDEO_, 0x0e, "video")                                                                  \
        X(USB_CLASS_HEALTHCARE_, 0x0f, "personal-healthcare")                                               \
        X(USB_CLASS_AUDIO_VIDEO_, 0x10, "audio-video")                                                      \
        X(USB_CLASS_BILLBOARD_, 0x11, "billboard")                                                          \
        X(USB_CLASS_TYPE_C_BRIDGE_, 0x12, "type-c-bridge")                                                  \
        X(USB_CLASS_DIAGNOSTIC_, 0xdc, "diagnostic")                                                        \
        X(USB_CLASS_WIRELESS_, 0xe0, "wireless")                                                            \
        X(USB_CLASS_MISCELLANEOUS_, 0xef, "miscellaneous")                                                  \
        X(USB_CLASS_APPLICATION_, 0xfe, "application-specific")                                             \
        X(USB_CLASS_VENDOR_, 0xff, "vendor-specific")
#define USB_CLASS_CONSTANT_(constant, code, word) constant = (code),
enum UsbClass {
        USB_CLASS_LIST(USB_CLASS_CONSTANT_)
};

/* The word for a class code, NULL if it has none; the code for a word, -1 if there is no such class. */
const char *usb_class_to_string(uint8_t class);
int usb_class_from_string(const char *word);

/* Identity of a block or USB device. */
typedef struct DeviceIdentity {
        char *name;        /* kernel name: sdb, mmcblk0, 1-2.1 */
        char *syspath;     /* its directory in sysfs */
        char *vendor;      /* USB idVendor / MMC manfid as hex; SCSI vendor for others */
        char *product;     /* USB idProduct as hex / MMC name / SCSI model */
        char *serial;      /* serial number; for a loop device its backing file */
        char *vendor_name; /* manufacturer and product as the device spells them, for people only */
        char *product_name;
        DeviceBus bus;
        dev_t devnum;     /* block devices: the whole disk's number; 0 for others */
        uint64_t diskseq; /* the medium's sequence number (kernel 5.15), 0 if unknown */
        uint64_t size;    /* bytes, 0 if unknown */
        bool hotplug;     /* can be plugged in without opening the terminal */
        bool removable;   /* the medium can be taken out (card reader, optical drive) */
        bool system; /* the root file system lives on it: never guarded, the guard itself stands there */
        bool luks2;  /* asked about through a LUKS2 volume on it: nothing reaches it but encrypted */
        bool marked_external;                          /* a udev rule of the site said SEKISHO_EXTERNAL=1 */
        uint8_t interface_classes[USB_INTERFACES_MAX]; /* bInterfaceClass of each USB interface, in order */
        size_t n_interfaces;
} DeviceIdentity;

/* Frees the strings of ID and zeroes it. */
void device_identity_clear(DeviceIdentity *id);
/* Deep copy. Returns 0 or -ENOMEM; RET is untouched on failure. */
int device_identity_copy(const DeviceIdentity *id, DeviceIdentity *ret);

#define SUPERBLOCK_KIND_LIST(X)                                                                             \
        X(SUPERBLOCK_UNKNOWN, "unknown") /* treated as unapproved */                                        \
        X(SUPERBLOCK_KERNEL, "kernel")   /* proc, sysfs, tmpfs … */                                       \
        X(SUPERBLOCK_BLOCK, "block")                                                                        \
        X(SUPERBLOCK_NETWORK, "network")                                                                    \
        X(SUPERBLOCK_USER_SPACE, "user-space")                                                              \
        X(SUPERBLOCK_STACKED, "stacked") /* overlay: what lies beneath decides */
DECLARE_ENUM(SuperblockKind, superblock_kind, SUPERBLOCK_KIND_LIST);

typedef struct SuperblockIdentity {
        SuperblockKind kind;
        dev_t devnum;                 /* st_dev of its files */
        const char *fstype;           /* as mountinfo names it, with subtype: ext4, fuse.sshfs */
        const char *source;           /* as mountinfo names it, may be NULL */
        const DeviceIdentity *device; /* the device beneath, where there is one */
} SuperblockIdentity;

/* Who asks. Groups are the thread's supplementary groups and its own. */
typedef struct Subject {
        uid_t uid;      /* file-system uid */
        uid_t loginuid; /* who logged in, (uid_t) -1 if nobody did */
        gid_t gid;
        const gid_t *groups;
        size_t n_groups;
        uint32_t session; /* of audit, which every login begins; 0 or (uint32_t) -1: none is known */
} Subject;

/* When. Hours are read off the wall clock; expiry off EXPIRY_NOW, which its maker keeps from going back. */
typedef struct PolicyTime {
        int weekday;       /* 0 = Sunday, as tm_wday */
        int minute;        /* minutes since local midnight, 0..1439 */
        time_t expiry_now; /* seconds since the epoch */
} PolicyTime;

/* Fills RET from the wall clock value NOW in the local time zone, with expiry_now = NOW. 0 or -EINVAL. */
int policy_time_from_wall(time_t now, PolicyTime *ret);
