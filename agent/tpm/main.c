/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sekisho-tpm: reads or raises the serial in the TPM, says in a line what stands there then, and ends. The
 * agent runs it; see answer.h for the line. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#include "agent/tpm/index.h"
#include "policy/scope.h"

#define FIRMWARE_TABLE "/sys/firmware/acpi/tables/TPM2"

enum {
        EXIT_USAGE = 2,
        DRIVER_MSEC = 1500 /* well within what the agent waits for at its start */
};

static int usage(void) {
        fputs("Usage: sekisho-tpm read TCTI\n       sekisho-tpm raise TCTI SERIAL\n", stderr);
        return EXIT_USAGE;
}

static int64_t now_msec(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_BOOTTIME, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether there is the device node PATH. Where the firmware tells of a TPM, its driver may be on its way. */
static bool device_comes(const char *path) {
        CLEANUP_CLOSE int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        const int64_t end = now_msec() + DRIVER_MSEC;
        struct pollfd watched = {.fd = watch, .events = POLLIN};

        if (watch < 0 || inotify_add_watch(watch, "/dev", IN_CREATE) < 0)
                return access(path, F_OK) == 0;
        while (access(path, F_OK) < 0) {
                char events[4096];
                const int64_t rest = end - now_msec();

                if (access(FIRMWARE_TABLE, F_OK) < 0 || rest <= 0 || poll(&watched, 1, (int)rest) < 0)
                        return false;
                while (read(watch, events, sizeof(events)) > 0)
                        ;
        }
        return true;
}

static bool is_absent(const char *tcti) {
        static const char device[] = "device:";

        return strncmp(tcti, device, strlen(device)) == 0 && !device_comes(tcti + strlen(device));
}

static bool take_number(const char *text, uint64_t *ret) {
        char *end;

        if (*text < '0' || *text > '9')
                return false;
        errno = 0;
        *ret = strtoull(text, &end, 10);
        return errno == 0 && *end == '\0';
}

int main(int argc, char **argv) {
        TpmAnswer answer = {.state = TPM_ABSENT};
        char line[TPM_LINE_MAX];
        uint64_t serial = 0;
        bool raises;
        size_t length;

        raises = argc == 4 && strcmp(argv[1], "raise") == 0;
        if (raises ? !take_number(argv[3], &serial) : argc != 3 || strcmp(argv[1], "read") != 0)
                return usage();
        if (!is_absent(argv[2])) {
                if (raises)
                        tpm_index_raise(argv[2], serial, &answer);
                else
                        tpm_index_read(argv[2], &answer);
        }
        length = tpm_answer_format(&answer, line);
        return fwrite(line, 1, length, stdout) == length && fflush(stdout) == 0 ? EXIT_SUCCESS
                                                                                : EXIT_FAILURE;
}
