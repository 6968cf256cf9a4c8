/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runner.c: each attack in a process group of its own, as the user who attacks, with a deadline. A prepared
 * one is forked before the guard, says when it is prepared, and waits for a byte.
 */
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/attacks/harness.h"

enum {
        PREPARE_SECONDS = 20,
        END_SECONDS = 5
};

typedef struct Result {
        int r;
        char why[WHY_SIZE];
} Result;

static int become_attacker(const Volume *v) {
        if (v->uid == 0)
                return 0;
        if (setgroups(v->n_groups, v->groups) < 0 || setresgid(v->gid, v->gid, v->gid) < 0 ||
            setresuid(v->uid, v->uid, v->uid) < 0)
                return -errno;
        return sys(prctl(PR_SET_DUMPABLE, 1)); /* as it is for somebody who logged in */
}

static void tell(int to, Attempt *a, int r) {
        Result result = {.r = r};

        memcpy(result.why, a->why, sizeof result.why);
        if (write(to, &result, sizeof result) != sizeof result)
                _exit(1);
}

static void child(Trial *trial, int go, int results) {
        Attempt *a = &trial->attempt;
        int null = open("/dev/null", O_RDWR | O_CLOEXEC), r;
        char byte;

        if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
                _exit(1);
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        umask(0);
        r = become_attacker(a->volume);
        /* Whoever cannot even get there is held by nothing that is tested here. */
        if (r < 0 || (!(a->attack->needs & NEEDS_UNMOUNTED) && access(at(a, ".").s, F_OK) < 0))
                _exit(1);
        if (a->attack->prepare && go >= 0) {
                if (r >= 0)
                        r = a->attack->prepare(a);
                tell(results, a, r);
                if (r < 0 || read(go, &byte, 1) != 1)
                        _exit(0);
        }
        if (r >= 0)
                r = a->attack->run(a);
        tell(results, a, r < 0 ? r : 0); /* IMPOSSIBLE is below zero, too */
        _exit(0);
}

static void fail(Trial *trial, Verdict verdict, int error, const char *detail) {
        trial->verdict = verdict;
        trial->error = error;
        snprintf(trial->detail, sizeof trial->detail, "%s", detail);
}

static int make_scratch(Attempt *a) {
        snprintf(a->scratch, sizeof a->scratch, "%s/%s", a->volume->scratch, a->attack->name);
        if (mkdir(a->scratch, 0700) < 0 && errno != EEXIST)
                return -errno;
        return sys(chown(a->scratch, a->volume->uid, a->volume->gid));
}

/* What an attack dumps of its own memory must not have the markers of others. */
static void forget_others(Trial *trials, size_t n, size_t i) {
        for (size_t k = 0; k < n; k++)
                if (k != i)
                        explicit_bzero(trials[k].attempt.marker, sizeof trials[k].attempt.marker);
}

/* Starts the process. */
static int start(Trial *trials, size_t n, size_t i, bool prepared) {
        Trial *trial = &trials[i];
        CLEANUP_CLOSE int go_read = -1, go_write = -1, results_read = -1, results_write = -1;
        int go[2], results[2], r = make_scratch(&trial->attempt);

        if (r < 0)
                return r;
        if (pipe2(go, O_CLOEXEC) < 0)
                return -errno;
        go_read = go[0];
        go_write = go[1];
        if (pipe2(results, O_CLOEXEC) < 0)
                return -errno;
        results_read = results[0];
        results_write = results[1];
        fflush(NULL);
        trial->pid = fork();
        if (trial->pid < 0)
                return -errno;
        if (trial->pid == 0) {
                close(STEAL_FD(go_write));
                close(STEAL_FD(results_read));
                forget_others(trials, n, i);
                child(trial, prepared ? go_read : -1, results_write);
        }
        setpgid(trial->pid, trial->pid);
        trial->go = STEAL_FD(go_write);
        trial->results = STEAL_FD(results_read);
        return 0;
}

/* A result within SECONDS: 1, or 0 if the process is gone without one, or -ETIMEDOUT. */
static int receive(const Trial *trial, unsigned seconds, Result *ret) {
        struct pollfd wait = {.fd = trial->results, .events = POLLIN};
        int r = poll(&wait, 1, (int)seconds * 1000);

        if (r <= 0)
                return -ETIMEDOUT;
        return read(trial->results, ret, sizeof *ret) == (ssize_t)sizeof *ret;
}

/* Ends the process and its group. Whether it could be ended. */
static bool end(Trial *trial) {
        struct timespec moment = {.tv_nsec = 10000000};
        bool ended = false;

        kill(-trial->pid, SIGKILL);
        for (unsigned i = 0; i < END_SECONDS * 100U && !ended; i++) {
                ended = waitpid(trial->pid, NULL, WNOHANG) != 0;
                if (!ended)
                        nanosleep(&moment,
                                  NULL); /* nothing announces the end of a process that may never end */
        }
        close(trial->go);
        close(trial->results);
        trial->pid = 0;
        return ended;
}

void runner_prepare(Trial *trials, size_t n, size_t i) {
        Trial *trial = &trials[i];
        Result result = {0};
        int r = start(trials, n, i, true);

        if (r < 0) {
                fail(trial, VERDICT_FAILED, -r, "no process for it");
                return;
        }
        r = receive(trial, PREPARE_SECONDS, &result);
        if (r == 1 && result.r >= 0)
                return;
        if (r == 1 && result.r == IMPOSSIBLE)
                fail(trial, VERDICT_IMPOSSIBLE, 0, result.why);
        else
                fail(trial, VERDICT_FAILED, r == 1 ? -result.r : 0, "it could not be prepared");
        end(trial);
}

void runner_end(Trial *trial) {
        if (trial->pid > 0)
                end(trial);
}

/* Whether a process that waits to attack was ended before it could: what the guard does to whoever has the
 * disk itself open. */
static bool was_ended(const Trial *trial) {
        siginfo_t info = {0};

        return waitid(P_PID, (id_t)trial->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
               info.si_pid != 0 && info.si_code == CLD_KILLED && info.si_status == SIGKILL;
}

void runner_run(Trial *trials, size_t n, size_t i, unsigned timeout) {
        Trial *trial = &trials[i];
        Result result = {0};
        int r;

        if (trial->verdict != VERDICT_NOT_RUN)
                return;
        if (trial->pid > 0 && was_ended(trial)) {
                fail(trial, VERDICT_HELD, EPERM, "its process was ended");
                end(trial);
                return;
        }
        if (trial->pid > 0)
                r = write(trial->go, "", 1) == 1 ? 0 : -errno;
        else
                r = start(trials, n, i, false);
        if (r < 0) {
                fail(trial, VERDICT_FAILED, -r, "no process for it");
                return;
        }
        r = receive(trial, timeout, &result);
        if (!end(trial))
                fail(trial, VERDICT_HUNG, ETIMEDOUT, "it hangs in the kernel and cannot be ended");
        else if (r == -ETIMEDOUT)
                fail(trial, VERDICT_HUNG, ETIMEDOUT, "no end within the time allowed");
        else if (r != 1)
                fail(trial, VERDICT_FAILED, 0, "it crashed, or cannot reach its directory");
        else if (result.r == IMPOSSIBLE)
                fail(trial, VERDICT_IMPOSSIBLE, 0, result.why);
        else
                fail(trial, result.r < 0 ? VERDICT_HELD : VERDICT_LEAKED, result.r < 0 ? -result.r : 0, "");
        if (trial->verdict == VERDICT_LEAKED)
                trial->evidence |= EVIDENCE_SUCCESS;
}
