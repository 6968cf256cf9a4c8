/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the service on the bus asks the agent for. It changes nothing but by a reload. */
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

static const Policy *policy(void *userdata) {
        const Agent *agent = userdata;

        return agent->store.policy;
}

static int policy_time(void *userdata, PolicyTime *ret) {
        const Agent *agent = userdata;

        return clock_policy_time(&agent->clock, ret);
}

static void changed(void *userdata) {
        agent_settle_soon(userdata);
}

BusServiceCallbacks agent_bus_callbacks(Agent *agent) {
        return (BusServiceCallbacks){.status = status,
                                     .devices = devices,
                                     .reload = reload,
                                     .policy = policy,
                                     .time = policy_time,
                                     .changed = changed,
                                     .userdata = agent};
}
