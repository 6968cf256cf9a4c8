/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The self-test: whether what is guarded really is. Where trying harms nobody it is tried: a disk of the
 * agent's own is judged and held by the same way as a stick, and a process that file modes do not stop tries
 * to write to it. What is somebody's is looked at only: by what the kernel says of it. What could not be
 * tried has proved nothing, and is never told as passed.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/file.h"
#include "agent/self_test.h"
#include "policy/decide.h"
#include "policy/scope.h"
#include "policy/translate.h"

enum {
        PATIENCE_USEC = 30 * 1000000,
        MINUTE_USEC = 60 * 1000000,
        SLACK_USEC = 1000000,
        END_MSEC = 1000
};

/* whose disk it is */

bool agent_self_test_owns(const Agent *agent, const DeviceIdentity *id) {
        const SelfTest *test = agent->self_test;

        return test && test->medium.devnum != 0 && id->devnum == test->medium.devnum &&
               id->bus == DEVICE_BUS_LOOP && (test->is_held || id->diskseq == test->medium.diskseq);
}

bool agent_self_test_tried(Agent *agent, pid_t pid, dev_t devnum) {
        SelfTest *test = agent->self_test;

        if (!test || pid <= 0 || pid != test->child || devnum != test->medium.devnum)
                return false;
        test->asked++;
        return true;
}

/* As a stick that no rule names; a policy that lets such ones be written to has still to be able to hold
 * one.
 */
void agent_self_test_judge(const Agent *agent, const DeviceIdentity *id, const PolicyTime *now,
                           Decision *ret) {
        DeviceIdentity stick = {.bus = DEVICE_BUS_USB, .devnum = id->devnum, .hotplug = true};

        *ret = (Decision){.access = ACCESS_WRITE, .reason = REASON_DEFAULT};
        if (!agent->self_test->is_held)
                return;
        decide_device(agent->store.policy, &stick, now, ret);
        ret->external = true;
        ret->conditional = false;
        if (ret->access == ACCESS_WRITE)
                ret->access = ACCESS_READ_ONLY;
}

/* what is tried */

static void judge_attempts(const Agent *agent, SelfTest *test, const Attempts *made) {
        const char *what;
        Probed state;
        int why;

        state = attempts_raw(made, &what, &why);
        self_test_set(test, PROBE_RAW_WRITE, state, what, why);
        if (state == PROBED_PASSED && agent->lsm && made->raw_open == 0)
                self_test_set(test, PROBE_RAW_WRITE, PROBED_FAILED,
                              N_("the programs in the kernel were not asked"), 0);
        state = attempts_files(made, &what, &why);
        self_test_set(test, PROBE_FILE_SYSTEM, state, what, why);
        if (!medium_is_untouched(&test->medium))
                self_test_set(test, PROBE_RAW_WRITE, PROBED_FAILED, N_("something was written"), 0);
}

static void not_tried(SelfTest *test, const char *what, int error) {
        self_test_set(test, PROBE_RAW_WRITE, PROBED_NOT, what, error);
        self_test_set(test, PROBE_FILE_SYSTEM, PROBED_NOT, what, error);
}

/* The child: calls that are safe after a fork beside other threads, and no others. */
static _Noreturn void try_in_child(const Medium *medium, const char *directory, int answer) {
        Attempts made;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        /* among them the lock of the agent: one that is started anew does not wait for a child of the old */
        (void)close_range(STDERR_FILENO + 1, (unsigned)answer - 1, 0);
        (void)close_range((unsigned)answer + 1, ~0U, 0);
        attempts_make(medium->node, directory, &made);
        _exit(write(answer, &made, sizeof(made)) == sizeof(made) ? 0 : 1);
}

static void reap(SelfTest *test) {
        if (test->stuck == 0 || waitpid(test->stuck, NULL, WNOHANG) == 0)
                return;
        test->stuck = 0;
        test->ended = sd_event_source_disable_unref(test->ended);
}

static int on_ended(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        const Agent *agent = userdata;

        (void)source;
        (void)fd;
        (void)revents;
        reap(agent->self_test);
        return 0;
}

/* For a moment only: in the kernel, at a disk that does not answer, it outlives being killed. */
static void wait_for_child(Agent *agent, SelfTest *test) {
        CLEANUP_CLOSE int child = pidfd_open(test->child, 0);
        struct pollfd ended = {.fd = child, .events = POLLIN};

        if (child >= 0)
                (void)poll(&ended, 1, END_MSEC);
        test->stuck = test->child;
        reap(test);
        if (test->stuck == 0 || child < 0)
                return;
        if (sd_event_add_io(agent->event, &test->ended, child, EPOLLIN, on_ended, agent) >= 0 &&
            sd_event_source_set_enabled(test->ended, SD_EVENT_ONESHOT) >= 0 &&
            sd_event_source_set_io_fd_own(test->ended, true) >= 0)
                (void)STEAL_FD(child);
        else /* then before the next one */
                test->ended = sd_event_source_disable_unref(test->ended);
}

static void end_child(Agent *agent, SelfTest *test, bool kill_it) {
        if (!test->answered)
                return;
        test->answered = sd_event_source_disable_unref(test->answered);
        test->deadline = sd_event_source_disable_unref(test->deadline);
        if (kill_it)
                (void)kill(test->child, SIGKILL);
        close(test->answer);
        test->answer = -1;
        wait_for_child(agent, test);
}

/* The disk is let go first: its number is somebody else's soon, and the read-only flag would stay with it.
 */
