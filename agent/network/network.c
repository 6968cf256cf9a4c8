/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/network.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/network/filter.h"
#include "agent/network/groups.h"
#include "agent/network/required.h"
#include "agent/network/resolve.h"
#include "agent/network/table.h"
#include "agent/network/watch.h"
#include "policy/monitor.h"
#include "policy/scope.h"
#include "policy/translate.h"

enum {
        WORD = 256,
        COUNT_USEC = 500000, /* how long what was not told by itself waits to be counted */
        RETRY_SECONDS = 5,   /* from a table that could not be put in force to the next try, then twice */
        RETRY_SECONDS_MAX = 60,
        ASK_AGAIN_SECONDS = 120, /* where the user database did not answer about everybody */
        END_MSEC = 8000,         /* how long the last table is waited for */
        GROUPS_USEC = 60000000   /* how long the members of groups are kept in mind */
};

/* How much of a counter of the table has been told. */
typedef struct Count {
        const char *name;
        NetworkFate fate;
        uint64_t seen, told; /* in a sum, and one by one */
        uint64_t until;      /* what it had when it was looked at */
        NetworkAttempt last;
        bool has_last;
} Count;

struct Network {
        sd_event *event;
        const Clock *clock;
        char *state_dir;
        NetworkCallbacks callbacks;
        void *userdata;
        Filter *filter;
        Nflog *nflog;
        Resolver *resolver;
        Policy *policy;
        NetworkGroup *groups; /* of the policy */
        size_t n_groups;
        uint64_t groups_read; /* when; 0: they are not */
        bool incomplete;      /* somebody in them could not be asked about */
        bool monitor;
        bool closing; /* everything, since the table could not be put in force */
        NetworkPlan *plan;
        sd_event_source *replan, *counting, *retry;
        unsigned patience; /* seconds from a failure to the next try */
        Count refused, passed;
        int error, filter_error, nflog_error, required_error;
        char why[WORD], word[WORD * 2];
};

/* counts */

/* UNTIL is what the counter had long enough ago for what was told of it to have come. */
static void count(Network *network, Count *count, uint64_t until) {
        if (until <= count->seen + count->told)
                return;
        network->callbacks.told(network->userdata, count->has_last ? &count->last : NULL, count->fate,
                                until - count->seen - count->told);
        count->seen = until - count->told;
}

/* Whether everything in the counter was told by now. */
static bool look(Count *count) {
        uint64_t packets;

        if (watch_counter(count->name, &packets) < 0)
                return true;
        count->until = packets;
        return packets <= count->seen + count->told;
}

/* At once, since the counters are about to go. */
static void count_all(Network *network) {
        if (network->nflog)
                nflog_drain(network->nflog);
        (void)look(&network->refused);
        (void)look(&network->passed);
        count(network, &network->refused, network->refused.until);
        count(network, &network->passed, network->passed.until);
}

static void arm_counting(Network *network);

static int on_counting(sd_event_source *source, uint64_t usec, void *userdata) {
        Network *network = userdata;
        bool settled;

        (void)source;
        (void)usec;
        network->counting = sd_event_source_disable_unref(network->counting);
        nflog_drain(network->nflog);
        count(network, &network->refused, network->refused.until);
        count(network, &network->passed, network->passed.until);
        settled = look(&network->refused);
        if (!look(&network->passed) || !settled)
                arm_counting(network);
        return 0;
}

static void arm_counting(Network *network) {
        if (!network->counting)
                (void)sd_event_add_time_relative(network->event, &network->counting, CLOCK_BOOTTIME,
                                                 COUNT_USEC, COUNT_USEC / 10, on_counting, network);
}

static void on_told(void *userdata, const NetworkAttempt *attempt) {
        Network *network = userdata;
        Count *count = attempt->fate == NETWORK_PASSED ? &network->passed : &network->refused;

        count->told++;
        count->last = *attempt;
        count->has_last = true;
        network->callbacks.told(network->userdata, attempt, attempt->fate, 1);
        arm_counting(network);
}

/* the table */

static void on_replacing(void *userdata) {
        Network *network = userdata;

        count_all(network);
        network->refused.seen = network->refused.told = network->refused.until =
                0; /* the next one's begin at nothing */
        network->passed.seen = network->passed.told = network->passed.until = 0;
}

/* Whether the policy has the network guarded, and not only watched. A clock that cannot be read ends no
 * trial, and makes no plan either. */
static bool shall_refuse(const Network *network) {
        bool locked = policy_is_locked_down(network->policy);
        PolicyTime now = {0};

        (void)clock_policy_time(network->clock, &now);
        if (network->monitor || (!locked && policy_is_monitor(network->policy, now.expiry_now)))
                return false;
        return locked || network->policy->network_given;
}

