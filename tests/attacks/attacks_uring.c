/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attacks_uring.c: the same through io_uring, where the caller's registers tell nothing. Raw system calls.
 */
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tests/attacks/attacks.h"

enum {
        ENTRIES = 4,
        TRIES = 400,
        WORKERS = 50
};

typedef struct Ring {
        int fd;
        struct io_uring_params p;
        char *queues;
        struct io_uring_sqe *sqes;
} Ring;

static void ring_close(const Ring *ring) {
        if (ring->fd >= 0)
                close(ring->fd);
}

static int ring_open(Ring *ring, unsigned flags) {
        size_t size;

        ring->p = (struct io_uring_params){.flags = flags, .sq_thread_idle = 100};
        ring->fd = sys(syscall(SYS_io_uring_setup, ENTRIES, &ring->p));
        if (ring->fd < 0)
                return ring->fd;
        if (!(ring->p.features & IORING_FEAT_SINGLE_MMAP))
                return -ENOSYS;
        size = ring->p.cq_off.cqes + ring->p.cq_entries * sizeof(struct io_uring_cqe);
        if (size < ring->p.sq_off.array + ring->p.sq_entries * sizeof(unsigned))
                size = ring->p.sq_off.array + ring->p.sq_entries * sizeof(unsigned);
        ring->queues = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
        ring->sqes = mmap(NULL, ring->p.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE,
                          MAP_SHARED, ring->fd, IORING_OFF_SQES);
        return ring->queues == MAP_FAILED || ring->sqes == MAP_FAILED ? -errno : 0;
}

static unsigned *ring_word(const Ring *ring, unsigned offset) {
        return (unsigned *)(void *)(ring->queues + offset);
}

/* Submits one entry and waits for what comes of it. */
static int ring_do(const Ring *ring, struct io_uring_sqe sqe) {
        unsigned tail = *ring_word(ring, ring->p.sq_off.tail),
                 mask = *ring_word(ring, ring->p.sq_off.ring_mask),
                 head = *ring_word(ring, ring->p.cq_off.head), flags = IORING_ENTER_GETEVENTS;
        const struct io_uring_cqe *cqe;

        ring->sqes[tail & mask] = sqe;
        ring_word(ring, ring->p.sq_off.array)[tail & mask] = tail & mask;
        __atomic_store_n(ring_word(ring, ring->p.sq_off.tail), tail + 1, __ATOMIC_SEQ_CST);
        if (ring->p.flags & IORING_SETUP_SQPOLL)
                flags |= IORING_ENTER_SQ_WAKEUP;
        if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, flags, NULL, 0) < 0)
                return -errno;
        if (head == __atomic_load_n(ring_word(ring, ring->p.cq_off.tail), __ATOMIC_ACQUIRE))
                return -EAGAIN;
        cqe = (const struct io_uring_cqe *)(const void *)(ring->queues + ring->p.cq_off.cqes);
        cqe += head & *ring_word(ring, ring->p.cq_off.ring_mask);
        head++;
        __atomic_store_n(ring_word(ring, ring->p.cq_off.head), head, __ATOMIC_RELEASE);
        return cqe->res;
}

/* One entry in a ring of its own. An opcode that the kernel does not know is EINVAL, as is much else: so
 * only what kernels before 6.1 do not have may call that impossible. */
static int once(Attempt *a, struct io_uring_sqe sqe, unsigned flags) {
        CLEANUP(ring_close) Ring ring = {.fd = -1};
        int r = ring_open(&ring, flags);

        if (r < 0)
                return r == -ENOSYS || (r == -EPERM &&
                                        access("/proc/sys/kernel/io_uring_disabled", F_OK) == 0 &&
                                        flags == 0)
                               ? impossible(a, "this kernel gives nobody a ring")
                               : r;
        return ring_do(&ring, sqe);
}

static struct io_uring_sqe opening(const char *path, int flags) {
        return (struct io_uring_sqe){.opcode = IORING_OP_OPENAT,
                                     .fd = AT_FDCWD,
                                     .addr = (uintptr_t)path,
                                     .len = 0600,
                                     .open_flags = (unsigned)flags};
}

static int attack_openat(Attempt *a) {
        Path path = at(a, "file");

        return smuggle(a, once(a, opening(path.s, O_WRONLY), 0));
}

static int attack_create(Attempt *a) {
        Path path = new_name(a);

        return smuggle(a, once(a, opening(path.s, O_WRONLY | O_CREAT), 0));
}

