/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch.h: whether the agent is stopped (SIGSTOP and its like). A stopped agent keeps everybody waiting
 * whose open it is asked about, until the service manager's watchdog misses it. It cannot be stood in for
 * either: an event goes by the number that its descriptor has in the reader's table, and one that goes on
 * again would answer with a number that is another event's by then. So it is ended, and what follows is what
 * follows any death.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* How often to look; ended is what was stopped twice running. */
enum {
        WATCH_MSEC = 200
};

typedef struct AgentWatch {
        pid_t pid;
        int pidfd;    /* -1: none is watched */
        bool stopped; /* at the last look */
} AgentWatch;

/* Watch PID. Whether that is still whom the caller means is for it to know. */
void agent_watch_start(AgentWatch *watch, pid_t pid);
void agent_watch_end(AgentWatch *watch);

/* Look, and end it if it was stopped at the last look as well. Whether it has been ended. */
bool agent_watch_look(AgentWatch *watch);

/* Whether STAT, the text of a process's /proc/PID/stat, tells that it is stopped. */
bool stat_tells_stopped(const char *stat);