/* Where not even an older table is in force, or nobody can say. */
static void close_what_is_open(Network *network) {
        const NetworkPlan plan = {.locked = true};
        CLEANUP_FREE char *text = NULL;

        if (!network->filter || !shall_refuse(network))
                return;
        if (watch_table_exists() == 1 || network_table_text(&plan, &text) < 0)
                return;
        network->closing = true; /* until the next plan */
        (void)filter_put(network->filter, text);
}

static int on_replan(sd_event_source *source, uint64_t usec, void *userdata);

static void arm_retry(Network *network) {
        network->patience = !network->patience                           ? RETRY_SECONDS
                            : network->patience >= RETRY_SECONDS_MAX / 2 ? RETRY_SECONDS_MAX
                                                                         : network->patience * 2;
        network->retry = sd_event_source_disable_unref(network->retry);
        (void)sd_event_add_time_relative(network->event, &network->retry, CLOCK_BOOTTIME,
                                         (uint64_t)network->patience * 1000000, 100000, on_replan, network);
}

/* A failure is told when it begins, and where it becomes another one. */
static void on_done(void *userdata, int error, const char *why) {
        Network *network = userdata;
        bool told = network->error < 0 && strncmp(network->why, why, sizeof(network->why) - 1) == 0;

        if (network->closing) /* what is in force then is not what was asked for */
                return;
        network->error = error;
        (void)snprintf(network->why, sizeof(network->why), "%s", error < 0 ? why : "");
        network->retry = sd_event_source_disable_unref(network->retry);
        if (error < 0) {
                if (!told)
                        network->callbacks.failed(network->userdata, NULL, network->why);
                if (network->filter) /* else there is nothing to try */
                        arm_retry(network);
                close_what_is_open(network);
        } else
                network->patience = 0;
        network->callbacks.changed(network->userdata);
}

static void on_lost(void *userdata, pid_t pid, const char *program) {
        Network *network = userdata;

        network->callbacks.lost(network->userdata, pid, program);
}

/* the plan */

static int plan_again(Network *network);

static int on_replan(sd_event_source *source, uint64_t usec, void *userdata) {
        (void)source;
        (void)usec;
        (void)plan_again(userdata); /* what failed was told */
        return 0;
}

static void on_names_changed(void *userdata) {
        (void)on_replan(NULL, 0, userdata);
}

static void on_name_state(void *userdata, const char *name, const char *error) {
        Network *network = userdata;

        if (error)
                network->callbacks.failed(network->userdata, name, error);
        network->callbacks.changed(network->userdata);
}

static void arm_replan(Network *network) {
        uint64_t seconds = (uint64_t)network->plan->next_change;

        network->replan = sd_event_source_disable_unref(network->replan);
        if (network->incomplete && (seconds == 0 || seconds > ASK_AGAIN_SECONDS))
                seconds = ASK_AGAIN_SECONDS;
        if (seconds > 0)
                (void)sd_event_add_time_relative(network->event, &network->replan, CLOCK_BOOTTIME,
                                                 seconds * 1000000, 100000, on_replan, network);
}

/* The user database may be a directory server, which answers late or not at all: what closes everything does
 * not ask it. */
static int read_groups(Network *network) {
        uint64_t now = clock_boottime_usec();
        NetworkGroup *groups = NULL;
        size_t n = 0;
        int r;

        if (policy_is_locked_down(network->policy))
                return 0;
        if (network->groups_read > 0 && now - network->groups_read < GROUPS_USEC)
                return 0;
        r = network_groups_read(network->policy, network->groups, network->n_groups, &groups, &n);
        if (r < 0)
                return r;
        network_groups_free(network->groups, network->n_groups);
        network->groups = groups;
        network->n_groups = n;
        network->groups_read = clock_boottime_usec();
        network->incomplete = r > 0;
        return 0;
}

static int make_plan(Network *network, NetworkPlan **ret) {
        NetworkKnown known = {.monitor = network->monitor};
        PolicyTime now;
        int r = clock_policy_time(network->clock, &now);

        if (r < 0)
                return r;
        r = read_groups(network);
        if (r < 0)
                return r;
        known.groups = network->groups;
        known.n_groups = network->n_groups;
        known.names = resolver_names(network->resolver, &known.n_names);
        return network_plan_make(network->policy, &known, &now, ret);
}

/* What becomes of it is told by on_done(). */
static void put_in_force(Network *network, const NetworkPlan *plan, const char *text) {
        if (network->filter)
                (void)filter_put(network->filter, text);
        else if (!plan->off || plan->locked)
                on_done(network, network->filter_error, strerror(-network->filter_error));
        else
                network->error = 0; /* it was not asked for */
}

