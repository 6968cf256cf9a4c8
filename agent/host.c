/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/host.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/scope.h"

#define HOST_NAMESPACE "/proc/1/ns/mnt"

bool host_is_elsewhere(void) {
        struct stat host, own;

        return stat(HOST_NAMESPACE, &host) == 0 && stat("/proc/self/ns/mnt", &own) == 0 &&
               (host.st_dev != own.st_dev || host.st_ino != own.st_ino);
}

bool host_can_be_seen(void) {
        struct stat host;

        return stat(HOST_NAMESPACE, &host) == 0;
}

const char *host_mountinfo(void) {
        return host_is_elsewhere() ? "/proc/1/mountinfo" : "/proc/self/mountinfo";
}

int host_open_below(const char *root, const char *path, int flags) {
        CLEANUP_CLOSE int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int fd;

        if (root_fd < 0)
                return -errno;
        path += strspn(path, "/");
        fd = openat(root_fd, *path ? path : ".", flags | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int host_open(const char *path, int flags) {
        return host_open_below(host_is_elsewhere() ? "/proc/1/root" : "/", path, flags);
}

dev_t host_block_device(const char *path) {
        CLEANUP_CLOSE int fd = -1;
        struct stat st;
        int r;

        if (path[0] != '/')
                return 0;
        if (host_is_elsewhere()) {
                fd = host_open(path, O_PATH);
                r = fd < 0 ? fd : fstat(fd, &st);
        } else
                r = stat(path, &st);
        return r == 0 && S_ISBLK(st.st_mode) ? st.st_rdev : 0;
}

static void detach(const char *const *points, size_t n) {
        while (n-- > 0)
                (void)umount2(points[n], MNT_DETACH | UMOUNT_NOFOLLOW);
}

/* In the child: calls that are safe after a fork beside other threads, and no others. */
static _Noreturn void detach_there(int namespace, const char *const *points, size_t n) {
        if (setns(namespace, CLONE_NEWNS) < 0)
                _exit(errno);
        detach(points, n);
        _exit(0);
}

int host_detach(const char *const *points, size_t n) {
        CLEANUP_CLOSE int namespace = -1;
        pid_t child;
        int status;

        if (!host_is_elsewhere()) {
                detach(points, n);
                return 0;
        }
        namespace = open(HOST_NAMESPACE, O_RDONLY | O_CLOEXEC);
        if (namespace < 0)
                return -errno;
        child = fork();
        if (child < 0)
                return -errno;
        if (child == 0)
                detach_there(namespace, points, n);
        while (waitpid(child, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}
