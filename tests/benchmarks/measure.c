/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure: does one thing many times and says how long each took. For tests/bench; never installed.
 *
 *   sekisho-measure open read|write PATH COUNT   opens and closes PATH; prints the median in ns of one turn
 *   sekisho-measure denied COUNT DIRECTORY       opens DIRECTORY/0, DIRECTORY/1 … for writing, which must be
 *                                                refused, and reads the journal until the record is there;
 *                                                prints the ns from refusal to record, one per line
 *   sekisho-measure hold NUMBER IMAGE COUNT      makes the loop device NUMBER over IMAGE and reads sysfs
 * until the device is read-only; prints the ns from the return of LOOP_CONFIGURE, one per line
 *
 * Exit 0, 1 with a message if something did not come about, 2 for a wrong call.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/loop.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#include "policy/scope.h"

#define CLEANUP_JOURNAL CLEANUP(scope_sd_journal_close)
DEFINE_CLEANUP(sd_journal, sd_journal_close);

enum {
        EXIT_USAGE = 2,
        BATCH = 50,            /* turns per reading of the clock, so that reading it does not count */
        POLL_NS = 50000,       /* how often a state is asked for that nothing announces: the precision */
        DEADLINE_SECONDS = 10, /* of one turn */
        COUNT_MAX = 10000000,
        NUMBER_MAX = 1048575, /* a minor number has 20 bits */
};

static int64_t now_ns(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void pause_ns(long ns) {
        struct timespec pause = {.tv_nsec = ns};

        nanosleep(&pause, NULL);
}

static int compare(const void *a, const void *b) {
        int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

        return (x > y) - (x < y);
}

static int failed(const char *what, int error) {
        fprintf(stderr, "sekisho-measure: %s: %s\n", what, strerror(error < 0 ? -error : error));
        return EXIT_FAILURE;
}

static int measure_open(const char *path, int flags, long count) {
        CLEANUP_FREE int64_t *batches = NULL;
        size_t n = (size_t)(count / BATCH) + 1, middle = n / 2;

        batches = calloc(n, sizeof(*batches));
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
        qsort(batches, n, sizeof(*batches), compare);
        printf("%.1f\n", (double)batches[middle] / BATCH);
        return EXIT_SUCCESS;
}

/* Reads on until an entry has PATH as its SEKISHO_PATH. 0 or -errno. */
static int await_record(sd_journal *journal, const char *path, int64_t until) {
        while (now_ns() < until) {
                const void *data;
                size_t length;
                int r = sd_journal_next(journal);

                if (r < 0)
                        return r;
                if (r == 0) {
                        /* New entries show in files that are open; this is for a file that has come since.
                         */
                        r = sd_journal_process(journal);
                        if (r < 0)
                                return r;
                        pause_ns(POLL_NS);
                        continue;
                }
                r = sd_journal_get_data(journal, "SEKISHO_PATH", &data, &length);
                if (r < 0)
                        continue;
                if (length == strlen("SEKISHO_PATH=") + strlen(path) &&
                    memcmp((const char *)data + strlen("SEKISHO_PATH="), path, strlen(path)) == 0)
                        return 0;
        }
        return -ETIME;
}

static int measure_denied(long count, const char *directory) {
        CLEANUP_JOURNAL sd_journal *journal = NULL;
        int r = sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY);

        if (r >= 0)
                r = sd_journal_get_fd(journal); /* from now on it is told of new files */
        if (r >= 0)
                r = sd_journal_seek_tail(journal);
        if (r >= 0)
                r = sd_journal_previous(journal);
        if (r < 0)
                return failed("journal", r);
        for (long i = 0; i < count; i++) {
                CLEANUP_FREE char *path = NULL;
                CLEANUP_CLOSE int fd = -1;
                int64_t start;

                if (asprintf(&path, "%s/%ld", directory, i) < 0) {
                        path = NULL;
                        return failed("no memory", ENOMEM);
                }
                fd = open(path, O_WRONLY | O_CLOEXEC);
                start = now_ns();
                if (fd >= 0 || (errno != EPERM && errno != EROFS))
                        return failed(path, fd >= 0 ? EISCONN : errno);
                r = await_record(journal, path, start + DEADLINE_SECONDS * (int64_t)1000000000);
                if (r < 0)
                        return failed(path, r);
                printf("%" PRId64 "\n", now_ns() - start);
        }
        return EXIT_SUCCESS;
}

