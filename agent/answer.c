/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the service on the bus asks the agent for. It changes nothing but by a reload, another policy, a
 * maintenance and a lockdown. */
#include "agent/agent_private.h"

static char *status(void *userdata) {
        return agent_status_text(userdata);
}

static char *devices(void *userdata) {
        return agent_devices_text(userdata);
}

static int reload(void *userdata, char **ret_faults) {
        int r = agent_reload(userdata);

        if (r == 0)
                return 1;
        *ret_faults = agent_faults_text(userdata, r);
        return 0;
}

static int install_policy(void *userdata, const char *text, size_t length, char **ret_faults) {
        int r = agent_install_policy(userdata, text, length, NULL);

        if (r == 0)
                return 1;
        *ret_faults = agent_faults_text(userdata, r);
        return 0;
}

static int begin_maintenance(void *userdata, pid_t pid, const char *reason, uint32_t minutes) {
        return agent_begin_maintenance(userdata, pid, reason, minutes);
}

static int end_maintenance(void *userdata, pid_t pid) {
        return agent_end_maintenance(userdata, pid);
}

static int begin_lockdown(void *userdata, pid_t pid, const char *reason) {
        return agent_begin_lockdown(userdata, pid, reason);
}

static int end_lockdown(void *userdata, pid_t pid, const char *reason) {
        return agent_end_lockdown(userdata, pid, reason);
}

static const Policy *policy(void *userdata) {
        const Agent *agent = userdata;

        return agent->store.policy;
}

static int policy_time(void *userdata, PolicyTime *ret) {
        const Agent *agent = userdata;

        return clock_policy_time(&agent->clock, ret);
}

static Presence presence(void *userdata) {
        return agent_is_monitor(userdata)       ? PRESENCE_NOT_IN_FORCE
               : agent_is_locked_down(userdata) ? PRESENCE_LOCKDOWN
                                                : PRESENCE_IN_FORCE;
}

static const char *store(void *userdata) {
        const Agent *agent = userdata;

        return agent->login_store;
}

static void changed(void *userdata) {
        agent_settle_soon(userdata);
}

BusServiceCallbacks agent_bus_callbacks(Agent *agent) {
        return (BusServiceCallbacks){.status = status,
                                     .devices = devices,
                                     .reload = reload,
                                     .install_policy = install_policy,
                                     .begin_maintenance = begin_maintenance,
                                     .end_maintenance = end_maintenance,
                                     .begin_lockdown = begin_lockdown,
                                     .end_lockdown = end_lockdown,
                                     .policy = policy,
                                     .time = policy_time,
                                     .presence = presence,
                                     .logins = agent_logins_callbacks(agent),
                                     .people = {.policy = policy,
                                                .store = store,
                                                .change = agent_logins_callbacks(agent).change,
                                                .userdata = agent},
                                     .grants = agent_grants_callbacks(agent),
                                     .changed = changed,
                                     .userdata = agent};
}
