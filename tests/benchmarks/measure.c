/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure: does one thing many times and says how long it took, in ns. For tests/bench; never installed.
 *
 *   sekisho-measure open read|write PATH COUNT   opens and closes PATH; prints the median of one turn
 *   sekisho-measure create DIRECTORY COUNT BYTES makes files of that size there; prints the median of one,
 * and takes them away again sekisho-measure write PATH MIB               writes a new file in one go and has
 * it on the medium; prints the whole time, and takes it away again sekisho-measure refused PATH COUNT opens
 * PATH for writing, which must be refused; prints the median of one refusal sekisho-measure denied COUNT
 * DIRECTORY       opens DIRECTORY/0, DIRECTORY/1 ... for writing, which must be refused, and reads the
 * journal until the record is there; prints the time from the call to the record, one per line
 *   sekisho-measure unreachable COUNT ADDRESS UID
 *                                                connects to as many addresses from that one on as UID,
 * which must be refused, and reads the journal likewise
 *   sekisho-measure hold NUMBER IMAGE COUNT      makes the loop device NUMBER over IMAGE and reads sysfs
 * until the device is read-only; prints the time from the return of LOOP_CONFIGURE, one per line
 *   sekisho-measure uevent SUBSYSTEM TYPE ATTRIBUTE VALUE...
 *                                                says "listening", waits until the kernel adds a device of
 * that kind, and until its attribute has had these values, one after the other; prints the time from the
 * kernel's message
 *   sekisho-measure raw                          likewise of a disk, until its node cannot be opened for
 * writing
 *
 * Exit 0, 1 with a message if something did not come about, 2 for a wrong call.
 */
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
        EXIT_USAGE = 2,
        COUNT_MAX = 10000000,
        BYTES_MAX = 1048576,
        UID_MAX = 65533,
        NUMBER_MAX = 1048575, /* a minor number has 20 bits */
};

int64_t now_ns(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t deadline_ns(void) {
        return now_ns() + DEADLINE_SECONDS * (int64_t)1000000000;
}

void pause_ns(long ns) {
        struct timespec pause = {.tv_nsec = ns};

        nanosleep(&pause, NULL);
}

int failed(const char *what, int error) {
        fprintf(stderr, "sekisho-measure: %s: %s\n", what, strerror(error < 0 ? -error : error));
        return EXIT_FAILURE;
}

static bool parse(const char *text, long min, long max, long *ret) {
        char *end;

        errno = 0;
        *ret = strtol(text, &end, 10);
        return errno == 0 && *text && !*end && *ret >= min && *ret <= max;
}

/* Whether this is a call of NAME with N words behind it. */
static bool is(char **argv, int argc, const char *name, int n) {
        return argc == n + 2 && strcmp(argv[1], name) == 0;
}

int main(int argc, char **argv) {
        long count, number;

        if (is(argv, argc, "open", 3) && parse(argv[4], 1, COUNT_MAX, &count)) {
                if (strcmp(argv[2], "read") == 0)
                        return measure_open(argv[3], O_RDONLY, count);
                if (strcmp(argv[2], "write") == 0)
                        return measure_open(argv[3], O_WRONLY, count);
        }
        if (is(argv, argc, "create", 3) && parse(argv[3], 1, COUNT_MAX, &count) &&
            parse(argv[4], 0, BYTES_MAX, &number))
                return measure_create(argv[2], count, number);
        if (is(argv, argc, "write", 3) && parse(argv[3], 1, COUNT_MAX, &number) &&
            parse(argv[4], 1, COUNT_MAX, &count))
                return measure_write(argv[2], number, count);
        if (is(argv, argc, "refused", 2) && parse(argv[3], 1, COUNT_MAX, &count))
                return measure_refused(argv[2], count);
        if (is(argv, argc, "denied", 2) && parse(argv[2], 1, COUNT_MAX, &count))
                return measure_denied(count, argv[3]);
        if (is(argv, argc, "unreachable", 3) && parse(argv[2], 1, COUNT_MAX, &count) &&
            parse(argv[4], 1, UID_MAX, &number))
                return measure_unreachable(count, argv[3], number);
        if (is(argv, argc, "hold", 3) && parse(argv[2], 0, NUMBER_MAX, &number) &&
            parse(argv[4], 1, COUNT_MAX, &count))
                return measure_hold(number, argv[3], count);
        if (argc >= 6 && strcmp(argv[1], "uevent") == 0)
                return measure_uevent(argv[2], argv[3], argv[4], (const char *const *)argv + 5);
        if (is(argv, argc, "raw", 0))
                return measure_raw();
        fputs("Usage: sekisho-measure open read|write PATH COUNT | create DIRECTORY COUNT BYTES | write "
              "PATH MIB | "
              "refused PATH COUNT | denied COUNT DIRECTORY | unreachable COUNT ADDRESS UID | hold NUMBER "
              "IMAGE COUNT | "
              "uevent SUBSYSTEM TYPE ATTRIBUTE VALUE... | raw\n",
              stderr);
        return EXIT_USAGE;
}