/* 0 once sysfs says that the device is read-only, or -errno. */
static int await_read_only(long number, int64_t until) {
        CLEANUP_CLOSE int fd = -1;
        char path[64];

        snprintf(path, sizeof(path), "/sys/block/loop%ld/ro", number);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        while (now_ns() < until) {
                char flag = '0';

                if (pread(fd, &flag, 1, 0) < 0)
                        return -errno;
                if (flag == '1')
                        return 0;
                pause_ns(POLL_NS);
        }
        return -ETIME;
}

static int open_loop(long number) {
        char path[64];

        snprintf(path, sizeof(path), "/dev/loop%ld", number);
        for (int64_t until = now_ns() + DEADLINE_SECONDS * (int64_t)1000000000; now_ns() < until;) {
                int fd = open(path, O_RDWR | O_CLOEXEC);

                if (fd >= 0)
                        return fd;
                if (errno != ENOENT && errno != ENXIO)
                        return -errno;
                pause_ns(POLL_NS);
        }
        return -ETIME;
}

/* Away with the number too, since the kernel keeps the read-only flag for its next user; others may look at
 * it for a moment yet. */
static int remove_loop(int control, long number) {
        for (int64_t until = now_ns() + DEADLINE_SECONDS * (int64_t)1000000000; now_ns() < until;) {
                if (ioctl(control, LOOP_CTL_REMOVE, number) >= 0 || errno == ENODEV)
                        return 0;
                if (errno != EBUSY)
                        return -errno;
                pause_ns(POLL_NS);
        }
        return -ETIME;
}

static int hold_once(long number, int image, int64_t *ret) {
        CLEANUP_CLOSE int device = -1;
        struct loop_config config = {.fd = (uint32_t)image};
        int64_t start;
        int r;

        device = open_loop(number);
        if (device < 0)
                return device;
        if (ioctl(device, LOOP_CONFIGURE, &config) < 0)
                return -errno;
        start = now_ns();
        r = await_read_only(number, start + DEADLINE_SECONDS * (int64_t)1000000000);
        *ret = now_ns() - start;
        ioctl(device, LOOP_CLR_FD, 0);
        return r;
}

static int measure_hold(long number, const char *path, long count) {
        CLEANUP_CLOSE int control = -1;
        CLEANUP_CLOSE int image = -1;

        control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        if (control < 0)
                return failed("/dev/loop-control", errno);
        image = open(path, O_RDWR | O_CLOEXEC);
        if (image < 0)
                return failed(path, errno);
        for (long i = 0; i < count; i++) {
                int64_t took = 0;
                int r, removed;

                if (ioctl(control, LOOP_CTL_ADD, number) < 0)
                        return failed("LOOP_CTL_ADD", errno);
                r = hold_once(number, image, &took);
                removed = remove_loop(control, number);
                if (r < 0)
                        return failed("the device is not held", r);
                if (removed < 0)
                        return failed("LOOP_CTL_REMOVE", removed);
                printf("%" PRId64 "\n", took);
        }
        return EXIT_SUCCESS;
}

static bool parse(const char *text, long min, long max, long *ret) {
        char *end;

        errno = 0;
        *ret = strtol(text, &end, 10);
        return errno == 0 && *text && !*end && *ret >= min && *ret <= max;
}

int main(int argc, char **argv) {
        long count, number;

        if (argc == 5 && strcmp(argv[1], "open") == 0 && parse(argv[4], 1, COUNT_MAX, &count)) {
                if (strcmp(argv[2], "read") == 0)
                        return measure_open(argv[3], O_RDONLY, count);
                if (strcmp(argv[2], "write") == 0)
                        return measure_open(argv[3], O_WRONLY, count);
        }
        if (argc == 4 && strcmp(argv[1], "denied") == 0 && parse(argv[2], 1, COUNT_MAX, &count))
                return measure_denied(count, argv[3]);
        if (argc == 5 && strcmp(argv[1], "hold") == 0 && parse(argv[2], 0, NUMBER_MAX, &number) &&
            parse(argv[4], 1, COUNT_MAX, &count))
                return measure_hold(number, argv[3], count);
        fputs("Usage: sekisho-measure open read|write PATH COUNT | denied COUNT DIRECTORY | "
              "hold NUMBER IMAGE COUNT\n",
              stderr);
        return EXIT_USAGE;
}
