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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "agent/agent_private.h"
#include "agent/device/hold.h"
#include "agent/file.h"
#include "agent/selftest/attempts.h"
#include "agent/selftest/evidence.h"
#include "agent/selftest/medium.h"
#include "policy/decide.h"
#include "policy/scope.h"
#include "policy/translate.h"

enum {
        PATIENCE_USEC = 30 * 1000000,
        MINUTE_USEC = 60 * 1000000,
        SLACK_USEC = 1000000
};

/* X(constant, word in the status) */
#define PROBE_LIST(X)                                                                                       \
        X(PROBE_RAW_WRITE, "raw-write")             /* to the node of a disk that nobody approved */        \
        X(PROBE_FILE_SYSTEM, "file-system")         /* to a file system on it */                            \
        X(PROBE_HELD_DISKS, "held-disks")           /* people's own */                                      \
        X(PROBE_GUARDED_MOUNTS, "guarded-mounts")   /* likewise */                                          \
        X(PROBE_KERNEL_PROGRAMS, "kernel-programs") /* those of lsm/ */                                     \
        X(PROBE_CONNECTION, "connection")           /* to where nobody is */

#define PROBE_CONSTANT_(constant, word) constant,
#define PROBE_WORD_(constant, word)     [constant] = word,
enum {
        PROBE_LIST(PROBE_CONSTANT_) PROBES
};
static const char *const probe_words[PROBES] = {PROBE_LIST(PROBE_WORD_)};

typedef struct Result {
        Probed state;
        const char *what; /* a constant; NULL: nothing to be said */
        int error;        /* an errno; 0: none */
        char name[128];   /* of the device or mount that it is about; may be empty */
} Result;

struct SelfTest {
        Result results[PROBES];
        time_t done; /* 0: never */
        bool running, told_passed;
        const char *cause, *again; /* why the one that runs was begun, and the one after it */
        Medium medium;
        bool is_held; /* the agent is to take its own disk for an unapproved one */
        pid_t child;  /* the last one, also after its end */
        unsigned asked;
        int answer; /* the child's end of it is its own */
        sd_event_source *answered, *deadline, *interval;
};

static const char *probed_word(Probed state) {
        switch (state) {
        case PROBED_NOT:
                return "not-probed";
        case PROBED_PASSED:
                return "passed";
        case PROBED_FAILED:
                return "failed";
        }
        return "not-probed";
}

/* What decides is the write that is tried; where that was not, nothing has passed. */
static Probed overall(const SelfTest *test) {
        for (size_t i = 0; i < PROBES; i++)
                if (test->results[i].state == PROBED_FAILED)
                        return PROBED_FAILED;
        return test->results[PROBE_RAW_WRITE].state;
}

static void set(SelfTest *test, size_t probe, Probed state, const char *what, int error) {
        test->results[probe] = (Result){.state = state, .what = what, .error = error};
}

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

/* what is looked at */

typedef struct Look {
        Agent *agent;
        Result *result;
        unsigned seen;
} Look;

static int found(Look *look, const char *name, const char *what, int error) {
        look->result->state = PROBED_FAILED;
        look->result->what = what;
        look->result->error = error;
        (void)snprintf(look->result->name, sizeof(look->result->name), "%s", name ? name : "?");
        return 1;
}

/* A disk on which a LUKS2 volume waits to be opened is let go for that. */
static int look_at_disk(void *userdata, const Device *device) {
        Look *look = userdata;
        Agent *agent = look->agent;

        if (!device->block || !device->decision.external || device->decision.access == ACCESS_WRITE ||
            device->n_closed > 0 || device->enforcement < 0 || agent_self_test_owns(agent, &device->id))
                return 0;
        look->seen++;
        if (hold_is_read_only(NULL, device->id.devnum) == 0)
                return found(look, device->id.name, N_("the disk is not read-only"), 0);
        if (agent->lsm && !lsm_disk_known(agent->lsm, device->id.devnum) &&
            access(device->syspath, F_OK) == 0)
                return found(look, device->id.name, N_("the kernel has no verdict on the disk"), 0);
        return 0;
}

static int look_at_mount(void *userdata, const Superblock *sb) {
        Look *look = userdata;
        Agent *agent = look->agent;
        int marked;

        if (sb->guard == GUARD_NONE || sb->guard == GUARD_FAILED || sb->guard == GUARD_SHUT_DOWN)
                return 0;
        look->seen++;
        if (!agent_backstop_holds(agent, sb))
                return found(look, sb->mount, N_("the kernel has no verdict on the file system"), 0);
        if (!sb->gate)
                return 0;
        marked = evidence_of_mark(gate_fd(sb->gate), sb->identity.devnum);
        return marked == 1 ? 0 : found(look, sb->mount, N_("the gate has no mark"), -marked);
}

