/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keeper/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "policy/scope.h"

enum {
        STEP_MSEC = 10
};

int keeper_lock(const char *runtime_dir, int msec) {
        CLEANUP_CLOSE int fd = -1;
        char path[PATH_MAX];

        if ((size_t)snprintf(path, sizeof(path), "%s/keeper.lock", runtime_dir) >= sizeof(path))
                return -ENAMETOOLONG;
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return -errno;
        /* no way to wait for a lock with a deadline but to ask again */
        for (; flock(fd, LOCK_EX | LOCK_NB) < 0; msec -= STEP_MSEC) {
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return -errno;
                if (msec <= 0)
                        return -EWOULDBLOCK;
                (void)poll(NULL, 0, STEP_MSEC);
        }
        return STEAL_FD(fd);
}

void keeper_unlock(int fd) {
        if (fd >= 0)
                close(fd);
}