static int attack_truncate(Attempt *a) {
        Path path = at(a, "file");

        return opened(once(a, opening(path.s, O_WRONLY | O_TRUNC), 0));
}

/* By one of the kernel's own workers. */
static int attack_openat_worker(Attempt *a) {
        Path path = at(a, "file");
        struct io_uring_sqe sqe = opening(path.s, O_WRONLY);

        sqe.flags = IOSQE_ASYNC;
        return smuggle(a, once(a, sqe, 0));
}

/* By a thread of the kernel that polls the queue. */
static int attack_openat_poller(Attempt *a) {
        Path path = at(a, "file");

        return smuggle(a, once(a, opening(path.s, O_WRONLY), IORING_SETUP_SQPOLL));
}

static int attack_openat2(Attempt *a) {
        Path path = at(a, "file");
        struct open_how how = {.flags = O_WRONLY};
        struct io_uring_sqe sqe = {.opcode = IORING_OP_OPENAT2,
                                   .fd = AT_FDCWD,
                                   .addr = (uintptr_t)path.s,
                                   .len = sizeof how,
                                   .off = (uintptr_t)&how};

        return smuggle(a, once(a, sqe, 0));
}

/* Opened into a slot of the ring and written there: no descriptor of the process ever has it. */
static int attack_fixed_slot(Attempt *a) {
        CLEANUP(ring_close) Ring ring = {.fd = -1};
        Path path = at(a, "file");
        struct io_uring_sqe open_sqe = opening(path.s, O_WRONLY);
        struct io_uring_sqe write_sqe = {.opcode = IORING_OP_WRITE,
                                         .flags = IOSQE_FIXED_FILE,
                                         .addr = (uintptr_t)a->marker,
                                         .len = MARKER_LENGTH};
        struct io_uring_sqe sync_sqe = {.opcode = IORING_OP_FSYNC, .flags = IOSQE_FIXED_FILE};
        int r = ring_open(&ring, 0), slot = -1;

        if (r < 0)
                return once(a, open_sqe, 0);
        if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, &slot, 1) < 0)
                return -errno;
        open_sqe.file_index = 1;
        if ((r = ring_do(&ring, open_sqe)) < 0 || (r = ring_do(&ring, write_sqe)) < 0)
                return r;
        return ring_do(&ring, sync_sqe);
}

/* A call with two paths. The second is in `off`, and the rest where each has it. */
static int two_paths(Attempt *a, uint8_t opcode, const char *first, const char *second) {
        struct io_uring_sqe sqe = {.opcode = opcode,
                                   .fd = AT_FDCWD,
                                   .addr = (uintptr_t)first,
                                   .off = (uintptr_t)second,
                                   .len = opcode == IORING_OP_SYMLINKAT ? 0 : (uint32_t)AT_FDCWD};

        return once(a, sqe, 0);
}

static int attack_symlink(Attempt *a) {
        Path path = new_name(a);

        return two_paths(a, IORING_OP_SYMLINKAT, a->marker, path.s);
}

static int attack_link(Attempt *a) {
        Path from = at(a, "file"), to = new_name(a);

        return two_paths(a, IORING_OP_LINKAT, from.s, to.s);
}

static int attack_rename(Attempt *a) {
        Path from = at(a, "file"), to = new_name(a);

        return two_paths(a, IORING_OP_RENAMEAT, from.s, to.s);
}

static int one_path(Attempt *a, uint8_t opcode, const char *path, uint32_t length, uint32_t flags) {
        struct io_uring_sqe sqe = {.opcode = opcode,
                                   .fd = AT_FDCWD,
                                   .addr = (uintptr_t)path,
                                   .len = length,
                                   .unlink_flags = flags};

        return once(a, sqe, 0);
}

static int attack_mkdir(Attempt *a) {
        Path path = new_name(a);

        return one_path(a, IORING_OP_MKDIRAT, path.s, 0700, 0);
}

static int attack_unlink(Attempt *a) {
        Path path = at(a, "file");

        return one_path(a, IORING_OP_UNLINKAT, path.s, 0, 0);
}

static int attack_rmdir(Attempt *a) {
        Path path = at(a, "empty");

        return one_path(a, IORING_OP_UNLINKAT, path.s, 0, AT_REMOVEDIR);
}

static int attack_setxattr(Attempt *a) {
        Path path = at(a, "file");
        struct io_uring_sqe sqe = {.opcode = IORING_OP_SETXATTR,
                                   .addr = (uintptr_t) "user.smuggled",
                                   .addr2 = (uintptr_t)a->marker,
                                   .addr3 = (uintptr_t)path.s,
                                   .len = MARKER_LENGTH};

        return once(a, sqe, 0);
}

