/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/selftest/image.h"

#include <endian.h>
#include <string.h>

enum {
        BLOCK = 1024,
        BLOCKS = SELFTEST_IMAGE_SIZE / BLOCK,
        INODES = 16,
        INODE_SIZE = 128,
        ROOT_INODE = 2,
        FIRST_INODE = 11,
        /* where things stand, in blocks */
        AT_SUPERBLOCK = 1,
        AT_GROUP,
        AT_BLOCK_BITMAP,
        AT_INODE_BITMAP,
        AT_INODES,
        AT_ROOT = AT_INODES + INODES * INODE_SIZE / BLOCK,
        DATA_FROM,
        MAGIC = 0xef53
};

static void put16(uint8_t *at, uint16_t value) {
        value = htole16(value);
        memcpy(at, &value, sizeof(value));
}

static void put32(uint8_t *at, uint32_t value) {
        value = htole32(value);
        memcpy(at, &value, sizeof(value));
}

static void put_superblock(uint8_t *at) {
        put32(at + 0x00, INODES);
        put32(at + 0x04, BLOCKS);
        put32(at + 0x0c, BLOCKS - DATA_FROM);
        put32(at + 0x10, INODES - FIRST_INODE + 1);
        put32(at + 0x14, AT_SUPERBLOCK); /* the first block of data */
        put32(at + 0x20, 8 * BLOCK);     /* blocks in a group ... */
        put32(at + 0x24, 8 * BLOCK);     /* ... and clusters */
        put32(at + 0x28, INODES);
        put16(at + 0x36, 0xffff); /* mounts between checks: any number */
        put16(at + 0x38, MAGIC);
        put16(at + 0x3a, 1); /* clean */
        put16(at + 0x3c, 1); /* go on after an error */
        put32(at + 0x4c, 1); /* the inode's size is said below */
        put32(at + 0x54, FIRST_INODE);
        put16(at + 0x58, INODE_SIZE);
}

static void put_group(uint8_t *at) {
        put32(at + 0x00, AT_BLOCK_BITMAP);
        put32(at + 0x04, AT_INODE_BITMAP);
        put32(at + 0x08, AT_INODES);
        put16(at + 0x0c, BLOCKS - DATA_FROM);
        put16(at + 0x0e, INODES - FIRST_INODE + 1);
        put16(at + 0x10, 1); /* directories */
}

/* The first N are taken, and what is not there at all. */
static void put_bitmap(uint8_t *at, unsigned n, unsigned there) {
        memset(at, 0xff, BLOCK);
        for (unsigned i = n; i < there; i++)
                at[i / 8] = (uint8_t)(at[i / 8] & ~(1U << i % 8));
}

static void put_root(uint8_t *inode, uint8_t *entries) {
        put16(inode + 0x00, 0040700);
        put32(inode + 0x04, BLOCK);
        put16(inode + 0x1a, 2);           /* links */
        put32(inode + 0x1c, BLOCK / 512); /* sectors */
        put32(inode + 0x28, AT_ROOT);
        put32(entries, ROOT_INODE);
        put16(entries + 4, 12);
        put16(entries + 6, 1);
        entries[8] = '.';
        put32(entries + 12, ROOT_INODE);
        put16(entries + 16, BLOCK - 12);
        put16(entries + 18, 2);
        entries[20] = entries[21] = '.';
}

void selftest_image(uint8_t to[static SELFTEST_IMAGE_SIZE]) {
        memset(to, 0, SELFTEST_IMAGE_SIZE);
        put_superblock(to + (size_t)AT_SUPERBLOCK * BLOCK);
        put_group(to + (size_t)AT_GROUP * BLOCK);
        put_bitmap(to + (size_t)AT_BLOCK_BITMAP * BLOCK, DATA_FROM - AT_SUPERBLOCK, BLOCKS - AT_SUPERBLOCK);
        put_bitmap(to + (size_t)AT_INODE_BITMAP * BLOCK, FIRST_INODE - 1, INODES);
        put_root(to + (size_t)AT_INODES * BLOCK + (ROOT_INODE - 1) * (size_t)INODE_SIZE,
                 to + (size_t)AT_ROOT * BLOCK);
}
