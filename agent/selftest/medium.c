/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/selftest/medium.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/selftest/image.h"
#include "policy/scope.h"
#include "policy/translate.h"

enum {
        TRIES = 16 /* somebody else may take the number that was free */
};

static int write_all(int fd, const uint8_t *data, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, data, size);

                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0) {
                        data += n;
                        size -= (size_t)n;
                }
        }
        return 0;
}

static int make_memory(void) {
        CLEANUP_FREE uint8_t *image = malloc(SELFTEST_IMAGE_SIZE);
        CLEANUP_CLOSE int fd = memfd_create(MEDIUM_NAME, MFD_CLOEXEC);
        int r;

        if (fd < 0)
                return -errno;
        if (!image)
                return -ENOMEM;
        selftest_image(image);
        r = write_all(fd, image, SELFTEST_IMAGE_SIZE);
        return r < 0 ? r : STEAL_FD(fd);
}

/* A loop device is writable if it was open for writing when it got its file. One without a file is held by
 * nobody. */
static int configure(const char *node, int memory) {
        const struct loop_config config = {.fd = (unsigned)memory, .info = {.lo_flags = LO_FLAGS_AUTOCLEAR}};
        CLEANUP_CLOSE int writer = open(node, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
        int reader;

        if (writer < 0)
                return -errno;
        if (ioctl(writer, LOOP_CONFIGURE, &config) < 0)
                return -errno;
        reader = open(node, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
        return reader < 0 ? -errno : reader;
}

static int attach(Medium *medium) {
        CLEANUP_CLOSE int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC | O_NOCTTY);
        int r = -EBUSY;

        if (control < 0)
                return -errno;
        for (int i = 0; i < TRIES && r == -EBUSY; i++) {
                int number = ioctl(control, LOOP_CTL_GET_FREE);

                if (number < 0)
                        return -errno;
                (void)snprintf(medium->node, sizeof(medium->node), "/dev/loop%d", number);
                r = configure(medium->node, medium->memory);
        }
        if (r >= 0)
                medium->disk = r;
        return r < 0 ? r : 0;
}

static uint64_t read_diskseq(dev_t devnum) {
        char path[64], text[32];

        (void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/diskseq", major(devnum), minor(devnum));
        return file_read_small(AT_FDCWD, path, text, sizeof(text)) < 0 ? 0 : strtoull(text, NULL, 10);
}

int medium_open(Medium *ret, const char **ret_step) {
        Medium medium = {.memory = -1, .disk = -1};
        struct stat st = {0};
        int r = make_memory();

        *ret_step = N_("memory for a disk of its own");
        if (r < 0)
                return r;
        medium.memory = r;
        *ret_step = N_("loop device for a disk of its own");
        r = attach(&medium);
        if (r == 0 && (fstat(medium.disk, &st) < 0 || !S_ISBLK(st.st_mode)))
                r = -ENODEV;
        if (r < 0) {
                medium_close(&medium);
                return r;
        }
        medium.devnum = st.st_rdev;
        medium.diskseq = read_diskseq(st.st_rdev);
        *ret = medium;
        return 0;
}

bool medium_is_untouched(const Medium *medium) {
        CLEANUP_FREE uint8_t *expected = malloc(SELFTEST_IMAGE_SIZE), *found = malloc(SELFTEST_IMAGE_SIZE);

        if (!expected || !found ||
            pread(medium->memory, found, SELFTEST_IMAGE_SIZE, 0) != SELFTEST_IMAGE_SIZE)
                return false;
        selftest_image(expected);
        return memcmp(expected, found, SELFTEST_IMAGE_SIZE) == 0;
}

void medium_close(Medium *medium) {
        if (medium->disk >= 0)
                close(medium->disk);
        if (medium->memory >= 0)
                close(medium->memory);
        medium->disk = medium->memory = -1;
}
