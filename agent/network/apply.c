/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/apply.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/libexec.h"
#include "policy/scope.h"

enum {
        DEADLINE_MSEC = 8000 /* well within the agent's watchdog */
};

static int write_all(int fd, const char *text) {
        size_t length = strlen(text);

        while (length > 0) {
                ssize_t n = write(fd, text, length);

                if (n < 0 && errno != EINTR)
                        return -errno;
                text += n > 0 ? n : 0;
                length -= n > 0 ? (size_t)n : 0;
        }
        return 0;
}

int apply_start(const char *text, Apply *ret) {
        CLEANUP_CLOSE int input = memfd_create("network-table", MFD_CLOEXEC);
        CLEANUP_CLOSE int errors = memfd_create("network-errors", MFD_CLOEXEC);
        char *arguments[] = {(char *)"sekisho-network", (char *)"apply", NULL}, *environment[] = {NULL};
        const LibexecFiles files = {.input = input, .output = errors, .errors = errors};
        pid_t pid;
        int r, fd;

        if (input < 0 || errors < 0)
                return -errno;
        r = write_all(input, text);
        if (r < 0)
                return r;
        if (lseek(input, 0, SEEK_SET) < 0)
                return -errno;
        r = libexec_start(arguments, environment, &files, &pid, &fd);
        if (r < 0)
                return r;
        *ret = (Apply){.pid = pid, .pidfd = fd, .errors = STEAL_FD(errors)};
        return 0;
}

/* Its first line that says something. */
static void read_why(int fd, char *why, size_t size) {
        ssize_t n = pread(fd, why, size - 1, 0);

        why[n > 0 ? n : 0] = '\0';
        why[strcspn(why, "\n")] = '\0';
}

static int reap(const Apply *apply) {
        int status;

        while (waitpid(apply->pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBADMSG;
}

bool apply_ends_within(const Apply *apply, int msec) {
        struct pollfd poll_fd = {.fd = apply->pidfd, .events = POLLIN};

        return poll(&poll_fd, 1, msec) > 0;
}

int apply_wait(const Apply *apply) {
        struct pollfd poll_fd = {.fd = apply->pidfd, .events = POLLIN};
        siginfo_t info;
        int n;

        do
                n = poll(&poll_fd, 1, DEADLINE_MSEC);
        while (n < 0 && errno == EINTR);
        if (n > 0)
                return 0;
        (void)kill(apply->pid, SIGKILL);
        while (waitid(P_PID, (id_t)apply->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
                ;
        return -ETIMEDOUT;
}

int apply_finish(Apply *apply, char *why, size_t size) {
        int late = apply_wait(apply), r = reap(apply);

        read_why(apply->errors, why, size);
        close(apply->pidfd);
        close(apply->errors);
        *apply = (Apply){.pidfd = -1, .errors = -1};
        return late < 0 ? late : r;
}
