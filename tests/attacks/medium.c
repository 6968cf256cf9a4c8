/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * medium.c: reads the medium itself, below the file system: the image behind a loop device, or the disk past
 * the page cache. Finds where the planted files lie, and every marker, wherever it is written.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "tests/attacks/harness.h"

enum {
        CHUNK = 1 << 20,
        OVERLAP = 4096 /* a marker may lie across two chunks */
};

static const char PLANTED_SECTOR[] = PLANTED " planted ";

/* Whoever looks at a chunk: SIZE bytes from OFFSET of the node. */
typedef void (*Look)(const char *data, size_t size, int64_t offset, void *arg);

static int open_medium(const Volume *volume) {
        if (*volume->image)
                return sys(open(volume->image, O_RDONLY | O_CLOEXEC));
        if (volume->medium > 0) {
                int fd = sys(fcntl((int)volume->medium, F_DUPFD_CLOEXEC, 3));

                return fd < 0 || fcntl(fd, F_SETFL, O_DIRECT) == 0 ? fd : -errno;
        }
        /* What the file system wrote does not show in the pages of the node that are cached already. */
        return sys(open(volume->disk, O_RDONLY | O_DIRECT | O_CLOEXEC));
}

static int scan(const Volume *volume, Look look, void *arg) {
        CLEANUP_CLOSE int fd = open_medium(volume);
        CLEANUP_FREE char *buffer = aligned_alloc(4096, OVERLAP + CHUNK);
        int64_t offset = 0, base = (int64_t)volume->start, data;
        size_t kept = 0;
        ssize_t n;

        if (fd < 0)
                return fd;
        if (!buffer)
                return -ENOMEM;
        for (;;) {
                /* Holes hold nothing, and a large image is mostly holes. */
                data = *volume->image ? lseek(fd, offset, SEEK_DATA) : offset;
                if (data < 0)
                        return errno == ENXIO ? 0 : -errno;
                if (data > offset) {
                        offset = data - data % 4096;
                        kept = 0;
                }
                n = pread(fd, buffer + OVERLAP, CHUNK, offset);
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                look(buffer + OVERLAP - kept, (size_t)n + kept, offset - (int64_t)kept - base, arg);
                kept = n >= OVERLAP ? OVERLAP : 0;
                memcpy(buffer + OVERLAP - kept, buffer + OVERLAP + n - kept, kept);
                offset += n;
                if (n % 4096 != 0)
                        return 0; /* the end */
        }
}

static int hash_block(const Volume *volume, int fd, int64_t block, uint64_t *ret) {
        CLEANUP_FREE unsigned char *buffer = aligned_alloc(4096, FILE_SIZE);
        uint64_t value = 0xcbf29ce484222325U;

        if (!buffer)
                return -ENOMEM;
        if (pread(fd, buffer, FILE_SIZE, (int64_t)volume->start + block) != FILE_SIZE)
                return -EIO;
        for (size_t i = 0; i < FILE_SIZE; i++)
                value = (value ^ buffer[i]) * 0x100000001b3U;
        *ret = value;
        return 0;
}

typedef struct Locating {
        Trial *trials;
        size_t n;
        char (*first)[SECTOR];
} Locating;

static void look_for_planted(const char *data, size_t size, int64_t offset, void *arg) {
        const Locating *locating = arg;

        for (size_t at_byte = 0; at_byte + SECTOR <= size; at_byte += SECTOR) {
                if (memcmp(data + at_byte, PLANTED_SECTOR, sizeof PLANTED_SECTOR - 1) != 0)
                        continue;
                for (size_t i = 0; i < locating->n; i++)
                        if (memcmp(data + at_byte, locating->first[i], SECTOR) == 0)
                                locating->trials[i].attempt.block = offset + (int64_t)at_byte;
        }
}

int medium_locate(const Volume *volume, Trial *trials, size_t n) {
        Locating locating = {trials, n, NULL};
        CLEANUP_FREE char(*first)[SECTOR] = calloc(n ? n : 1, sizeof *first);
        CLEANUP_CLOSE int medium = open_medium(volume);
        int r;

        if (!first)
                return -ENOMEM;
        if (medium < 0)
                return medium;
        locating.first = first;
        for (size_t i = 0; i < n; i++) {
                CLEANUP_CLOSE int fd = open_read(&trials[i].attempt, "file");

                trials[i].attempt.block = -1;
                if (fd < 0)
                        return fd;
                if (read(fd, first[i], SECTOR) != SECTOR)
                        return -EIO;
        }
        r = scan(volume, look_for_planted, &locating);
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (trials[i].attempt.block >= 0)
                        r = hash_block(volume, medium, trials[i].attempt.block, &trials[i].before);
        return r;
}

typedef struct Searching {
        const char *prefix;
        Trial *trials;
        size_t n;
} Searching;

static void look_for_markers(const char *data, size_t size, int64_t offset, void *arg) {
        const Searching *searching = arg;
        const char *end = data + size, *at_byte = data;

        while ((at_byte = memmem(at_byte, (size_t)(end - at_byte), searching->prefix,
                                 strlen(searching->prefix)))) {
                for (size_t i = 0; i < searching->n; i++) {
                        Trial *trial = &searching->trials[i];

                        if (end - at_byte < MARKER_KEY || trial->evidence & EVIDENCE_MARKER ||
                            memcmp(at_byte, trial->attempt.marker, MARKER_KEY) != 0)
                                continue;
                        trial->evidence |= EVIDENCE_MARKER;
                        if (!*trial->detail)
                                snprintf(trial->detail, sizeof trial->detail,
                                         "marker at byte %jd of the node",
                                         (intmax_t)offset + (at_byte - data));
                }
                at_byte++;
        }
}

int medium_search(const Volume *volume, const char *run_prefix, Trial *trials, size_t n) {
        Searching searching = {run_prefix, trials, n};
        CLEANUP_CLOSE int medium = open_medium(volume);
        int r;

        if (medium < 0)
                return medium;
        r = scan(volume, look_for_markers, &searching);
        for (size_t i = 0; r >= 0 && i < n; i++) {
                uint64_t now;

                if (trials[i].attempt.block < 0)
                        continue;
                r = hash_block(volume, medium, trials[i].attempt.block, &now);
                if (r >= 0 && now != trials[i].before) {
                        trials[i].evidence |= EVIDENCE_BLOCK;
                        if (!*trials[i].detail)
                                snprintf(trials[i].detail, WHY_SIZE, "its blocks on the medium differ");
                }
        }
        return r;
}
