/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/libexec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

int libexec_path(const char *name, char path[static PATH_MAX]) {
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
        return (size_t)snprintf(path, PATH_MAX, "%s/libexec/%s", own, name) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static int add_files(posix_spawn_file_actions_t *actions, const LibexecFiles *files) {
        int r = files->input < 0
                        ? posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
                        : posix_spawn_file_actions_adddup2(actions, files->input, STDIN_FILENO);

        if (r == 0)
                r = posix_spawn_file_actions_adddup2(actions, files->output, STDOUT_FILENO);
        if (r == 0 && files->errors >= 0)
                r = posix_spawn_file_actions_adddup2(actions, files->errors, STDERR_FILENO);
        return r;
}

int libexec_start(char *const arguments[], char *const environment[], const LibexecFiles *files, pid_t *ret,
                  int *ret_pidfd) {
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attributes;
        char path[PATH_MAX];
        sigset_t none;
        pid_t pid = 0;
        int r = libexec_path(arguments[0], path), fd;

        if (r < 0)
                return r;
        sigemptyset(&none);
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
        r = add_files(&actions, files);
        if (r == 0)
                r = posix_spawn(&pid, path, &actions, &attributes, arguments, environment);
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
        if (r != 0)
                return -r;
        fd = pidfd_open(pid, 0);
        if (fd < 0) { /* nobody would be told of its end */
                r = -errno;
                (void)kill(pid, SIGKILL);
                (void)waitpid(pid, NULL, 0);
                return r;
        }
        *ret = pid;
        *ret_pidfd = fd;
        return 0;
}