static void give_back(Agent *agent, SelfTest *test) {
        if (test->medium.disk < 0)
                return;
        test->is_held = false;
        (void)devices_look_again(agent->devices, test->medium.devnum);
        medium_close(&test->medium);
        (void)devices_look_again(agent->devices, test->medium.devnum); /* or when udev lets go of it */
}

/* the course of it */

static int on_interval(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        agent_run_self_test(userdata, "interval");
        return 0;
}

static void arm(Agent *agent, SelfTest *test) {
        uint64_t every = (uint64_t)agent->store.policy->self_test_every * MINUTE_USEC;

        test->interval = sd_event_source_disable_unref(test->interval);
        if (every > 0)
                (void)sd_event_add_time(agent->event, &test->interval, CLOCK_BOOTTIME,
                                        clock_boottime_usec() + every, SLACK_USEC, on_interval, agent);
}

static void finish(Agent *agent, SelfTest *test) {
        const char *again = test->again;

        if (agent_is_monitor(agent)) {
                for (size_t i = 0; i < PROBES; i++)
                        self_test_set(test, i, PROBED_NOT, N_("the guard only watches"), 0);
        } else {
                self_test_look(agent, test);
                self_test_connect(agent, test);
        }
        test->done = time(NULL);
        test->running = false;
        test->again = NULL;
        arm(agent, test);
        self_test_notify(agent, test);
        (void)agent_write_status(agent);
        if (!agent_is_monitor(agent))
                self_test_tell(agent, test); /* last: who hears of it finds it in the status */
        if (again)
                agent_run_self_test(agent, again);
}

/* What the kernel told of the tries has been taken by now: that comes before this. */
static int on_answer(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Agent *agent = userdata;
        SelfTest *test = agent->self_test;
        Attempts made;

        (void)source;
        (void)revents;
        if (read(fd, &made, sizeof(made)) == sizeof(made))
                judge_attempts(agent, test, &made);
        else
                not_tried(test, N_("the process that was to try has ended"), 0);
        end_child(agent, test, false);
        give_back(agent, test);
        finish(agent, test);
        return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        Agent *agent = userdata;
        SelfTest *test = agent->self_test;

        (void)source;
        (void)usec;
        not_tried(test, N_("the process that was to try"), ETIMEDOUT);
        end_child(agent, test, true);
        give_back(agent, test);
        finish(agent, test);
        return 0;
}

static int start_child(Agent *agent, SelfTest *test) {
        char directory[PATH_MAX];
        int ends[2], r;

        if ((size_t)snprintf(directory, sizeof(directory), "%s/self-test", agent->settings.runtime_dir) >=
            sizeof(directory))
                return -ENAMETOOLONG;
        r = directory_ensure(directory, 0700);
        if (r < 0)
                return r;
        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        test->asked = 0;
        test->child = fork();
        if (test->child == 0)
                try_in_child(&test->medium, directory, ends[1]);
        r = test->child < 0 ? -errno : 0;
        close(ends[1]);
        test->answer = ends[0];
        if (r == 0)
                r = sd_event_add_io(agent->event, &test->answered, ends[0], EPOLLIN, on_answer, agent);
        if (r >= 0)
                r = sd_event_source_set_priority(test->answered, SD_EVENT_PRIORITY_IDLE);
        if (r >= 0)
                r = sd_event_add_time(agent->event, &test->deadline, CLOCK_BOOTTIME,
                                      clock_boottime_usec() + PATIENCE_USEC, SLACK_USEC, on_deadline, agent);
        if (r >= 0)
                return 0;
        if (test->answered)
                end_child(agent, test, true);
        else
                close(ends[0]);
        return r;
}

/* 0 if the tries are under way; else why not is in the results. */
static int begin(Agent *agent, SelfTest *test) {
        const char *step = NULL;
        const Device *device;
        int r;

        reap(test);
        if (test->stuck != 0) {
                not_tried(test, N_("the process that was to try"), ETIMEDOUT);
                return -ETIMEDOUT;
        }
        r = medium_open(&test->medium, &step);
        if (r < 0) {
                not_tried(test, step, -r);
                return r;
        }
        test->is_held = true;
        device = devices_look_again(agent->devices, test->medium.devnum);
        if (!device || device->enforcement < 0) {
                r = device ? device->enforcement : -ENODEV;
                self_test_set(test, PROBE_RAW_WRITE, PROBED_FAILED, N_("a disk could not be held"), -r);
                self_test_set(test, PROBE_FILE_SYSTEM, PROBED_NOT, N_("a disk could not be held"), -r);
                return r;
        }
        r = start_child(agent, test);
        if (r < 0)
                not_tried(test, N_("the process that was to try"), -r);
        return r;
}

void agent_run_self_test(Agent *agent, const char *cause) {
        SelfTest *test = agent->self_test;

        if (!test)
                return;
        if (test->running) {
                test->again = cause;
                return;
        }
        test->running = true;
        test->cause = cause;
        if (!agent_is_monitor(agent) && begin(agent, test) == 0)
                return;
        give_back(agent, test);
        finish(agent, test);
}

void agent_start_self_test(Agent *agent) {
        SelfTest *test = calloc(1, sizeof(*test));

        if (!test) {
                agent_tell_failure(agent, NULL, NULL, N_("self-test"), -ENOMEM);
                return;
        }
        test->medium.memory = test->medium.disk = test->answer = -1;
        agent->self_test = test;
        agent_run_self_test(agent, "start");
}

void agent_stop_self_test(Agent *agent) {
        SelfTest *test = agent->self_test;

        if (!test)
                return;
        end_child(agent, test, true);
        if (agent->devices)
                give_back(agent, test);
        sd_event_source_disable_unref(test->interval);
        sd_event_source_disable_unref(test->ended);
        free(test);
        agent->self_test = NULL;
}
