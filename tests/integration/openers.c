/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * openers: opens a file in one of the many ways that the kernel knows, and says what came of it; or opens
 * files in a hurry until it is told to stop. For the integration tests; never installed.
 *
 *   open WAY PATH [TEXT]   prints "opened" (TEXT was written) or the errno's name; exit 0 if opened, 1 if
 *                          refused, 77 if this kernel does not know the way
 *   ways                   lists the ways and whether each is a "read" or a "write"
 *   hammer PATH [COUNT]    opens PATH for reading and for writing by turns, COUNT times or until its input
 *                          ends; prints "started", then "opened=N EPERM=N other=N"
 *   write-on-lines PATH    opens PATH for writing, prints "opened"; for each line of input writes and fsyncs
 *                          it and prints "written" or the errno's name
 *   map-on-lines PATH      the same through a shared mapping of the first page, with no descriptor open
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
        EXIT_REFUSED = 1,
        EXIT_USAGE = 2,
        EXIT_UNKNOWN_WAY = 77,
        NEW_MODE = 0666
};

/* A way returns a descriptor or -errno. */
typedef int (*Way)(const char *path);

static int result(long r) {
        return r < 0 ? -errno : (int)r;
}

static int way_read(const char *path) {
        return result(open(path, O_RDONLY | O_CLOEXEC));
}

static int way_read_open_call(const char *path) {
        return result(syscall(SYS_open, path, O_RDONLY | O_CLOEXEC));
}

static int way_write(const char *path) {
        return result(open(path, O_WRONLY | O_CLOEXEC));
}

static int way_read_write(const char *path) {
        return result(open(path, O_RDWR | O_CLOEXEC));
}

static int way_append(const char *path) {
        return result(open(path, O_WRONLY | O_APPEND | O_CLOEXEC));
}

static int way_read_truncate(const char *path) {
        return result(open(path, O_RDONLY | O_TRUNC | O_CLOEXEC));
}

static int way_truncate(const char *path) {
        return result(open(path, O_WRONLY | O_TRUNC | O_CLOEXEC));
}

static int way_open_call(const char *path) {
        return result(syscall(SYS_open, path, O_WRONLY | O_CLOEXEC));
}

static int way_access_mode_3(const char *path) {
        return result(open(path, O_ACCMODE | O_CLOEXEC)); /* "for ioctl only", but it asks for both rights */
}

static int way_direct(const char *path) {
        return result(open(path, O_WRONLY | O_DIRECT | O_CLOEXEC));
}

static int way_create(const char *path) {
        return result(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, NEW_MODE));
}

static int way_create_exclusively(const char *path) {
        char other[4096];

        if ((size_t)snprintf(other, sizeof(other), "%s.%d", path, (int)getpid()) >= sizeof(other))
                return -ENAMETOOLONG;
        return result(open(other, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, NEW_MODE));
}

static int way_creat(const char *path) {
        return result(creat(path, NEW_MODE));
}

static int way_creat_call(const char *path) {
        return result(syscall(SYS_creat, path, NEW_MODE));
}

static int way_unnamed(const char *path) {
        char directory[4096];
        char *slash;

        snprintf(directory, sizeof(directory), "%s", path);
        slash = strrchr(directory, '/');
        if (!slash)
                return -EINVAL;
        *slash = '\0';
        return result(open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, NEW_MODE));
}

static int open_openat2(const char *path, uint64_t flags) {
        struct open_how how = {.flags = flags};

        return result(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)));
}

static int way_openat2(const char *path) {
        return open_openat2(path, O_WRONLY | O_CLOEXEC);
}

static int way_openat2_truncate(const char *path) {
        return open_openat2(path, O_RDONLY | O_TRUNC | O_CLOEXEC);
}

/* The system call's arguments lie where a reader of registers finds them only if it looks at the right ones.
 */
static int way_below_directory(const char *path) {
        char directory[4096];
        char *slash;
        int fd, r;

        snprintf(directory, sizeof(directory), "%s", path);
        slash = strrchr(directory, '/');
        if (!slash)
                return -EINVAL;
        *slash = '\0';
        fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = result(openat(fd, slash + 1, O_RDWR | O_CLOEXEC));
        close(fd);
        return r;
}

