/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keeper/watch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "agent/file.h"

enum {
        STAT_SIZE = 1024,
        NAME_SIZE = 64
};

void agent_watch_start(AgentWatch *watch, pid_t pid) {
        *watch = (AgentWatch){.pid = pid, .pidfd = pid > 1 ? pidfd_open(pid, 0) : -1};
}

void agent_watch_end(AgentWatch *watch) {
        if (watch->pidfd >= 0)
                close(watch->pidfd);
        watch->pidfd = -1;
}

/* The state follows the name, which is in parentheses and may have some itself. 't', stopped by a tracer, is
 * left to whoever traces. Source: proc(5). */
bool stat_tells_stopped(const char *stat) {
        const char *name_end = strrchr(stat, ')');

        return name_end && strncmp(name_end, ") T", 3) == 0;
}

bool agent_watch_look(AgentWatch *watch) {
        char path[NAME_SIZE], stat[STAT_SIZE];
        bool before = watch->stopped;

        if (watch->pidfd < 0)
                return false;
        snprintf(path, sizeof(path), "/proc/%d/stat", (int)watch->pid);
        watch->stopped =
                file_read_small(AT_FDCWD, path, stat, sizeof(stat)) >= 0 && stat_tells_stopped(stat);
        return before && watch->stopped && pidfd_send_signal(watch->pidfd, SIGKILL, NULL, 0) == 0;
}
