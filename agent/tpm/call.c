/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/tpm/call.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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
        KILL_MSEC = 200 /* one that waits in the kernel is left behind */
};

/* Beside our own directory: /usr/sbin/sekishod has /usr/libexec/sekisho-tpm. */
static int find_program(char path[static PATH_MAX]) {
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
        return (size_t)snprintf(path, PATH_MAX, "%s/libexec/sekisho-tpm", own) >= PATH_MAX ? -ENAMETOOLONG
                                                                                           : 0;
}

static int spawn(char *const arguments[], const char *path, int output, pid_t *ret) {
        char *environment[] = {(char *)"TSS2_LOG=all+NONE", NULL};
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        sigset_t none;
        int r;

        sigemptyset(&none);
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        if (r == 0)
                r = posix_spawn(ret, path, &actions, &attributes, arguments, environment);
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
        return -r;
}

int tpm_call_begin(const char *tcti, const uint64_t *serial, TpmCall *ret) {
        CLEANUP_CLOSE int output = memfd_create("tpm-answer", MFD_CLOEXEC);
        char path[PATH_MAX], number[24] = "";
        char *arguments[] = {(char *)"sekisho-tpm", (char *)(serial ? "raise" : "read"), (char *)tcti,
                             serial ? number : NULL, NULL};
        pid_t pid = 0;
        int r = output < 0 ? -errno : find_program(path), fd;

        if (serial)
                (void)snprintf(number, sizeof(number), "%" PRIu64, *serial);
        if (r == 0)
                r = spawn(arguments, path, output, &pid);
        if (r < 0)
                return r;
        fd = pidfd_open(pid, 0);
        if (fd < 0) {
                r = -errno;
                (void)kill(pid, SIGKILL);
                (void)waitpid(pid, NULL, 0);
                return r;
        }
        *ret = (TpmCall){.pid = pid, .pidfd = fd, .output = STEAL_FD(output)};
        return 0;
}

static bool ends_within(const TpmCall *call, int msec) {
        struct pollfd watched = {.fd = call->pidfd, .events = POLLIN};
        int n;

        do
                n = poll(&watched, 1, msec);
        while (n < 0 && errno == EINTR);
        return n > 0;
}

/* Its line, if that is all it wrote and it ended well. */
static int read_answer(const TpmCall *call, int status, TpmAnswer *ret) {
        char line[TPM_LINE_MAX];
        ssize_t n = pread(call->output, line, sizeof(line) - 1, 0);

        if (n < 0)
                return -errno;
        line[n] = '\0';
        return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? tpm_answer_parse(line, ret) : -EBADMSG;
}

void tpm_call_finish(TpmCall *call, int msec, TpmAnswer *ret) {
        bool ended = ends_within(call, msec);
        int status = 0, r = -ETIMEDOUT;

        if (!ended)
                (void)kill(call->pid, SIGKILL);
        if (ended || ends_within(call, KILL_MSEC))
                (void)waitpid(call->pid, &status, WNOHANG);
        if (ended)
                r = read_answer(call, status, ret);
        if (r < 0) {
                *ret = (TpmAnswer){.state = TPM_FAILED};
                (void)snprintf(ret->why, sizeof(ret->why), "%s", strerror(-r));
        }
        tpm_call_leave(call);
}

void tpm_call_leave(TpmCall *call) {
        if (call->pid == 0)
                return;
        close(call->pidfd);
        close(call->output);
        *call = (TpmCall){.pid = 0, .pidfd = -1, .output = -1};
}