static int way_reopen(const char *path) {
        char name[64];
        int fd = open(path, O_RDONLY | O_CLOEXEC), r;

        if (fd < 0)
                return -errno;
        snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
        r = result(open(name, O_WRONLY | O_CLOEXEC));
        close(fd);
        return r;
}

static int way_handle(const char *path) {
        struct {
                struct file_handle head;
                unsigned char bytes[MAX_HANDLE_SZ];
        } handle = {.head.handle_bytes = MAX_HANDLE_SZ};
        int mount_id, fd, r;

        if (name_to_handle_at(AT_FDCWD, path, &handle.head, &mount_id, 0) < 0)
                return -errno;
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = result(open_by_handle_at(fd, &handle.head, O_WRONLY | O_CLOEXEC));
        close(fd);
        return r;
}

/* One io_uring request without liburing. Source: io_uring_setup(2). */
static int submit(const struct io_uring_sqe *request) {
        struct io_uring_params params = {0};
        struct io_uring_sqe *requests;
        struct io_uring_cqe *completion;
        char *rings;
        int ring = (int)syscall(SYS_io_uring_setup, 1, &params), r;

        if (ring < 0)
                return errno == EPERM ? -ENOSYS : -errno; /* EPERM: kernel.io_uring_disabled */
        rings = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof(*completion),
                     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
        requests = mmap(NULL, params.sq_entries * sizeof(*requests), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
        if (rings == MAP_FAILED || requests == MAP_FAILED || !(params.features & IORING_FEAT_SINGLE_MMAP))
                return -ENOSYS;
        requests[0] = *request;
        ((uint32_t *)(rings + params.sq_off.array))[0] = 0;
        __atomic_store_n((uint32_t *)(rings + params.sq_off.tail), 1, __ATOMIC_RELEASE);
        do
                r = (int)syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return -errno;
        completion = (struct io_uring_cqe *)(rings + params.cq_off.cqes);
        return completion->res;
}

static int way_uring(const char *path) {
        return submit(&(struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
                                             .fd = AT_FDCWD,
                                             .addr = (uintptr_t)path,
                                             .open_flags = O_WRONLY | O_CLOEXEC});
}

/* The same, but opened by a kernel worker and not by the caller's own thread. */
static int way_uring_worker(const char *path) {
        return submit(&(struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
                                             .flags = IOSQE_ASYNC,
                                             .fd = AT_FDCWD,
                                             .addr = (uintptr_t)path,
                                             .open_flags = O_WRONLY | O_CLOEXEC});
}

static int way_uring_openat2(const char *path) {
        struct open_how how = {.flags = O_RDWR | O_CLOEXEC};

        return submit(&(struct io_uring_sqe){.opcode = IORING_OP_OPENAT2,
                                             .fd = AT_FDCWD,
                                             .addr = (uintptr_t)path,
                                             .len = sizeof(how),
                                             .off = (uintptr_t)&how});
}

#ifdef __x86_64__
/* open(2) as a 32-bit program calls it: number 5 is fstat to a reader that takes it for a 64-bit call. */
static int open_32bit(const char *path, int flags) {
        char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
        long r;

        if (low == MAP_FAILED)
                return -errno;
        snprintf(low, 4096, "%s", path);
        __asm__ volatile("int $0x80" : "=a"(r) : "0"(5L), "b"(low), "c"((long)flags), "d"(0L) : "memory");
        return (int)r;
}
#else
static int open_32bit(const char *path, int flags) {
        (void)path;
        (void)flags;
        return -ENOSYS;
}
#endif

static int way_32bit(const char *path) {
        return open_32bit(path, O_WRONLY);
}

static const struct {
        const char *name;
        Way way;
        bool writes;
} ways[] = {
        {"read", way_read, false},
        {"read-by-open-call", way_read_open_call, false},
        {"write", way_write, true},
        {"write-by-open-call", way_open_call, true},
        {"read-write", way_read_write, true},
        {"append", way_append, true},
        {"access-mode-3", way_access_mode_3, true},
        {"read-truncate", way_read_truncate, true},
        {"truncate", way_truncate, true},
        {"direct", way_direct, true},
        {"create", way_create, true},
        {"create-exclusively", way_create_exclusively, true},
        {"creat", way_creat, true},
        {"creat-call", way_creat_call, true},
        {"unnamed", way_unnamed, true},
        {"openat2", way_openat2, true},
        {"openat2-truncate", way_openat2_truncate, true},
        {"below-directory", way_below_directory, true},
        {"reopen", way_reopen, true},
        {"handle", way_handle, true},
        {"uring", way_uring, true},
        {"uring-worker", way_uring_worker, true},
        {"uring-openat2", way_uring_openat2, true},
        {"32-bit", way_32bit, true},
};

static int list_ways(void) {
        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
                printf("%s %s\n", ways[i].name, ways[i].writes ? "write" : "read");
        return EXIT_SUCCESS;
}

static int open_in_way(const char *name, const char *path, const char *text) {
        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
                int fd;

                if (strcmp(ways[i].name, name) != 0)
                        continue;
                fd = ways[i].way(path);
                if (fd >= 0 && text && (write(fd, text, strlen(text)) < 0 || fsync(fd) < 0))
                        fd = -errno;
                puts(fd >= 0 ? "opened" : strerrorname_np(-fd));
                if (fd == -ENOSYS)
                        return EXIT_UNKNOWN_WAY;
                return fd >= 0 ? EXIT_SUCCESS : EXIT_REFUSED;
        }
        return EXIT_USAGE;
}