static void look_at_what_is_there(Agent *agent, SelfTest *test) {
        Look disks = {.agent = agent, .result = &test->results[PROBE_HELD_DISKS]},
             mounts = {.agent = agent, .result = &test->results[PROBE_GUARDED_MOUNTS]};
        int r;

        *disks.result = *mounts.result = (Result){.what = N_("there is none")};
        if (devices_foreach(agent->devices, look_at_disk, &disks) == 0 && disks.seen > 0)
                set(test, PROBE_HELD_DISKS, PROBED_PASSED, NULL, 0);
        if (superblocks_foreach(agent->superblocks, look_at_mount, &mounts) == 0 && mounts.seen > 0)
                set(test, PROBE_GUARDED_MOUNTS, PROBED_PASSED, NULL, 0);
        if (!agent->lsm) {
                set(test, PROBE_KERNEL_PROGRAMS, PROBED_NOT, N_("there is none"), 0);
                return;
        }
        r = lsm_in_force(agent->lsm);
        set(test, PROBE_KERNEL_PROGRAMS, r < 0 ? PROBED_FAILED : PROBED_PASSED,
            r < 0 ? N_("a program is not attached") : NULL, -r);
}

/* One destination of each family that leads nowhere. Only where something holds connections. */
static void try_connections(SelfTest *test, bool is_held) {
        static const char *const nowhere[] = {"192.0.2.1", "2001:db8::1"};
        Result *result = &test->results[PROBE_CONNECTION];

        *result = (Result){.what = N_("nothing holds connections")};
        for (size_t i = 0; is_held && i < ELEMENTS(nowhere); i++) {
                int why = 0;
                Probed state = attempt_connection(nowhere[i], &why);

                if (i > 0 && state != PROBED_FAILED && result->state != PROBED_NOT)
                        continue; /* the other family said more */
                *result = (Result){.state = state, .what = N_("sending"), .error = why};
                (void)snprintf(result->name, sizeof(result->name), "%s", nowhere[i]);
                if (state == PROBED_FAILED)
                        return;
        }
}

/* what is tried */

static void judge_attempts(const Agent *agent, SelfTest *test, const Attempts *made) {
        const char *what;
        Probed state;
        int why;

        state = attempts_raw(made, &what, &why);
        set(test, PROBE_RAW_WRITE, state, what, why);
        if (state == PROBED_PASSED && agent->lsm && made->raw_open == 0)
                set(test, PROBE_RAW_WRITE, PROBED_FAILED, N_("the programs in the kernel were not asked"),
                    0);
        state = attempts_files(made, &what, &why);
        set(test, PROBE_FILE_SYSTEM, state, what, why);
        if (!medium_is_untouched(&test->medium))
                set(test, PROBE_RAW_WRITE, PROBED_FAILED, N_("something was written"), 0);
}

static void not_tried(SelfTest *test, const char *what, int error) {
        set(test, PROBE_RAW_WRITE, PROBED_NOT, what, error);
        set(test, PROBE_FILE_SYSTEM, PROBED_NOT, what, error);
}

/* The child: calls that are safe after a fork beside other threads, and no others. */
static _Noreturn void try_in_child(const Medium *medium, const char *directory, int answer) {
        Attempts made;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        attempts_make(medium->node, directory, &made);
        _exit(write(answer, &made, sizeof(made)) == sizeof(made) ? 0 : 1);
}

