/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network guard and the rest of the agent: policies go in, records come out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent_private.h"
#include "agent/network/network.h"
#include "policy/scope.h"
#include "policy/translate.h"

enum {
        MOMENT_MSEC = 500 /* until the next table is in force, while nothing else is done */
};

static bool names_person(const NetworkDestination *destination, uid_t uid) {
        for (size_t i = 0; i < destination->n_uids; i++)
                if (destination->uids[i] == uid)
                        return true;
        return destination->everybody;
}

/* The destination that refuses, as far as the packet tells: its program is not known here. NULL: none does.
 */
static const NetworkDestination *find_refusing(const NetworkPlan *plan, const NetworkAttempt *attempt) {
        const Packet *packet = &attempt->packet;

        for (size_t i = 0; i < plan->n_destinations && !plan->locked; i++) {
                const NetworkDestination *destination = &plan->destinations[i];

                if (destination->program ||
                    (destination->interface && strcmp(destination->interface, attempt->interface) != 0) ||
                    !network_destination_covers(destination, &packet->to, packet->protocol, packet->port))
                        continue;
                if (destination->open && names_person(destination, attempt->uid))
                        break; /* it is by something else: a route in the packet, or for another machine */
                return destination;
        }
        return NULL;
}

/* By what, and why. */
static void set_cause(Record *record, const NetworkPlan *plan, const NetworkAttempt *attempt) {
        const NetworkDestination *refusing = find_refusing(plan, attempt);
        Reason reason = plan->locked ? REASON_LOCKDOWN : REASON_DEFAULT;
        const char *rule = plan->locked ? "lockdown" : "network.default", *origin = NULL;

        origin = plan->locked ? plan->policy->lockdown_origin : plan->policy->network_origin;
        if (refusing) {
                reason = refusing->open ? REASON_NOT_THIS_PERSON : REASON_OUTSIDE_HOURS;
                rule = refusing->rule;
                origin = refusing->origin;
        }
        record_set(record, TEXT_RULE, rule);
        record_set(record, TEXT_RULE_ORIGIN, origin);
        record_set(record, TEXT_REASON, reason_to_string(reason));
}

static void set_protocol(Record *record, const Packet *packet) {
        char buffer[1024];
        struct protoent entry, *found = NULL;

        if (packet->protocol != PROTOCOL_ANY)
                record_set(record, TEXT_PROTOCOL, protocol_to_string(packet->protocol));
        else if (getprotobynumber_r(packet->number, &entry, buffer, sizeof(buffer), &found) == 0 && found)
                record_set(record, TEXT_PROTOCOL, entry.p_name);
        else
                record_setf(record, TEXT_PROTOCOL, "%u", packet->number);
}

static void describe(Record *record, const NetworkPlan *plan, const NetworkAttempt *attempt) {
        const Packet *packet = &attempt->packet;
        char text[INET6_ADDRSTRLEN];

        record->uid = attempt->uid;
        record_set(
                record, TEXT_DESTINATION,
                inet_ntop(packet->to.bits == 32 ? AF_INET : AF_INET6, packet->to.bytes, text, sizeof(text)));
        if (packet->has_port)
                record_setf(record, TEXT_PORT, "%u", packet->port);
        set_protocol(record, packet);
        record_set(record, TEXT_NETWORK_INTERFACE, attempt->interface[0] ? attempt->interface : NULL);
        if (plan)
                set_cause(record, plan, attempt);
}

/* A first connection that the default allows is seen, anything else denied, or would be. */
static void on_told(void *userdata, const NetworkAttempt *attempt, NetworkFate fate, uint64_t count) {
        Agent *agent = userdata;
        const NetworkPlan *plan = network_plan(agent->network);
        const NetworkDestination *refusing = plan && attempt ? find_refusing(plan, attempt) : NULL;
        bool seen = fate == NETWORK_PASSED && plan && plan->default_allow && !(refusing && refusing->tried);
        Record *record;

        record = agent_record(agent, seen ? EVENT_CONNECTION_SEEN : EVENT_CONNECTION_DENIED);
        if (record) {
                record->count = count;
                record->operation = fate == NETWORK_FORWARD_REFUSED ? OPERATION_FORWARD : OPERATION_SEND;
                record_set(record, TEXT_VERDICT, fate == NETWORK_PASSED ? "allow" : "deny");
                if (fate == NETWORK_PASSED && !seen)
                        record_set(record, TEXT_MODE, "monitor");
                if (attempt)
                        describe(record, plan, attempt);
        }
        report_submit(agent->report, record);
}

