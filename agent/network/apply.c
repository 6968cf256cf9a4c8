/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/scope.h"

enum {
        DEADLINE_MSEC = 8000 /* well within the agent's watchdog */
};

/* Beside our own directory: /usr/sbin/sekishod has /usr/libexec/sekisho-network. */
static int find_program(char *path, size_t size) {
        char own[PATH_MAX];
        ssize_t length = readlink("/proc/self/exe", own, sizeof(own) - 1);

        if (length < 0)
                return -errno;
        own[length] = '\0';
        for (int i = 0; i < 2; i++) {
                char *slash = strrchr(own, '/');

                if (!slash)
                        return -ENOENT;
                *slash = '\0';
        }
        return (size_t)snprintf(path, size, "%s/libexec/sekisho-network", own) >= size ? -ENAMETOOLONG : 0;
}

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

static int spawn(const char *path, int input, int errors, pid_t *ret) {
        char *arguments[] = {(char *)"sekisho-network", (char *)"apply", NULL}, *environment[] = {NULL};
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t none;
        int r;

        sigemptyset(&none);
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        r = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, errors, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
        if (r == 0)
                r = posix_spawn(ret, path, &actions, &attributes, arguments, environment);
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
        return -r;
}

int apply_start(const char *text, Apply *ret) {
        CLEANUP_CLOSE int input = memfd_create("network-table", MFD_CLOEXEC);
        CLEANUP_CLOSE int errors = memfd_create("network-errors", MFD_CLOEXEC);
        char path[PATH_MAX];
        pid_t pid = 0;
        int r = find_program(path, sizeof(path)), fd;

        if (r < 0)
                return r;
        if (input < 0 || errors < 0)
                return -errno;
        r = write_all(input, text);
        if (r < 0)
                return r;
        if (lseek(input, 0, SEEK_SET) < 0)
                return -errno;
        r = spawn(path, input, errors, &pid);
        if (r < 0)
                return r;
        fd = pidfd_open(pid, 0);
        if (fd < 0) {
                r = -errno;
                (void)kill(pid, SIGKILL);
                (void)waitpid(pid, NULL, 0);
                return r;
        }
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
