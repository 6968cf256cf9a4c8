/* SPDX-License-Identifier: GPL-2.0-or-later */
/* self_test.h: the state of the self-test, for self_test.c, self_test_look.c and self_test_tell.c alone. */
#pragma once

#include <stdbool.h>
#include <time.h>

#include "agent/agent_private.h"
#include "agent/selftest/attempts.h"
#include "agent/selftest/medium.h"

/* X(constant, word in the status) */
#define PROBE_LIST(X)                                                                                       \
        X(PROBE_RAW_WRITE, "raw-write")             /* to the node of a disk that nobody approved */        \
        X(PROBE_FILE_SYSTEM, "file-system")         /* to a file system on it */                            \
        X(PROBE_HELD_DISKS, "held-disks")           /* people's own */                                      \
        X(PROBE_GUARDED_MOUNTS, "guarded-mounts")   /* likewise */                                          \
        X(PROBE_KERNEL_PROGRAMS, "kernel-programs") /* those of lsm/ */                                     \
        X(PROBE_CONNECTION, "connection")           /* to where nobody is */

#define PROBE_CONSTANT_(constant, word) constant,
enum {
        PROBE_LIST(PROBE_CONSTANT_) PROBES
};
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
        pid_t stuck; /* one that did not end when it was killed; 0: none. ENDED tells when it has */
        sd_event_source *ended;
};

/* What came of a probe. WHAT is a constant; NULL: nothing to be said. ERROR is an errno, 0 for none. */
static inline void self_test_set(SelfTest *test, size_t probe, Probed state, const char *what, int error) {
        test->results[probe] = (Result){.state = state, .what = what, .error = error};
}

/* What decides is the write that is tried; where that was not, nothing has passed. */
Probed self_test_overall(const SelfTest *test);

/* self_test_look.c: what is somebody's, by what the kernel says of it. */
void self_test_look(Agent *agent, SelfTest *test);
/* One destination of each family that leads nowhere; not where nothing holds connections. */
void self_test_connect(Agent *agent, SelfTest *test);

/* self_test_tell.c: the record, loud when it has failed; and the unit's status line. */
void self_test_tell(Agent *agent, SelfTest *test);
void self_test_notify(const Agent *agent, const SelfTest *test);
