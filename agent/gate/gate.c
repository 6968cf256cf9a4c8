/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/gate/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/gate/cmdline.h"
#include "agent/gate/opener.h"
#include "agent/gate/operation.h"
#include "agent/gate/sources.h"
#include "agent/thread.h"
#include "policy/scope.h"

enum {
        PENDING_AT_ONCE = 64,
        STACK_SIZE = 128 * 1024,
        FAREWELL_SEC = 1,
        HIGHEST_FD = 1 << 20 /* the default of fs.nr_open */
};

struct Gate {
        pthread_mutex_t lock; /* guards volume, hand_over, stopped, holders */
        pthread_cond_t done;
        Volume *volume;
        bool hand_over; /* the thread ends without taking the marks away: somebody else answers from then on
                         */
        bool stopped;
        unsigned holders; /* owner and thread; the last one frees */

        Report *report;
        int fd;   /* the fanotify group */
        int stop; /* eventfd: the owner wants the thread to end */
        CmdlineReader *cmdline;
        OperationReader *operations; /* the thread's own */
        SourcesReader *sources;      /* likewise */
};

/* Who answers for a group, and with what. */
typedef struct Listener {
        int group;
        Report *report;              /* may be NULL */
        CmdlineReader *cmdline;      /* NULL: command lines are not told */
        OperationReader *operations; /* NULL: none are kept open */
        SourcesReader *sources;      /* NULL: where a write comes from is not known */
} Listener;

/* Everything one answer needs, so that the functions below stay short. */
typedef struct Question {
        pid_t tid;
        int fd; /* the file being opened, as seen by this process */
        Operation operation;
        Opener opener;
        OpenDecision decision;
} Question;

static void gate_release(Gate *gate) {
        bool last;

        pthread_mutex_lock(&gate->lock);
        last = --gate->holders == 0;
        pthread_mutex_unlock(&gate->lock);
        if (!last)
                return;
        volume_unref(gate->volume);
        report_unref(gate->report);
        cmdline_reader_free(gate->cmdline);
        operation_reader_free(gate->operations);
        sources_reader_free(gate->sources);
        if (gate->fd >= 0)
                close(gate->fd);
        if (gate->stop >= 0)
                close(gate->stop);
        pthread_cond_destroy(&gate->done);
        pthread_mutex_destroy(&gate->lock);
        free(gate);
}

static int answer(int group, int fd, Verdict verdict) {
        struct fanotify_response response = {.fd = fd,
                                             .response = verdict == VERDICT_ALLOW ? FAN_ALLOW : FAN_DENY};

        for (;;) {
                if (write(group, &response, sizeof(response)) >= 0)
                        return 0;
                if (errno != EINTR)
                        return -errno; /* ENOENT: the caller was killed meanwhile and waits no more */
        }
}

/* A path as the agent sees it; only names in the kernel's memory are read, nothing on the volume. */
static void set_path(Record *record, int fd) {
        char name[64], path[PATH_MAX];
        ssize_t n;

        snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
        n = readlink(name, path, sizeof(path) - 1);
        if (n > 0) {
                path[n] = '\0';
                record_set(record, TEXT_PATH, path);
        }
}

static Record *make_record(const Volume *volume, const Question *question, CmdlineReader *cmdline) {
        bool read = question->operation == OPERATION_OPEN_READ;
        bool allowed = question->decision.verdict == VERDICT_ALLOW;
        Record *record = record_new(allowed                 ? EVENT_LABELLED_WRITE
                                    : read                  ? EVENT_READ_DENIED
                                    : volume_is_raw(volume) ? EVENT_RAW_WRITE_DENIED
                                                            : EVENT_WRITE_DENIED);

        if (!record)
                return NULL;
        record->operation = volume_is_raw(volume) && !read ? OPERATION_RAW_WRITE : question->operation;
        volume_describe(volume, &question->decision, record);
        opener_describe(&question->opener, record);
        set_path(record, question->fd);
        if (cmdline) {
                char *line = NULL;

                if (cmdline_read(cmdline, question->opener.tgid, &line) == 0)
                        record->text[TEXT_CMDLINE] = line;
        }
        return record;
}

static void judge(const Listener *listener, const Volume *volume, Question *question) {
        bool for_writing;

        question->operation = operation_read(listener->operations, question->tid);
        for_writing = question->operation != OPERATION_OPEN_READ;
        /* who asks is read only where it decides, or, below, where it is told */
        if (for_writing && volume_asks_subject(volume))
                (void)opener_read(question->tid, &question->opener); /* unknown is nobody, who has no rule */
        volume_judge(volume, &question->opener.subject, for_writing, &question->decision);
        if (question->decision.verdict == VERDICT_DENY && volume_is_raw(volume) && for_writing) {
                struct stat st;

                (void)opener_read(question->tid, &question->opener);
                if (fstat(question->fd, &st) == 0 &&
                    volume_unlocks(volume, st.st_rdev, &question->opener.subject))
                        question->decision.verdict = VERDICT_ALLOW;
        }
}

