/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attacks_race.c: whoever reads a blocked opener's registers or memory is to be shown something else. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/attacks/attacks.h"

enum {
        RACE_MILLISECONDS = 300,
        THREADS = 4
};

static int64_t now_ms(void) {
        struct timespec t;

        clock_gettime(CLOCK_MONOTONIC, &t);
        return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A structure that a thread changes while the kernel, and whoever looks, reads it. */
typedef struct Race {
        struct open_how how;
        const char *path;
        const Attempt *attempt;
        int end, result;
} Race;

static void *change_flags(void *arg) {
        Race *race = arg;

        while (!__atomic_load_n(&race->end, __ATOMIC_RELAXED)) {
                __atomic_store_n(&race->how.flags, O_RDONLY, __ATOMIC_SEQ_CST);
                __atomic_store_n(&race->how.flags, O_WRONLY, __ATOMIC_SEQ_CST);
        }
        return NULL;
}

static int attack_openat2_structure(Attempt *a) {
        Path path = at(a, "file");
        Race race = {.path = path.s, .attempt = a};
        int64_t until = now_ms() + RACE_MILLISECONDS;
        pthread_t thread;
        int r = -EACCES;

        if (pthread_create(&thread, NULL, change_flags, &race) != 0)
                return -EAGAIN;
        while (r < 0 && now_ms() < until) {
                int fd = sys(syscall(SYS_openat2, AT_FDCWD, path.s, &race.how, sizeof race.how));
                int s = smuggle(a, fd);

                r = s == -EBADF ? r : s; /* a reader, this time */
        }
        __atomic_store_n(&race.end, 1, __ATOMIC_RELAXED);
        pthread_join(thread, NULL);
        return r;
}

/* Some threads read, one writes: whoever mistakes one for the other lets it through. */
static void *read_always(void *arg) {
        Race *race = arg;

        while (!__atomic_load_n(&race->end, __ATOMIC_RELAXED)) {
                CLEANUP_CLOSE int fd = open(race->path, O_RDONLY | O_CLOEXEC);

                (void)fd;
        }
        return NULL;
}

static int attack_among_readers(Attempt *a) {
        Path path = at(a, "file");
        Race race = {.path = path.s, .attempt = a};
        int64_t until = now_ms() + RACE_MILLISECONDS;
        pthread_t threads[THREADS];
        size_t n = 0;
        int r = -EAGAIN;

        while (n < THREADS && pthread_create(&threads[n], NULL, read_always, &race) == 0)
                n++;
        do {
                r = write_file(a, "file");
        } while (r < 0 && now_ms() < until);
        __atomic_store_n(&race.end, 1, __ATOMIC_RELAXED);
        while (n > 0)
                pthread_join(threads[--n], NULL);
        return r;
}

/* The thread that the process is named by is gone; another opens. */
static void *write_later(void *arg) {
        Race *race = arg;
        int64_t until = now_ms() + RACE_MILLISECONDS;

        while (now_ms() < until) { /* until the leader is a zombie */
                CLEANUP_FILE FILE *stat = fopen("/proc/self/stat", "re");
                char letter = 0;

                if (stat && fscanf(stat, "%*d (%*[^)]) %c", &letter) == 1 && letter == 'Z')
                        break;
        }
        _exit(-write_file(race->attempt, "file"));
}

static int attack_without_leader(Attempt *a) {
        Race race = {.attempt = a};
        pthread_t thread;
        pid_t pid = fork();
        int status;

        if (pid == 0) {
                if (pthread_create(&thread, NULL, write_later, &race) != 0)
                        _exit(EAGAIN);
                syscall(SYS_exit, 0); /* this thread alone */
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0)
                return -errno;
        return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

/* The opener dies while it waits for an answer: what is let through then must not stay. */
static int attack_killed_opener(Attempt *a) {
        int64_t until = now_ms() + RACE_MILLISECONDS;
        int status;

        while (now_ms() < until) {
                pid_t pid = fork();

                if (pid == 0) {
                        alarm(1);
                        _exit(-write_file(a, "file"));
                }
                if (pid < 0)
                        return -errno;
                for (volatile unsigned i = 0; i < 20000; i++)
                        ;
                kill(pid, SIGKILL);
                if (waitpid(pid, &status, 0) < 0)
                        return -errno;
                if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                        return 0;
        }
        return write_file(a, "file");
}

#ifdef __x86_64__
/* A tracer turns a harmless call into another after it began. */
static int trace(pid_t pid) {
        struct user_regs_struct regs;
        int status;
        bool entry = true;

        if (waitpid(pid, &status, 0) < 0 || ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_EXITKILL) < 0)
                return -errno;
        for (;;) {
                if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) < 0)
                        return -errno;
                if (WIFEXITED(status))
                        return -WEXITSTATUS(status);
                if (WIFSIGNALED(status))
                        return -ECHILD;
                if (ptrace(PTRACE_GETREGS, pid, NULL, &regs) < 0)
                        return -errno;
                if (entry && regs.orig_rax == SYS_openat && regs.rdx == (O_RDONLY | O_NOCTTY)) {
                        regs.rdx = O_WRONLY;
                        if (ptrace(PTRACE_SETREGS, pid, NULL, &regs) < 0)
                                return -errno;
                }
                entry = !entry;
        }
}

static int attack_tracer(Attempt *a) {
        Path path = at(a, "file");
        pid_t pid = fork();
        int r;

        if (pid == 0) {
                if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
                        _exit(errno);
                raise(SIGSTOP);
                /* The tracer counts calls from here by entry and exit. */
                _exit(-smuggle(a, sys(syscall(SYS_openat, AT_FDCWD, path.s, O_RDONLY | O_NOCTTY, 0))));
        }
        if (pid < 0)
                return -errno;
        r = trace(pid);
        kill(pid, SIGKILL);
        return r;
}
#else
static int attack_tracer(Attempt *a) {
        return impossible(a, "written for x86-64 only");
}
#endif

static const Attack list[] = {
        {"race-openat2-structure", 0, NULL, attack_openat2_structure},
        {"race-among-readers", 0, NULL, attack_among_readers},
        {"race-without-leader", 0, NULL, attack_without_leader},
        {"race-killed-opener", 0, NULL, attack_killed_opener},
        {"race-tracer", 0, NULL, attack_tracer},
};
ATTACK_TABLE(attacks_race, list);
