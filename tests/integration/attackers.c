/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attackers: processes that try to write to a file as fast as they go, each in turn by several ways of
 * opening it; what they get open they write to. For the integration tests; never installed.
 *
 *   attackers PATH TEXT PROCESSES [COUNT]
 *
 * Each of PROCESSES makes COUNT attempts (whatever the other ones do), or goes on until the input ends.
 * Prints "started" once every one has made an attempt, and in the end "attempts=N opened=N written=N EPERM=N
 * EROFS=N other=N errno=NAME slowest_msec=N": the name is that of the last other error, the time that of the
 * open that took longest.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
        EXIT_USAGE = 2,
        NEW_MODE = 0666,
        PROCESSES_MAX = 4096
};

/* Shared by all processes. */
typedef struct Totals {
        atomic_ulong attempts, opened, written, eperm, erofs, other, slowest_usec;
        atomic_int last_other;
        atomic_bool stop;
} Totals;

static const int ways[] = {O_WRONLY, O_RDWR, O_WRONLY | O_TRUNC, O_WRONLY | O_APPEND, O_RDWR | O_CREAT};

static unsigned long now_usec(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (unsigned long)now.tv_sec * 1000000 + (unsigned long)now.tv_nsec / 1000;
}

static void note_duration(Totals *totals, unsigned long usec) {
        unsigned long slowest = atomic_load(&totals->slowest_usec);

        while (usec > slowest && !atomic_compare_exchange_weak(&totals->slowest_usec, &slowest, usec))
                ;
}

static void attempt(Totals *totals, const char *path, const char *text, unsigned long turn) {
        int flags = ways[turn % (sizeof(ways) / sizeof(ways[0]))];
        unsigned long before = now_usec();
        int fd = open(path, flags | O_CLOEXEC, NEW_MODE), error = errno;

        note_duration(totals, now_usec() - before);
        if (fd >= 0) {
                totals->opened++;
                if (write(fd, text, strlen(text)) == (ssize_t)strlen(text))
                        totals->written++;
                close(fd);
        } else if (error == EPERM)
                totals->eperm++;
        else if (error == EROFS)
                totals->erofs++;
        else {
                totals->other++;
                totals->last_other = error;
        }
        totals->attempts++;
}

/* COUNT 0: until told to stop. One byte goes to STARTED after the first attempt. */
static void attack(Totals *totals, const char *path, const char *text, unsigned long count, int started) {
        for (unsigned long i = 0; count ? i < count : !totals->stop; i++) {
                attempt(totals, path, text, i);
                if (i == 0 && write(started, "", 1) != 1)
                        return;
        }
}

static int wait_for_input_to_end(void) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

        while (poll(&input, 1, -1) < 0)
                if (errno != EINTR)
                        return -errno;
        return 0;
}

int main(int argc, char **argv) {
        unsigned long processes = argc >= 4 ? strtoul(argv[3], NULL, 10) : 0;
        unsigned long count = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
        Totals *totals =
                mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        int started[2];

        if (argc < 4 || argc > 5 || processes == 0 || processes > PROCESSES_MAX || totals == MAP_FAILED ||
            pipe2(started, O_CLOEXEC) < 0) {
                fputs("usage: see attackers.c\n", stderr);
                return EXIT_USAGE;
        }
        for (unsigned long i = 0; i < processes; i++) {
                pid_t child = fork();

                if (child < 0)
                        return EXIT_FAILURE;
                if (child == 0) {
                        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                        attack(totals, argv[1], argv[2], count, started[1]);
                        _exit(EXIT_SUCCESS);
                }
        }
        for (unsigned long i = 0; i < processes; i++) {
                char byte;

                if (read(started[0], &byte, 1) != 1)
                        return EXIT_FAILURE;
        }
        puts("started");
        fflush(stdout);
        if (count == 0 && wait_for_input_to_end() < 0)
                return EXIT_FAILURE;
        totals->stop = true;
        while (wait(NULL) >= 0 || errno == EINTR)
                ;
        printf("attempts=%lu opened=%lu written=%lu EPERM=%lu EROFS=%lu other=%lu errno=%s "
               "slowest_msec=%lu\n",
               totals->attempts, totals->opened, totals->written, totals->eperm, totals->erofs,
               totals->other, totals->last_other ? strerrorname_np(totals->last_other) : "none",
               totals->slowest_usec / 1000);
        return EXIT_SUCCESS;
}
