/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening, making and writing files that nobody refuses. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"
#include "policy/scope.h"

enum {
        BATCH = 50, /* turns per reading of the clock, so that reading it does not count */
        MIB = 1048576,
};

static int compare(const void *a, const void *b) {
        int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

        return (x > y) - (x < y);
}

static int64_t median(int64_t *values, size_t n) {
        qsort(values, n, sizeof(*values), compare);
        return values[n / 2];
}

int measure_open(const char *path, int flags, long count) {
        size_t n = (size_t)(count / BATCH) + 1;
        CLEANUP_FREE int64_t *batches = calloc(n, sizeof(*batches));

        if (!batches)
                return failed("no memory", ENOMEM);
        for (size_t i = 0; i < n; i++) {
                int64_t start = now_ns();

                for (int turn = 0; turn < BATCH; turn++) {
                        int fd = open(path, flags | O_CLOEXEC);

                        if (fd < 0)
                                return failed(path, errno);
                        close(fd);
                }
                batches[i] = now_ns() - start;
        }
        printf("%.1f\n", (double)median(batches, n) / BATCH);
        return EXIT_SUCCESS;
}

/* Writes all of it. 0 or -errno. */
static int write_all(int fd, const char *data, size_t length) {
        while (length > 0) {
                ssize_t n = write(fd, data, length);

                if (n < 0)
                        return -errno;
                data += n;
                length -= (size_t)n;
        }
        return 0;
}

/* Makes NAME in DIRECTORY with DATA in it. 0 or -errno. */
static int make_file(int directory, const char *name, const char *data, size_t length) {
        CLEANUP_CLOSE int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

        return fd < 0 ? -errno : write_all(fd, data, length);
}

int measure_create(const char *path, long count, long bytes) {
        CLEANUP_FREE int64_t *turns = calloc((size_t)count, sizeof(*turns));
        CLEANUP_FREE char *data = calloc(1, (size_t)bytes + 1);
        CLEANUP_CLOSE int directory = -1;
        char name[32];
        int r = 0;

        if (!turns || !data)
                return failed("no memory", ENOMEM);
        directory = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        if (directory < 0)
                return failed(path, errno);
        for (long i = 0; i < count && r == 0; i++) {
                int64_t start;

                snprintf(name, sizeof(name), "made-%ld", i);
                start = now_ns();
                r = make_file(directory, name, data, (size_t)bytes);
                turns[i] = now_ns() - start;
        }
        for (long i = 0; i < count; i++) {
                snprintf(name, sizeof(name), "made-%ld", i);
                if (unlinkat(directory, name, 0) < 0 && r == 0)
                        r = -errno;
        }
        if (r < 0)
                return failed(path, r);
        printf("%" PRId64 "\n", median(turns, (size_t)count));
        return EXIT_SUCCESS;
}

/* Writes MIB of DATA from the file's beginning and has them on the medium. 0 or -errno. */
static int write_once(const char *path, const char *data, long mib) {
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
        int r = fd < 0 ? -errno : 0;

        for (long i = 0; i < mib && r == 0; i++)
                r = write_all(fd, data, MIB);
        return r == 0 && fsync(fd) < 0 ? -errno : r;
}

int measure_write(const char *path, long mib, long count) {
        CLEANUP_FREE int64_t *turns = calloc((size_t)count, sizeof(*turns));
        CLEANUP_FREE char *data = malloc(MIB);
        int r;

        if (!turns || !data)
                return failed("no memory", ENOMEM);
        memset(data, 'x', MIB);
        /* The first turn makes the file and does not count: memory that was not used for long is slow. */
        r = write_once(path, data, mib);
        for (long i = 0; i < count && r == 0; i++) {
                int64_t start = now_ns();

                r = write_once(path, data, mib);
                turns[i] = now_ns() - start;
        }
        if (unlink(path) < 0 && r == 0)
                r = -errno;
        if (r < 0)
                return failed(path, r);
        printf("%" PRId64 "\n", median(turns, (size_t)count));
        return EXIT_SUCCESS;
}