/* Where it may come from: what the opener and those around it have open. */
static void judge_source(const Listener *listener, const Volume *volume, Question *question) {
        Policy *policy = question->operation == OPERATION_OPEN_READ ? NULL : volume_assets(volume);
        const Asset *asset = NULL;
        int r;

        if (!policy)
                return;
        if (question->opener.subject.uid == (uid_t)-1) /* for the number of its process */
                (void)opener_read(question->tid, &question->opener);
        r = listener->sources ? sources_find(listener->sources, policy, question->opener.tgid, &asset)
                              : -ESRCH;
        volume_judge_source(volume, asset, r == 0, &question->decision);
}

static void handle(const Listener *listener, const Volume *volume, pid_t tid, int fd) {
        Question question = {.tid = tid, .fd = fd};
        Record *record = NULL;
        bool denied, told;

        question.opener.tid = question.opener.tgid = tid;
        question.opener.subject.uid = question.opener.subject.loginuid = (uid_t)-1;
        question.opener.subject.gid = (gid_t)-1;
        if (tid == getpid()) { /* the agent itself, holding a disk or looking at a mount */
                answer(listener->group, fd, VERDICT_ALLOW);
                return;
        }
        judge(listener, volume, &question);
        judge_source(listener, volume, &question);
        denied = question.decision.verdict != VERDICT_ALLOW;
        if (denied && volume_is_quiet(volume)) {
                answer(listener->group, fd, VERDICT_DENY);
                return;
        }
        told = denied || question.decision.label;
        if (told) { /* who it is must be read while the caller still waits */
                if (question.opener.subject.uid == (uid_t)-1)
                        (void)opener_read(tid, &question.opener);
                record = make_record(volume, &question, listener->cmdline);
        }
        if (denied && listener->report)
                report_refusing(listener->report);
        answer(listener->group, fd,
               denied && !volume_is_monitor(volume) && !question.decision.monitor ? VERDICT_DENY
                                                                                  : VERDICT_ALLOW);
        if (!told)
                return;
        if (listener->report) {
                if (denied)
                        report_refused(listener->report);
                report_submit(listener->report, record);
        } else
                record_free(record);
}

/* The kernel could not hand an event over and has refused it by itself. Who that was is not known. */
static void tell_unseen(const Listener *listener, const Volume *volume, int error) {
        Opener nobody = {.subject = {.uid = (uid_t)-1, .loginuid = (uid_t)-1, .gid = (gid_t)-1}};
        OpenDecision decision;
        Record *record;

        if (!listener->report)
                return;
        record = record_new(volume_is_raw(volume) ? EVENT_RAW_WRITE_DENIED : EVENT_WRITE_DENIED);
        if (record) {
                volume_judge(volume, &nobody.subject, true, &decision);
                decision.verdict = VERDICT_DENY;
                record->operation = OPERATION_UNKNOWN;
                volume_describe(volume, &decision, record);
                record_set(record, TEXT_ERROR, strerror(-error));
        }
        report_submit(listener->report, record);
}

/* Answer one event. One at a time: where the kernel cannot hand an event over (no descriptor, no memory) it
 * refuses that, and says so only if no other event was read before it in the same call. 1 or -errno. */
static int read_and_answer(const Listener *listener, const Volume *volume) {
        struct fanotify_event_metadata event;
        ssize_t n;

        do
                n = read(listener->group, &event, sizeof(event));
        while (n < 0 && errno == EINTR);
        if (n < 0) {
                int r = -errno;

                if (r != -EAGAIN && r != -EBADF)
                        tell_unseen(listener, volume, r);
                return r;
        }
        if (!FAN_EVENT_OK(&event, n) || event.vers != FANOTIFY_METADATA_VERSION)
                return -EPROTO;
        if (event.fd >= 0) {
                handle(listener, volume, event.pid, event.fd);
                close(event.fd);
        }
        return 1;
}

static int answer_event(const Listener *listener, const Volume *volume) {
        int r;

        if (listener->report)
                report_asked(listener->report);
        r = read_and_answer(listener, volume);
        if (listener->report)
                report_answered(listener->report);
        return r;
}

unsigned gate_refuse_abandoned(int fd) {
        struct rlimit limit;
        unsigned refused = 0;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > HIGHEST_FD)
                limit.rlim_cur = HIGHEST_FD;
        for (int number = 0; number < (int)limit.rlim_cur; number++)
                if (answer(fd, number, VERDICT_DENY) == 0) /* ENOENT: nobody waits for this one */
                        refused++;
        return refused;
}

int gate_answer_pending(int fd, Volume *volume, Report *report) {
        Listener listener = {.group = fd, .report = report};
        int total = 0;

        for (; total < PENDING_AT_ONCE; total++) {
                int r = answer_event(&listener, volume);

                if (r == -EAGAIN)
                        break;
                if (r == -EPROTO || r == -EBADF)
                        return r;
        }
        return total;
}

static bool is_handed_over(Gate *gate) {
        bool hand_over;

        pthread_mutex_lock(&gate->lock);
        hand_over = gate->hand_over;
        pthread_mutex_unlock(&gate->lock);
        return hand_over;
}

static Volume *current_volume(Gate *gate) {
        Volume *volume;

        pthread_mutex_lock(&gate->lock);
        volume = volume_ref(gate->volume);
        pthread_mutex_unlock(&gate->lock);
        return volume;
}

