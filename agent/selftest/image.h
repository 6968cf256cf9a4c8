/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image.h: the smallest file system that the kernel takes for an ext2: an empty root directory. Made in
 * memory, so that the self-test has something to mount that is nobody's. Pure. Source: the kernel's
 * Documentation/filesystems/ext4 (global structures), ext2.rst.
 */
#pragma once

#include <stdint.h>

enum {
        SELFTEST_IMAGE_SIZE = 64 * 1024
};

/* Fill TO. */
void selftest_image(uint8_t to[static SELFTEST_IMAGE_SIZE]);