static void end_child(SelfTest *test, bool kill_it) {
        if (!test->answered)
                return;
        test->answered = sd_event_source_disable_unref(test->answered);
        test->deadline = sd_event_source_disable_unref(test->deadline);
        if (kill_it)
                (void)kill(test->child, SIGKILL);
        while (waitpid(test->child, NULL, 0) < 0 && errno == EINTR)
                ;
        close(test->answer);
        test->answer = -1;
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

/* what is told */

static void print_result(FILE *f, size_t probe, const Result *result) {
        fprintf(f, "%s", probe_words[probe]);
        if (result->name[0])
                fprintf(f, " (%s)", result->name);
        if (result->what)
                fprintf(f, ": %s", result->what);
        if (result->error > 0)
                fprintf(f, ": %s", strerror(result->error));
}

/* What came out as STATE, a line each; NULL if nothing did, or memory is short. */
static char *text_of(const SelfTest *test, Probed state) {
        CLEANUP_FREE char *text = NULL;
        size_t size = 0;
        bool any = false;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                return NULL;
        for (size_t i = 0; i < PROBES; i++)
                if (test->results[i].state == state) {
                        fputs(any ? "\n" : "", f);
                        print_result(f, i, &test->results[i]);
                        any = true;
                }
        return fclose(f) == 0 && any ? STEAL_PTR(text) : NULL;
}

static bool is_by_interval(const SelfTest *test) {
        return strcmp(test->cause, "interval") == 0;
}

/* Loud when it fails, each time; what passed is told once for a start or a change, and after a failure. */
static void tell_result(Agent *agent, SelfTest *test) {
        Probed state = overall(test);
        EventKind kind = state == PROBED_FAILED   ? EVENT_SELF_TEST_FAILED
                         : state == PROBED_PASSED ? EVENT_SELF_TEST_PASSED
                                                  : EVENT_SELF_TEST_NOT_RUN;
        CLEANUP_FREE char *text = NULL;
        Record *record;

        if (state != PROBED_FAILED && is_by_interval(test) && test->told_passed == (state == PROBED_PASSED))
                return;
        test->told_passed = state == PROBED_PASSED;
        record = agent_record(agent, kind);
        text = state == PROBED_PASSED ? NULL : text_of(test, state);
        if (record) {
                record_set(record, TEXT_CAUSE, test->cause);
                record_set(record, TEXT_ERROR, text);
        }
        report_submit(agent->report, record);
}

static void notify(const Agent *agent, const SelfTest *test) {
        CLEANUP_FREE char *text = overall(test) == PROBED_FAILED ? text_of(test, PROBED_FAILED) : NULL;
        char *line = text ? strchr(text, '\n') : NULL;

        if (line)
                *line = '\0'; /* a status is one line */
        (void)sd_notifyf(false, "STATUS=Policy serial %llu in force%s%s",
                         (unsigned long long)agent->store.policy->serial,
                         overall(test) == PROBED_FAILED ? "; SELF-TEST FAILED: " : "", text ? text : "");
}

struct json_object *agent_self_test_object(const Agent *agent) {
        const SelfTest *test = agent->self_test;
        struct json_object *object, *probes;

        if (!test || test->done == 0)
                return NULL;
        object = json_object_new_object();
        probes = json_object_new_array();
        json_object_object_add(object, "state", json_object_new_string(probed_word(overall(test))));
        json_object_object_add(object, "time", json_object_new_int64(test->done));
        json_object_object_add(object, "every", json_object_new_int64(agent->store.policy->self_test_every));
        for (size_t i = 0; i < PROBES; i++) {
                const Result *result = &test->results[i];
                struct json_object *probe = json_object_new_object();

                json_object_object_add(probe, "name", json_object_new_string(probe_words[i]));
                json_object_object_add(probe, "state", json_object_new_string(probed_word(result->state)));
                json_object_object_add(probe, "on",
                                       result->name[0] ? json_object_new_string(result->name) : NULL);
                json_object_object_add(probe, "what",
                                       result->what ? json_object_new_string(result->what) : NULL);
                json_object_object_add(probe, "error",
                                       result->error > 0 ? json_object_new_string(strerror(result->error))
                                                         : NULL);
                json_object_array_add(probes, probe);
        }
        json_object_object_add(object, "probes", probes);
        return object;
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
                        set(test, i, PROBED_NOT, N_("the guard only watches"), 0);
        } else {
                look_at_what_is_there(agent, test);
                try_connections(test, false);
                tell_result(agent, test);
        }
        test->done = time(NULL);
        test->running = false;
        test->again = NULL;
        arm(agent, test);
        notify(agent, test);
        (void)agent_write_status(agent);
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
        end_child(test, false);
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
        end_child(test, true);
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
                end_child(test, true);
        else
                close(ends[0]);
        return r;
}

/* 0 if the tries are under way; else why not is in the results. */
static int begin(Agent *agent, SelfTest *test) {
        const char *step = NULL;
        const Device *device;
        int r = medium_open(&test->medium, &step);

        if (r < 0) {
                not_tried(test, step, -r);
                return r;
        }
        test->is_held = true;
        device = devices_look_again(agent->devices, test->medium.devnum);
        if (!device || device->enforcement < 0) {
                r = device ? device->enforcement : -ENODEV;
                set(test, PROBE_RAW_WRITE, PROBED_FAILED, N_("a disk could not be held"), -r);
                set(test, PROBE_FILE_SYSTEM, PROBED_NOT, N_("a disk could not be held"), -r);
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
        end_child(test, true);
        if (agent->devices)
                give_back(agent, test);
        sd_event_source_disable_unref(test->interval);
        free(test);
        agent->self_test = NULL;
}