static void *gate_thread(void *userdata) {
        Gate *gate = userdata;
        Listener listener = {.group = gate->fd,
                             .report = gate->report,
                             .cmdline = gate->cmdline,
                             .operations = gate->operations,
                             .sources = gate->sources};
        bool stopping = false;

        while (!stopping) {
                struct pollfd fds[] = {{.fd = gate->fd, .events = POLLIN},
                                       {.fd = gate->stop, .events = POLLIN}};
                Volume *volume;

                (void)poll(fds, ELEMENTS(fds), -1); /* whatever it says, who waits must be answered */
                stopping = fds[1].revents != 0;
                if (stopping && is_handed_over(gate))
                        break;  /* what was read is answered; what waits is the other holder's */
                if (stopping) { /* no new questions, but those that wait get their answer */
                        fanotify_mark(gate->fd, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD, NULL);
                        fanotify_mark(gate->fd, FAN_MARK_FLUSH, 0, AT_FDCWD, NULL);
                }
                volume = current_volume(gate);
                for (;;) {
                        int r = answer_event(&listener, volume);

                        if (r == -EAGAIN || r == -EPROTO || r == -EBADF)
                                break;
                        if (!stopping)
                                break;
                }
                volume_unref(volume);
        }
        pthread_mutex_lock(&gate->lock);
        gate->stopped = true;
        pthread_cond_signal(&gate->done);
        pthread_mutex_unlock(&gate->lock);
        gate_release(gate);
        return NULL;
}

int gate_new(Volume *volume, Report *report, Gate **ret) {
        Gate *gate = calloc(1, sizeof(*gate));
        pthread_condattr_t condition;
        int r;

        if (!gate)
                return -ENOMEM;
        gate->holders = 1;
        gate->report = report_ref(report);
        gate->volume = volume_ref(volume);
        gate->stop = -1;
        pthread_mutex_init(&gate->lock, NULL);
        pthread_condattr_init(&condition);
        pthread_condattr_setclock(&condition, CLOCK_MONOTONIC);
        pthread_cond_init(&gate->done, &condition);
        pthread_condattr_destroy(&condition);
        /* FAN_REPORT_TID: the thread that asks, whose registers are read. O_NONBLOCK for the files the
         * kernel opens for us: a FIFO on the volume must not hold the gate up. */
        gate->fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_TID |
                                         FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS,
                                 O_RDONLY | O_CLOEXEC |
                                         O_NONBLOCK); /* large files: a 64-bit kernel's default */
        if (gate->fd < 0)
                r = -errno;
        else if ((gate->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
                r = -errno;
        else if ((r = operation_reader_new(&gate->operations)) == 0 &&
                 (r = sources_reader_new(&gate->sources)) == 0 &&
                 (r = cmdline_reader_new(&gate->cmdline)) == 0) {
                gate->holders = 2;
                r = thread_start(STACK_SIZE, gate_thread, gate);
                if (r < 0)
                        gate->holders = 1;
        }
        if (r < 0) {
                gate_release(gate);
                return r;
        }
        *ret = gate;
        return 0;
}

int gate_mark_superblock(Gate *gate, int mount_fd) {
        char path[64];

        /* fanotify_mark() takes no O_PATH descriptor, but a path through /proc leads to the same place */
        snprintf(path, sizeof(path), "/proc/self/fd/%d", mount_fd);
        return fanotify_mark(gate->fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN_PERM, AT_FDCWD, path) < 0
                       ? -errno
                       : 0;
}

int gate_mark_node(Gate *gate, const char *path) {
        return fanotify_mark(gate->fd, FAN_MARK_ADD | FAN_MARK_DONT_FOLLOW, FAN_OPEN_PERM, AT_FDCWD, path) <
                               0
                       ? -errno
                       : 0;
}

void gate_set_volume(Gate *gate, Volume *volume) {
        Volume *before;

        pthread_mutex_lock(&gate->lock);
        before = gate->volume;
        gate->volume = volume_ref(volume);
        pthread_mutex_unlock(&gate->lock);
        volume_unref(before);
}

int gate_fd(const Gate *gate) {
        return gate->fd;
}

/* Has the thread end, and waits a second for it at most. */
static bool stop_thread(Gate *gate, bool hand_over) {
        struct timespec until;
        uint64_t one = 1;
        bool stopped;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += FAREWELL_SEC;
        pthread_mutex_lock(&gate->lock);
        gate->hand_over |= hand_over;
        if (write(gate->stop, &one, sizeof(one)) == sizeof(one))
                while (!gate->stopped)
                        if (pthread_cond_timedwait(&gate->done, &gate->lock, &until) == ETIMEDOUT)
                                break;
        stopped = gate->stopped;
        pthread_mutex_unlock(&gate->lock);
        return stopped;
}

bool gate_hand_over(Gate *gate) {
        return stop_thread(gate, true);
}

Gate *gate_free(Gate *gate) {
        if (!gate)
                return NULL;
        (void)stop_thread(gate, false);
        gate_release(gate);
        return NULL;
}