static int attack_fsetxattr(Attempt *a) {
        CLEANUP_CLOSE int fd = open_read(a, "file");
        struct io_uring_sqe sqe = {.opcode = IORING_OP_FSETXATTR,
                                   .fd = fd,
                                   .addr = (uintptr_t) "user.smuggled",
                                   .addr2 = (uintptr_t)a->marker,
                                   .len = MARKER_LENGTH};

        return fd < 0 ? fd : once(a, sqe, 0);
}

static int attack_write_opened_elsewhere(Attempt *a) {
        CLEANUP_CLOSE int fd = sys(open(at(a, "file").s, O_WRONLY | O_CLOEXEC));
        struct io_uring_sqe sqe = {
                .opcode = IORING_OP_WRITE, .fd = fd, .addr = (uintptr_t)a->marker, .len = MARKER_LENGTH};
        int r = fd < 0 ? fd : once(a, sqe, 0);

        return r < 0 ? r : opened(STEAL_FD(fd));
}

typedef struct Waker {
        int fd; /* a pipe's end */
        bool done;
} Waker;

static void *wake(void *userdata) {
        Waker *waker = userdata;

        while (!__atomic_load_n(&waker->done, __ATOMIC_ACQUIRE)) {
                (void)!write(waker->fd, "", 1);
                sched_yield();
        }
        return NULL;
}

static void put(const Ring *ring, const struct io_uring_sqe *entries, unsigned n) {
        unsigned tail = *ring_word(ring, ring->p.sq_off.tail),
                 mask = *ring_word(ring, ring->p.sq_off.ring_mask);

        for (unsigned i = 0; i < n; i++) {
                ring->sqes[(tail + i) & mask] = entries[i];
                ring_word(ring, ring->p.sq_off.array)[(tail + i) & mask] = (tail + i) & mask;
        }
        __atomic_store_n(ring_word(ring, ring->p.sq_off.tail), tail + n, __ATOMIC_SEQ_CST);
}

/* What became of the second of two entries, while the caller makes attempts to mount; the ring is left
 * empty. */
static int mount_meanwhile(const Ring *ring) {
        const struct io_uring_cqe *cqes =
                (const struct io_uring_cqe *)(const void *)(ring->queues + ring->p.cq_off.cqes);
        unsigned *head = ring_word(ring, ring->p.cq_off.head),
                 mask = *ring_word(ring, ring->p.cq_off.ring_mask);

        while (__atomic_load_n(ring_word(ring, ring->p.cq_off.tail), __ATOMIC_ACQUIRE) - *head < 2)
                (void)mount("none", "/proc/self/none", "none", 0, NULL);
        __atomic_store_n(head, *head + 2, __ATOMIC_RELEASE);
        return cqes[(*head - 1) & mask].res;
}

/* A node for reading, opened on the way back from mount(2): a guard that lets mounting through takes it for
 * that. Such a descriptor is enough to take the read-only flag away. */
static int open_while_mounting(const Attempt *a, const Ring *ring, int pipe_end) {
        const struct io_uring_sqe wait = {.opcode = IORING_OP_POLL_ADD,
                                          .flags = IOSQE_IO_LINK,
                                          .fd = pipe_end,
                                          .poll32_events = POLLIN};
        const struct io_uring_sqe entries[] = {wait, opening(a->volume->node, O_RDONLY | O_NONBLOCK)};
        char drained[PIPE_BUF];
        int r = -EPERM;

        for (int i = 0; i < TRIES && r < 0; i++) {
                (void)!read(pipe_end, drained, sizeof drained);
                put(ring, entries, ELEMENTS(entries));
                if (syscall(SYS_io_uring_enter, ring->fd, ELEMENTS(entries), 0, 0, NULL, 0) < 0)
                        return -errno;
                r = mount_meanwhile(ring);
        }
        return r;
}

static int attack_release(Attempt *a) {
        CLEANUP(ring_close) Ring ring = {.fd = -1};
        CLEANUP_CLOSE int fd = -1;
        Waker waker = {0};
        pthread_t thread;
        int ends[2], flag = 0, r = ring_open(&ring, 0);

        if (r < 0)
                return r == -ENOSYS || r == -EPERM ? impossible(a, "this kernel gives nobody a ring") : r;
        if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        waker.fd = ends[1];
        r = -pthread_create(&thread, NULL, wake, &waker);
        if (r == 0) {
                r = fd = open_while_mounting(a, &ring, ends[0]);
                __atomic_store_n(&waker.done, true, __ATOMIC_RELEASE);
                pthread_join(thread, NULL);
        }
        close(ends[0]);
        close(ends[1]);
        return r < 0 ? r : sys(ioctl(fd, BLKROSET, &flag));
}

