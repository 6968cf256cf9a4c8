/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/program_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/scope.h"

enum {
        WAIT_MS = 10000
};

/* All that comes from FD within the time, with a NUL behind it. */
static int read_answer(int fd, char *answer, size_t size) {
        size_t n = 0;

        for (;;) {
                struct pollfd poller = {.fd = fd, .events = POLLIN};
                ssize_t got;

                if (poll(&poller, 1, WAIT_MS) <= 0)
                        return -ETIMEDOUT;
                got = read(fd, answer + n, size - 1 - n);
                if (got < 0)
                        return -errno;
                n += (size_t)got;
                answer[n] = '\0';
                if (got == 0)
                        return 0;
                if (n == size - 1)
                        return -E2BIG;
        }
}

int program_ask(char *const arguments[], char *answer, size_t size) {
        char *const environment[] = {NULL};
        posix_spawn_file_actions_t actions;
        int ends[2], status = 0, r;
        CLEANUP_CLOSE int from = -1;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        from = ends[0];
        r = posix_spawn_file_actions_init(&actions);
        if (r == 0) {
                (void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
                (void)posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
                (void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
                r = posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environment);
                (void)posix_spawn_file_actions_destroy(&actions);
        }
        (void)close(ends[1]);
        if (r != 0)
                return -r;
        r = read_answer(from, answer, size);
        if (r < 0)
                (void)kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        return r < 0 ? r : WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}