static void on_lost(void *userdata, pid_t pid, const char *program) {
        Agent *agent = userdata;
        Record *record = agent_record(agent, EVENT_NETWORK_GUARD_LOST);

        if (record) {
                record->pid = pid;
                record_set(record, TEXT_EXE, program);
        }
        report_submit(agent->report, record);
}

static void on_failed(void *userdata, const char *destination, const char *why) {
        Agent *agent = userdata;
        Record *record = agent_record(agent, EVENT_NETWORK_FAILED);

        if (record) {
                record_set(record, TEXT_DESTINATION, destination);
                record_set(record, TEXT_ERROR, why);
        }
        report_submit(agent->report, record);
}

static void on_planned(void *userdata, const NetworkPlan *plan) {
        int r = agent_plan_callers(userdata, plan);

        if (r < 0)
                on_failed(userdata, NULL, strerror(-r));
}

static void on_changed(void *userdata) {
        Agent *agent = userdata;

        agent_settle_soon(agent);
        if (agent->connection_waits) {
                agent->connection_waits = false;
                agent_run_self_test(agent, "policy");
        }
}

bool agent_guards_network(const Agent *agent) {
        return agent->settings.network || lsm_is_unit();
}

void agent_start_network(Agent *agent) {
        const NetworkCallbacks callbacks = {.told = on_told,
                                            .lost = on_lost,
                                            .failed = on_failed,
                                            .planned = on_planned,
                                            .changed = on_changed};

        if (!agent_guards_network(agent))
                return;
        agent->network_error = network_new(agent->event, &agent->clock, agent->settings.state_dir,
                                           agent->settings.runtime_dir, &callbacks, agent, &agent->network);
        if (agent->network_error < 0) {
                on_failed(agent, NULL, strerror(-agent->network_error));
                return;
        }
        agent_update_network(agent);
        (void)network_settle(agent->network, NETWORK_START_MSEC); /* what failed was told */
}

void agent_update_network(Agent *agent) {
        int r;

        if (!agent->network)
                return;
        r = network_update(agent->network, agent->store.policy, agent->settings.monitor);
        if (r < 0)
                on_failed(agent, NULL, strerror(-r));
}

void agent_stop_network(Agent *agent) {
        agent->connection_waits = false;
        agent_stop_callers(agent);
        agent->network = network_free(agent->network, !lsm_is_unit());
}

const char *agent_connections_are_free(Agent *agent) {
        const NetworkPlan *plan;

        /* what failed was told; what is tried says the rest */
        agent->connection_waits =
                agent->network && network_settle(agent->network, MOMENT_MSEC) == -EINPROGRESS;
        if (agent->connection_waits)
                return N_("the network is being changed");
        plan = agent->network ? network_plan(agent->network) : NULL;
        if (!plan || (plan->off && !plan->locked))
                return N_("nothing holds connections");
        if (plan->monitor)
                return N_("the guard only watches");
        return plan->default_allow && !plan->locked ? N_("the policy approves every destination") : NULL;
}

bool agent_refuses_connection(const Agent *agent, const char *address, uint16_t port) {
        const NetworkPlan *plan = network_plan(agent->network);
        Address to = address_parse(address, strlen(address));

        for (size_t i = 0; i < plan->n_destinations && !plan->locked; i++)
                if (network_destination_covers(&plan->destinations[i], &to, PROTOCOL_UDP, port))
                        return false;
        return true;
}

const char *agent_network_word(const Agent *agent) {
        if (agent->network)
                return network_word(agent->network);
        return agent_guards_network(agent)
                       ? strerror(-agent->network_error)
                       : N_("left alone: the agent was started by hand, without --network");
}