static bool input_ended(void) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

        return poll(&input, 1, 0) > 0;
}

/* COUNT 0: until the input ends. */
static int hammer(const char *path, unsigned long count) {
        unsigned long opened = 0, eperm = 0, other = 0;

        for (unsigned long i = 0; count ? i < count : !input_ended(); i++) {
                int fd = open(path, (i & 1 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);

                if (fd >= 0) {
                        opened++;
                        close(fd);
                } else if (errno == EPERM)
                        eperm++;
                else
                        other++;
                if (i == 9) {
                        puts("started");
                        fflush(stdout);
                }
        }
        printf("opened=%lu EPERM=%lu other=%lu\n", opened, eperm, other);
        return EXIT_SUCCESS;
}

static int write_on_lines(const char *path) {
        int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        char line[4096];

        puts(fd >= 0 ? "opened" : strerrorname_np(errno));
        fflush(stdout);
        while (fd >= 0 && fgets(line, sizeof(line), stdin)) {
                bool written = write(fd, line, strlen(line)) == (ssize_t)strlen(line) && fsync(fd) == 0;

                puts(written ? "written" : strerrorname_np(errno));
                fflush(stdout);
        }
        return fd >= 0 ? EXIT_SUCCESS : EXIT_REFUSED;
}

static int map_on_lines(const char *path) {
        enum {
                PAGE = 4096
        };
        int fd = open(path, O_RDWR | O_CLOEXEC);
        char line[PAGE], *page;

        if (fd < 0 || ftruncate(fd, PAGE) < 0)
                return EXIT_REFUSED;
        page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        close(fd);
        if (page == MAP_FAILED)
                return EXIT_REFUSED;
        puts("opened");
        fflush(stdout);
        while (fgets(line, sizeof(line), stdin)) {
                memcpy(page, line, strlen(line)); /* SIGBUS where the page cannot be had any more */
                puts(msync(page, PAGE, MS_SYNC) == 0 ? "written" : strerrorname_np(errno));
                fflush(stdout);
        }
        return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
        if (argc == 2 && strcmp(argv[1], "ways") == 0)
                return list_ways();
        if ((argc == 4 || argc == 5) && strcmp(argv[1], "open") == 0)
                return open_in_way(argv[2], argv[3], argv[4]);
        if ((argc == 3 || argc == 4) && strcmp(argv[1], "hammer") == 0)
                return hammer(argv[2], argc == 4 ? strtoul(argv[3], NULL, 10) : 0);
        if (argc == 3 && strcmp(argv[1], "write-on-lines") == 0)
                return write_on_lines(argv[2]);
        if (argc == 3 && strcmp(argv[1], "map-on-lines") == 0)
                return map_on_lines(argv[2]);
        fputs("usage: see openers.c\n", stderr);
        return EXIT_USAGE;
}