typedef struct Worker {
        const Attempt *attempt;
        const char *fifo; /* that nobody writes to */
        int result;
} Worker;

/* The first entry has its worker wait, so that the kernel makes another one for the second when the caller
 * comes back from a system call. That one has the caller's registers for as long as it lives. */
static void *open_by_worker(void *userdata) {
        Worker *worker = userdata;
        CLEANUP(ring_close) Ring ring = {.fd = -1};
        struct io_uring_sqe entries[] = {opening(worker->fifo, O_RDONLY),
                                         opening(worker->attempt->volume->node, O_RDONLY | O_NONBLOCK)};
        const unsigned *head;

        worker->result = ring_open(&ring, 0);
        if (worker->result < 0)
                return NULL;
        for (size_t i = 0; i < ELEMENTS(entries); i++)
                entries[i].flags = IOSQE_ASYNC;
        put(&ring, entries, ELEMENTS(entries));
        if (syscall(SYS_io_uring_enter, ring.fd, ELEMENTS(entries), 0, 0, NULL, 0) < 0) {
                worker->result = -errno;
                return NULL;
        }
        head = ring_word(&ring, ring.p.cq_off.head);
        while (__atomic_load_n(ring_word(&ring, ring.p.cq_off.tail), __ATOMIC_ACQUIRE) == *head)
                (void)mount("none", "/proc/self/none", "none", 0, NULL);
        worker->result =
                ((const struct io_uring_cqe *)(const void *)(ring.queues + ring.p.cq_off.cqes))->res;
        return NULL;
}

static int attack_release_by_worker(Attempt *a) {
        CLEANUP_CLOSE int fd = -1;
        Worker worker = {.attempt = a};
        char fifo[PATH_MAX];
        int flag = 0, r = -EPERM;

        (void)snprintf(fifo, sizeof(fifo), "%s/fifo", a->volume->scratch);
        worker.fifo = fifo;
        if (mkfifo(fifo, 0600) < 0)
                return -errno;
        for (int i = 0; i < WORKERS && r == -EPERM; i++) { /* each thread has workers of its own */
                pthread_t thread;
                int other_end;

                r = -pthread_create(&thread, NULL, open_by_worker, &worker);
                if (r < 0)
                        break;
                pthread_join(thread, NULL);
                other_end = open(fifo, O_WRONLY | O_NONBLOCK); /* lets go of whoever waits still */
                if (other_end >= 0)
                        close(other_end);
                r = worker.result;
        }
        unlink(fifo);
        if (r == -ENOSYS)
                return impossible(a, "this kernel gives nobody a ring");
        fd = r;
        return r < 0 ? r : sys(ioctl(fd, BLKROSET, &flag));
}

static const Attack list[] = {
        {"release-by-ring", NEEDS_ROOT | NEEDS_NODE | LEAVES_NO_TRACE, NULL, attack_release},
        {"release-by-worker", NEEDS_ROOT | NEEDS_NODE | LEAVES_NO_TRACE, NULL, attack_release_by_worker},
        {"uring-openat", 0, NULL, attack_openat},
        {"uring-create", 0, NULL, attack_create},
        {"uring-truncate-open", 0, NULL, attack_truncate},
        {"uring-openat-worker", 0, NULL, attack_openat_worker},
        {"uring-openat-poller", 0, NULL, attack_openat_poller},
        {"uring-openat2", 0, NULL, attack_openat2},
        {"uring-fixed-slot", 0, NULL, attack_fixed_slot},
        {"uring-write", 0, NULL, attack_write_opened_elsewhere},
        {"uring-mkdir", 0, NULL, attack_mkdir},
        {"uring-symlink", 0, NULL, attack_symlink},
        {"uring-link", 0, NULL, attack_link},
        {"uring-rename", 0, NULL, attack_rename},
        {"uring-unlink", 0, NULL, attack_unlink},
        {"uring-rmdir", 0, NULL, attack_rmdir},
        {"uring-setxattr", 0, NULL, attack_setxattr},
        {"uring-fsetxattr", 0, NULL, attack_fsetxattr},
};
ATTACK_TABLE(attacks_uring, list);