static int plan_again(Network *network) {
        CLEANUP_FREE char *text = NULL;
        NetworkPlan *plan = NULL;
        bool closing = network->closing;
        int r;

        if (!network->policy)
                return 0;
        network->closing = false;
        r = make_plan(network, &plan);
        if (r >= 0)
                r = network_table_text(plan, &text);
        if (r < 0) {
                network_plan_free(plan);
                on_done(network, r, strerror(-r));
                network->closing = network->closing || closing; /* it is that which is there, or comes */
                return r;
        }
        put_in_force(network, plan, text);
        network_plan_free(network->plan);
        network->plan = plan;
        network->required_error = network_required_write(network->state_dir,
                                                         !plan->off || policy_is_locked_down(plan->policy));
        network->callbacks.planned(network->userdata, plan);
        arm_replan(network);
        return 0;
}

int network_update(Network *network, Policy *policy, bool monitor) {
        int r;

        if (policy != network->policy)
                network->groups_read = 0; /* whom it cannot ask about it takes from those of before */
        policy_ref(policy);
        policy_unref(network->policy);
        network->policy = policy;
        network->monitor = monitor;
        r = resolver_follow(network->resolver, policy);
        if (r < 0)
                network->callbacks.failed(network->userdata, NULL, strerror(-r));
        return plan_again(network);
}

int network_settle(Network *network, int msec) {
        return network->filter ? filter_wait(network->filter, msec) : network->error;
}

const NetworkPlan *network_plan(const Network *network) {
        return network->plan;
}

const char *network_word(Network *network) {
        size_t failing = resolver_n_failing(network->resolver);

        if (network->error < 0)
                (void)snprintf(network->word, sizeof(network->word), "%s: %s", "failed", network->why);
        else if (!network->plan || (network->plan->off && !network->plan->locked))
                return network->plan && network->plan->policy->zone != ZONE_MYNUMBER
                               ? N_("left alone: the policy has no network section")
                               : N_("off: the policy has no network section");
        else if (network->nflog_error < 0)
                (void)snprintf(network->word, sizeof(network->word), "%s: %s",
                               N_("in force, but nothing is recorded"), strerror(-network->nflog_error));
        else if (failing > 0)
                (void)snprintf(network->word, sizeof(network->word), "%s: %zu",
                               N_("in force, but names cannot be resolved"), failing);
        else if (network->plan->monitor)
                return N_("ok: packets are recorded, none is refused");
        else
                return N_("ok: the packet filter refuses what is not approved");
        return network->word;
}

int network_new(sd_event *event, const Clock *clock, const char *state_dir, const char *runtime_dir,
                const NetworkCallbacks *callbacks, void *userdata, Network **ret) {
        const FilterCallbacks filter = {.replacing = on_replacing, .done = on_done, .lost = on_lost};
        Network *network = calloc(1, sizeof(*network));
        CLEANUP_FREE char *path = NULL;
        int r;

        if (!network)
                return -ENOMEM;
        network->event = event;
        network->clock = clock;
        network->callbacks = *callbacks;
        network->userdata = userdata;
        network->refused = (Count){.name = NETWORK_COUNT_REFUSED, .fate = NETWORK_REFUSED};
        network->passed = (Count){.name = NETWORK_COUNT_PASSED, .fate = NETWORK_PASSED};
        network->state_dir = strdup(state_dir);
        r = network->state_dir && asprintf(&path, "%s/network-names", runtime_dir) >= 0
                    ? resolver_new(event, path, on_names_changed, on_name_state, network, &network->resolver)
                    : -ENOMEM;
        if (r < 0) {
                network_free(network, false);
                return r;
        }
        /* without it the callers are refused all the same, and without the other it refuses all the same */
        network->filter_error = filter_new(event, &filter, network, &network->filter);
        network->nflog_error = nflog_new(event, on_told, network, &network->nflog);
        *ret = network;
        return 0;
}

Network *network_free(Network *network, bool remove) {
        if (!network)
                return NULL;
        if (network->filter && network->plan) {
                (void)filter_wait(network->filter, END_MSEC);
                count_all(network);
        }
        if (remove && network->filter) {
                (void)filter_put(network->filter,
                                 "add table inet " NETWORK_TABLE "\ndelete table inet " NETWORK_TABLE "\n");
                (void)filter_wait(network->filter, END_MSEC);
        }
        sd_event_source_disable_unref(network->replan);
        sd_event_source_disable_unref(network->counting);
        sd_event_source_disable_unref(network->retry);
        filter_free(network->filter);
        nflog_free(network->nflog);
        resolver_free(network->resolver);
        network_plan_free(network->plan);
        network_groups_free(network->groups, network->n_groups);
        policy_unref(network->policy);
        free(network->state_dir);
        free(network);
        return NULL;
}
