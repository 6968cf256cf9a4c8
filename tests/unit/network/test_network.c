/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network guard, with a packet filter, names and a user database that are told what to do. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/network/filter.h"
#include "agent/network/groups.h"
#include "agent/network/network.h"
#include "agent/network/required.h"
#include "agent/network/resolve.h"
#include "agent/network/watch.h"
#include "policy/scope.h"
#include "tests/unit/network/plans.h"

static const char locked[] = HEAD "lockdown: true\nnetwork:\n  allow:\n"
                                  "    - {name: a, to: 10.0.0.1, groups: [gid50]}\n";
static const char guarded[] = NETWORK "  allow:\n    - {name: a, to: 10.0.0.1, groups: [gid50]}\n";

/* The filter takes what it is given, at once, unless there is an error. */
static struct {
        FilterCallbacks callbacks;
        void *userdata;
        char *text;
        int error, table; /* table: as watch_table_exists() says */
        int groups_read;
        bool failed, clockless;
} fake;

uint64_t clock_boottime_usec(void) {
        return 1000000;
}

int clock_policy_time(const Clock *clock, PolicyTime *ret) {
        (void)clock;
        *ret = monday_noon;
        return fake.clockless ? -EINVAL : 0;
}

int filter_new(sd_event *event, const FilterCallbacks *callbacks, void *userdata, Filter **ret) {
        (void)event;
        fake.callbacks = *callbacks;
        fake.userdata = userdata;
        *ret = (Filter *)&fake;
        return 0;
}

int filter_put(Filter *filter, const char *text) {
        (void)filter;
        free(fake.text);
        fake.text = strdup(text);
        fake.callbacks.done(fake.userdata, fake.error, fake.error < 0 ? "no" : "");
        return fake.error;
}

int filter_wait(Filter *filter, int msec) {
        (void)filter;
        (void)msec;
        return fake.error;
}

Filter *filter_free(Filter *filter) {
        (void)filter;
        free(fake.text);
        return NULL;
}

int watch_table_exists(void) {
        return fake.table;
}

int watch_counter(const char *name, uint64_t *ret) {
        (void)name;
        (void)ret;
        return -ENOENT;
}

int network_groups_read(const Policy *policy, const NetworkGroup *last, size_t n_last, NetworkGroup **ret,
                        size_t *ret_n) {
        (void)policy;
        (void)last;
        (void)n_last;
        fake.groups_read++;
        *ret = NULL;
        *ret_n = 0;
        return 0;
}

void network_groups_free(NetworkGroup *groups, size_t n) {
        cr_expect(!groups && n == 0);
}

int nflog_new(sd_event *event, NflogTold told, void *userdata, Nflog **ret) {
        (void)event;
        (void)told;
        (void)userdata;
        *ret = NULL;
        return 0;
}

Nflog *nflog_free(Nflog *nflog) {
        (void)nflog;
        return NULL;
}

void nflog_drain(Nflog *nflog) {
        (void)nflog;
}

int resolver_new(sd_event *event, const char *path, ResolverChanged changed, ResolverState state,
                 void *userdata, Resolver **ret) {
        (void)event;
        (void)path;
        (void)changed;
        (void)state;
        (void)userdata;
        *ret = NULL;
        return 0;
}

Resolver *resolver_free(Resolver *resolver) {
        (void)resolver;
        return NULL;
}

int resolver_follow(Resolver *resolver, const Policy *policy) {
        (void)resolver;
        (void)policy;
        return 0;
}

const NetworkName *resolver_names(const Resolver *resolver, size_t *ret_n) {
        (void)resolver;
        *ret_n = 0;
        return NULL;
}

size_t resolver_n_failing(const Resolver *resolver) {
        (void)resolver;
        return 0;
}

int network_required_write(const char *state_dir, bool required) {
        (void)state_dir;
        (void)required;
        return 0;
}

static void on_failed(void *userdata, const char *destination, const char *why) {
        (void)userdata;
        (void)destination;
        (void)why;
        fake.failed = true;
}

static void on_planned(void *userdata, const NetworkPlan *plan) {
        (void)userdata;
        (void)plan;
}

static void on_changed(void *userdata) {
        (void)userdata;
}

static Network *network_of(sd_event **event) {
        const NetworkCallbacks callbacks = {
                .failed = on_failed, .planned = on_planned, .changed = on_changed};
        static const Clock clock;
        Network *network = NULL;

        cr_assert_geq(sd_event_new(event), 0);
        cr_assert_eq(network_new(*event, &clock, "/nowhere", "/nowhere", &callbacks, NULL, &network), 0);
        return network;
}

static int update(Network *network, const char *text) {
        Policy *policy = policy_of(text);
        int r;

        policy_number_users(policy);
        r = network_update(network, policy, false);
        policy_unref(policy);
        return r;
}

static void end(Network *network, sd_event *event) {
        network_free(network, false);
        sd_event_unref(event);
}

Test(network, a_lockdown_closes_it_without_asking_who_is_in_a_group) {
        sd_event *event = NULL;
        Network *network = network_of(&event);

        cr_assert_eq(update(network, locked), 0);
        cr_expect_eq(fake.groups_read, 0);
        cr_expect(network_plan(network)->locked);
        cr_assert_eq(update(network, guarded), 0);
        cr_expect_eq(fake.groups_read, 1, "who is let through again is asked");
        end(network, event);
}

Test(network, what_cannot_be_planned_is_closed_unless_a_table_is_there) {
        static const struct {
                int table;
                bool closed;
        } cases[] = {{0, true}, {-EIO, true}, {1, false}};
        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                sd_event *event = NULL;
                Network *network = network_of(&event);

                fake.clockless = true;
                fake.table = cases[i].table;
                cr_assert_lt(update(network, guarded), 0);
                cr_expect_eq(fake.text != NULL, cases[i].closed, "case %zu", i);
                end(network, event);
                fake.text = NULL;
        }
}

Test(network, a_failure_ends_with_the_next_plan) {
        sd_event *event = NULL;
        Network *network = network_of(&event);

        fake.table = 1;
        cr_assert_eq(update(network, guarded), 0);
        cr_expect(strncmp(network_word(network), "ok", 2) == 0, "%s", network_word(network));
        fake.clockless = true;
        cr_assert_lt(update(network, guarded), 0);
        cr_expect(fake.failed && strncmp(network_word(network), "failed", 6) == 0);
        fake.clockless = false;
        cr_assert_eq(update(network, guarded), 0);
        cr_expect(strncmp(network_word(network), "ok", 2) == 0, "%s", network_word(network));
        end(network, event);
}
