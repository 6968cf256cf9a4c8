/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/operation.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "agent/gate/syscall.h"
#include "policy/scope.h"

enum {
        THREADS = 16,
        STACK_SIZE = 4096,
        SYSCALL_SIZE = 256,
        NAME_SIZE = 64,
        REST_MSEC = 100
};

typedef struct Thread {
        pid_t tid; /* 0: free */
        int syscall, stack;
        uint64_t used;
} Thread;

struct OperationReader {
        Thread threads[THREADS];
        uint64_t turn;
};

static void thread_close(Thread *thread) {
        if (thread->tid == 0)
                return;
        close(thread->syscall);
        close(thread->stack);
        *thread = (Thread){0};
}

static int open_file(pid_t tid, const char *name) {
        char path[NAME_SIZE];
        int fd;

        snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int thread_open(Thread *thread, pid_t tid) {
        CLEANUP_CLOSE int syscall = open_file(tid, "syscall");
        int stack;

        if (syscall < 0)
                return syscall;
        stack = open_file(tid, "stack");
        if (stack < 0)
                return stack;
        *thread = (Thread){.tid = tid, .syscall = STEAL_FD(syscall), .stack = stack};
        return 0;
}

/* Read a file from its start; a last newline is dropped. The length, or -errno. */
static ssize_t read_again(int fd, char *buffer, size_t size) {
        ssize_t n;

        do
                n = pread(fd, buffer, size - 1, 0);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if (n > 0 && buffer[n - 1] == '\n')
                n--;
        buffer[n] = '\0';
        return n;
}

/* A caller may not sleep yet, or be awake for a moment because another one of its gate was answered: then
 * its registers and stack cannot be read. It comes to rest by itself. Whether it is to be looked at again.
 */
static bool let_rest(const struct timespec *since) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        if ((now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000 >= REST_MSEC)
                return false;
        sched_yield();
        return true;
}

/* 0 and the operation, or -errno if the thread's files cannot be read. */
static int look(const Thread *thread, Operation *ret) {
        char text[STACK_SIZE], again[SYSCALL_SIZE];
        struct timespec since;
        ssize_t n;

        *ret = OPERATION_UNKNOWN;
        clock_gettime(CLOCK_MONOTONIC, &since);
        do {
                Operation operation;

                n = read_again(thread->syscall, text, SYSCALL_SIZE);
                if (n < 0)
                        return (int)n;
                if (syscall_is_running(text))
                        continue;
                operation = operation_from_syscall(text);
                if (operation != OPERATION_OPEN_READ) {
                        *ret = operation;
                        return 0;
                }
                n = read_again(thread->stack, text, sizeof(text));
                if (n < 0)
                        return (int)n;
                if (n == 0) /* it was awake again just then */
                        continue;
                if (stack_is_plain_open(text)) {
                        *ret = operation;
                        return 0;
                }
                /* another way to the file, or a stack that was read while the thread ran */
                n = read_again(thread->syscall, again, sizeof(again));
                if (n < 0)
                        return (int)n;
                if (!syscall_is_running(again))
                        return 0;
        } while (let_rest(&since));
        return 0;
}

/* The thread's place, or the one that was not used for longest. */
static Thread *find(OperationReader *reader, pid_t tid) {
        Thread *oldest = &reader->threads[0];

        for (size_t i = 0; i < ELEMENTS(reader->threads); i++) {
                if (reader->threads[i].tid == tid)
                        return &reader->threads[i];
                if (reader->threads[i].used < oldest->used)
                        oldest = &reader->threads[i];
        }
        return oldest;
}

static Operation read_once(pid_t tid) {
        Thread thread = {0};
        Operation operation = OPERATION_UNKNOWN;

        if (thread_open(&thread, tid) == 0)
                (void)look(&thread, &operation); /* a thread that is gone is no reader */
        thread_close(&thread);
        return operation;
}

Operation operation_read(OperationReader *reader, pid_t tid) {
        Operation operation = OPERATION_UNKNOWN;
        Thread *thread;

        if (!reader || tid <= 0)
                return read_once(tid);
        thread = find(reader, tid);
        if (thread->tid == tid && look(thread, &operation) == 0) {
                thread->used = ++reader->turn;
                return operation;
        }
        thread_close(thread);
        if (thread_open(thread, tid) < 0 || look(thread, &operation) < 0) {
                thread_close(thread);
                return OPERATION_UNKNOWN;
        }
        thread->used = ++reader->turn;
        return operation;
}

int operation_reader_new(OperationReader **ret) {
        OperationReader *reader = calloc(1, sizeof(*reader));

        if (!reader)
                return -ENOMEM;
        *ret = reader;
        return 0;
}

OperationReader *operation_reader_free(OperationReader *reader) {
        if (!reader)
                return NULL;
        for (size_t i = 0; i < ELEMENTS(reader->threads); i++)
                thread_close(&reader->threads[i]);
        free(reader);
        return NULL;
}
