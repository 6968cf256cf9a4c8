/* SPDX-License-Identifier: GPL-2.0-or-later */
/* helpers.c: what many attacks have in common. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "tests/attacks/attacks.h"

static Path join(const char *directory, const char *name) {
        Path path = {0};
        int n = snprintf(path.s, sizeof path.s, "%s/%s", directory, name);

        if (n < 0 || (size_t)n >= sizeof path.s)
                abort(); /* the volume's own paths are short: checked where they enter */
        return path;
}

Path at(const Attempt *a, const char *name) {
        Path directory = join(a->volume->mount, PLANTED), own = join(directory.s, a->attack->name);

        return join(own.s, name);
}

Path new_name(const Attempt *a) {
        return at(a, a->marker);
}

Path beside(const Attempt *a, const char *name) {
        return join(a->scratch, name);
}

Path proc_fd(int fd) {
        Path path = {0};

        snprintf(path.s, sizeof path.s, "/proc/self/fd/%d", fd);
        return path;
}

int sys(long r) {
        return r < 0 ? -errno : (int)r;
}

static int flush(int fd) {
        int r = sys(fsync(fd));

        return r == -EINVAL || r == -EBADF ? 0 : r; /* what has nothing to flush */
}

int smuggle(const Attempt *a, int fd_or_error) {
        CLEANUP_CLOSE int fd = fd_or_error;

        if (fd < 0)
                return fd;
        if (write(fd, a->marker, MARKER_LENGTH) < 0)
                return -errno;
        return flush(fd);
}

int smuggle_sector(const Attempt *a, int fd_or_error, int64_t offset) {
        CLEANUP_CLOSE int fd = fd_or_error;
        CLEANUP_FREE void *sector = aligned_alloc(4096, 4096);

        if (fd < 0)
                return fd;
        if (!sector)
                return -ENOMEM;
        if (offset < 0)
                return -ENXIO;
        fill_with_marker(a, sector, SECTOR);
        if (pwrite(fd, sector, SECTOR, offset) < 0)
                return -errno;
        return flush(fd);
}

int opened(int fd_or_error) {
        CLEANUP_CLOSE int fd = fd_or_error;

        return fd < 0 ? fd : flush(fd);
}

int open_read(const Attempt *a, const char *name) {
        return sys(open(at(a, name).s, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
}

int write_file(const Attempt *a, const char *name) {
        return smuggle(a, sys(open(at(a, name).s, O_WRONLY | O_CLOEXEC)));
}

int impossible(Attempt *a, const char *why) {
        snprintf(a->why, sizeof a->why, "%s", why);
        return IMPOSSIBLE;
}

int unless_unknown(Attempt *a, int r, const char *why) {
        return r == -ENOSYS || r == -EOPNOTSUPP || r == -ENOTTY ? impossible(a, why) : r;
}

void fill_with_marker(const Attempt *a, void *buffer, size_t size) {
        char *to = buffer;

        for (size_t i = 0; i < size; i++)
                to[i] = a->marker[i % MARKER_LENGTH];
}

int smuggle_much(const Attempt *a, int fd_or_error, size_t size) {
        CLEANUP_CLOSE int fd = fd_or_error;
        CLEANUP_FREE char *buffer = malloc(size);

        if (fd < 0)
                return fd;
        if (!buffer)
                return -ENOMEM;
        fill_with_marker(a, buffer, size);
        if (write(fd, buffer, size) < 0)
                return -errno;
        return flush(fd);
}

int marker_file(const Attempt *a, size_t size) {
        CLEANUP_CLOSE int fd =
                sys(open(beside(a, "marker").s, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        CLEANUP_FREE char *buffer = malloc(size);

        if (fd < 0)
                return fd;
        if (!buffer)
                return -ENOMEM;
        fill_with_marker(a, buffer, size);
        if (write(fd, buffer, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) < 0)
                return -EIO;
        return STEAL_FD(fd);
}

int in_child(Attempt *a, int (*function)(Attempt *a)) {
        int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), r;
        pid_t pid;

        if (shared == MAP_FAILED)
                return -errno;
        *shared = -ECHILD;
        pid = fork();
        if (pid == 0) {
                *shared = function(a);
                _exit(0);
        }
        r = pid < 0 ? -errno : 0;
        if (pid > 0 && waitpid(pid, NULL, 0) < 0)
                r = -errno;
        if (r == 0)
                r = *shared;
        munmap(shared, 4096);
        return r;
}
