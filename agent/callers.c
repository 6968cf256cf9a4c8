/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network guard in the callers' system calls (network/hooks/) and the rest of the agent: plans go in,
 * records come out. Where the kernel has no such programs nothing here does anything: the packet filter
 * beneath refuses all the same, and tells less of who it was.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/agent_private.h"
#include "agent/lsm/pins.h"
#include "policy/scope.h"
#include "policy/translate.h"

/* An agent in a network namespace of its own guards that one. Started by hand it guards no more than it can
 * see.
 */
static bool has_own_network(void) {
        struct stat own, first;

        if (stat("/proc/self/ns/net", &own) < 0 || stat("/proc/1/ns/net", &first) < 0)
                return !lsm_is_unit();
        return own.st_ino != first.st_ino || own.st_dev != first.st_dev;
}

static int apply(Agent *agent, const NetworkPlan *plan) {
        LsmMoment now = {.boottime = clock_boottime_usec() * 1000, .second = (unsigned)(time(NULL) % 60)};

        (void)clock_policy_time(&agent->clock, &now.time); /* fails for no clock that counts seconds */
        return network_hooks_apply(agent->callers, plan, &now);
}

/* records */

static Reason reason_of(const NetworkRefusal *refusal) {
        switch (refusal->why) {
        case HOOKS_WHY_PERSON:
                return REASON_NOT_THIS_PERSON;
        case HOOKS_WHY_HOURS:
                return REASON_OUTSIDE_HOURS;
        case HOOKS_WHY_EXPIRED:
                return REASON_RULE_EXPIRED;
        case HOOKS_WHY_LOCKED:
                return REASON_LOCKDOWN;
        default:
                return REASON_DEFAULT;
        }
}

static void set_cause(const Agent *agent, const NetworkRefusal *refusal, Record *record) {
        const NetworkPlan *plan = network_plan(agent->network);
        bool locked = refusal->why == HOOKS_WHY_LOCKED;

        record_set(record, TEXT_REASON, reason_to_string(reason_of(refusal)));
        record_set(record, TEXT_RULE, locked ? "lockdown" : "network.default");
        if (!plan || refusal->generation != network_hooks_generation(agent->callers))
                return;
        record_set(record, TEXT_RULE_ORIGIN,
                   locked ? plan->policy->lockdown_origin : plan->policy->network_origin);
        if (refusal->number > 0 && refusal->number <= plan->n_destinations) {
                record_set(record, TEXT_RULE, plan->destinations[refusal->number - 1].rule);
                record_set(record, TEXT_RULE_ORIGIN, plan->destinations[refusal->number - 1].origin);
        }
}

static void describe(Agent *agent, const NetworkRefusal *refusal, Record *record) {
        CLEANUP_FREE Opener *opener = calloc(1, sizeof(*opener));
        LsmDenial caller = {.tid = refusal->tid,
                            .pid = refusal->pid,
                            .uid = refusal->uid,
                            .loginuid = refusal->loginuid,
                            .started = refusal->started,
                            .exe_devnum = refusal->exe_devnum};

        record->count = refusal->count;
        record->operation = refusal->operation;
        record_set(record, TEXT_VERDICT, refusal->kind == HOOKS_TOLD_SEEN ? "allow" : "deny");
        record_set(record, TEXT_MODE, refusal->monitor ? "monitor" : NULL);
        record_set(record, TEXT_PROTOCOL, refusal->protocol[0] ? refusal->protocol : NULL);
        record_set(record, TEXT_DESTINATION, refusal->destination[0] ? refusal->destination : NULL);
        if (refusal->port != 0)
                record_setf(record, TEXT_PORT, "%u", refusal->port);
        set_cause(agent, refusal, record);
        snprintf(caller.exe, sizeof(caller.exe), "%s", refusal->exe);
        if (opener)
                agent_tell_caller(agent, &caller, record, opener);
}

static void on_refusal(void *userdata, const NetworkRefusal *refusal) {
        Agent *agent = userdata;
        const NetworkPlan *plan = network_plan(agent->network);
        Record *record;

        if (refusal->pid == getpid() && agent_is_self_test(refusal->destination, refusal->port))
                return;
        record = agent_record(agent, refusal->kind == HOOKS_TOLD_SEEN ? EVENT_CONNECTION_SEEN
                                                                      : EVENT_CONNECTION_DENIED);
        if (record)
                describe(agent, refusal, record);
        report_submit(agent->report, record);
        if (plan && (!plan->off || plan->locked) && network_hooks_outdated(agent->callers, plan))
                (void)apply(agent, plan); /* a program was updated; it holds as before if that fails */
}

/* plans */

/* If they are not known they are judged as any other. */
static void on_own_places(void *userdata, const OwnPlace *places, size_t n) {
        const Agent *agent = userdata;

        (void)network_hooks_set_own(agent->callers, places, n);
}

static void start(Agent *agent) {
        NetworkHooksSettings settings = {.own_network = has_own_network()};
        char why[LSM_WHY];
        int r;

        agent->callers_tried = true;
        r = network_hooks_new(agent->event, &settings, on_refusal, agent, &agent->callers, why);
        if (r < 0)
                snprintf(agent->callers_why, sizeof(agent->callers_why), "%s: %s", N_("this kernel cannot"),
                         why[0] ? why : strerror(-r));
        else
                (void)own_places_new(agent->event, on_own_places, agent, &agent->own_places);
}

static int find_any(void *userdata, const char *name) {
        (void)userdata;
        (void)name;
        return -EEXIST;
}

static void tell_why(Agent *agent) {
        Record *record = agent_record(agent, EVENT_NETWORK_FAILED);

        if (record)
                record_set(record, TEXT_ERROR, agent->callers_why);
        report_submit(agent->report, record);
}

/* An earlier agent's programs, which go by a plan that nobody changes any more: the packet filter does what
 * they did. They stay where it is not in force. */
static int give_up_earlier(Agent *agent) {
        if (pins_foreach(NETWORK_HOOKS_ROOT, find_any, NULL) != -EEXIST ||
            network_settle(agent->network, NETWORK_START_MSEC) < 0)
                return 0;
        if (agent->callers_why[0] != '\0')
                tell_why(agent);
        return network_hooks_remove(NULL);
}

int agent_plan_callers(Agent *agent, const NetworkPlan *plan) {
        int r;

        if (agent->settings.network_filter_only) /* started by hand it leaves the unit's alone */
                return lsm_is_unit() ? give_up_earlier(agent) : 0;
        if (!agent->callers && plan->off && !plan->locked)
                return network_hooks_remove(NULL); /* an earlier agent's */
        if (!agent->callers_tried)
                start(agent);
        if (!agent->callers)
                return give_up_earlier(agent);
        r = apply(agent, plan);
        if (r < 0)
                snprintf(agent->callers_why, sizeof(agent->callers_why), "%s", strerror(-r));
        else
                agent->callers_why[0] = '\0';
        return r;
}

void agent_stop_callers(Agent *agent) {
        bool was = agent->callers != NULL;

        agent->own_places = own_places_free(agent->own_places);
        agent->callers = network_hooks_free(agent->callers);
        if (was && !lsm_is_unit())
                (void)network_hooks_remove(NULL);
}

const char *agent_callers_word(const Agent *agent) {
        const NetworkPlan *plan = agent->network ? network_plan(agent->network) : NULL;

        if (!plan || (plan->off && !plan->locked) || agent->settings.network_filter_only)
                return N_("not asked: the network is left alone, or to the packet filter");
        if (agent->callers && !agent->callers_why[0])
                return N_("ok: connections are refused in the caller's system call");
        return agent->callers_why;
}
