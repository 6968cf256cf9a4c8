/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/gate/sources.h"
#include "policy/build.h"
#include "policy/scope.h"

enum {
        STUCK = 4, /* more than so many are not left behind */
        TRIES = 500,
        NAP_NSEC = 10 * 1000000
};

static atomic_bool stalls;

static void nap(void) {
        (void)nanosleep(&(struct timespec){.tv_nsec = NAP_NSEC}, NULL);
}

/* In place of the C library's: a /proc that does not answer for a while. */
DIR *opendir(const char *name) {
        DIR *(*real)(const char *) = NULL;

        *(void **)&real = dlsym(RTLD_NEXT, "opendir");
        while (atomic_load(&stalls) && strncmp(name, "/proc/", strlen("/proc/")) == 0)
                nap();
        return real(name);
}

Test(gate_sources, are_looked_for_again_once_reads_that_were_stuck_have_ended) {
        Policy *policy = policy_new();
        SourcesReader *reader = NULL;
        const Asset *asset = NULL;
        int r = -1;

        cr_assert(policy);
        cr_assert_eq(sources_reader_new(&reader), 0);
        cr_expect_eq(sources_find(reader, policy, getpid(), &asset), 0);
        atomic_store(&stalls, true);
        for (int i = 0; i < STUCK; i++)
                cr_expect_eq(sources_find(reader, policy, getpid(), &asset), -ETIMEDOUT);
        cr_expect_eq(sources_find(reader, policy, getpid(), &asset), -EHOSTDOWN);
        atomic_store(&stalls, false);
        for (int i = 0; i < TRIES && (r = sources_find(reader, policy, getpid(), &asset)) != 0; i++)
                nap();
        cr_expect_eq(r, 0);
        cr_expect_null(asset);
        sources_reader_free(reader);
        policy_unref(policy);
}

Test(gate_sources, may_be_given_up_while_reads_are_stuck) {
        Policy *policy = policy_new();
        SourcesReader *reader = NULL;
        const Asset *asset = NULL;

        cr_assert(policy);
        cr_assert_eq(sources_reader_new(&reader), 0);
        atomic_store(&stalls, true);
        cr_expect_eq(sources_find(reader, policy, getpid(), &asset), -ETIMEDOUT);
        sources_reader_free(reader);
        policy_unref(policy);
        atomic_store(&stalls, false);
        nap();
}
