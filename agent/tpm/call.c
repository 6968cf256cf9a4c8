/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/tpm/call.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/libexec.h"
#include "policy/scope.h"

enum {
        KILL_MSEC = 200 /* one that waits in the kernel is left behind */
};

int tpm_call_begin(const char *tcti, const uint64_t *serial, TpmCall *ret) {
        CLEANUP_CLOSE int output = memfd_create("tpm-answer", MFD_CLOEXEC);
        char number[24] = "";
        char *arguments[] = {(char *)"sekisho-tpm", (char *)(serial ? "raise" : "read"), (char *)tcti,
                             serial ? number : NULL, NULL};
        char *environment[] = {(char *)"TSS2_LOG=all+NONE", NULL};
        const LibexecFiles files = {.input = -1, .output = output, .errors = -1};
        pid_t pid;
        int fd, r;

        if (output < 0)
                return -errno;
        if (serial)
                (void)snprintf(number, sizeof(number), "%" PRIu64, *serial);
        r = libexec_start(arguments, environment, &files, &pid, &fd);
        if (r < 0)
                return r;
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
