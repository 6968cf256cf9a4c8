/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * network.h: the network guard as the agent sees it: a policy goes in, the packet filter follows it, the
 * hours and the names, and what was refused comes out. Decides nothing but by plan.h.
 */
#pragma once

#include <systemd/sd-event.h>

#include "agent/clock.h"
#include "agent/network/nflog.h"
#include "agent/network/plan.h"

typedef struct Network Network;

typedef struct NetworkCallbacks {
        /* COUNT packets like this one; ATTEMPT is the last of them that was told by itself, or NULL. */
        void (*told)(void *userdata, const NetworkAttempt *attempt, NetworkFate fate, uint64_t count);
        /* Somebody took the table away; it is being put back. PROGRAM may be NULL, PID 0. */
        void (*lost)(void *userdata, pid_t pid, const char *program);
        /* Something is not as the policy asks; DESTINATION may be NULL. */
        void (*failed)(void *userdata, const char *destination, const char *why);
        /* There is another plan, for whoever else goes by it. Borrowed until the next one. */
        void (*planned)(void *userdata, const NetworkPlan *plan);
        /* What network_word() says may have changed. */
        void (*changed)(void *userdata);
} NetworkCallbacks;

/* CLOCK is borrowed. Of the resolvers' answers a file in RUNTIME_DIR is kept. 0 or -errno. */
int network_new(sd_event *event, const Clock *clock, const char *state_dir, const char *runtime_dir,
                const NetworkCallbacks *callbacks, void *userdata, Network **ret);

/* Go by POLICY, which is resolved, from now on; MONITOR: the agent was told to refuse nothing, whatever it
 * says; its own mode is asked at each plan. Also after policy_set_machine_locked(). 0 or -errno: what was in
 * force stays. */
int network_update(Network *network, Policy *policy, bool monitor);

enum {
        NETWORK_START_MSEC = 8000 /* until the first table is in force: well within the agent's watchdog */
};

/* Wait until the table is in force, for MSEC at most. 0 or -errno; -EINPROGRESS: it is on its way. */
int network_settle(Network *network, int msec);

/* In one line, for the status; "ok" at its start where everything is as the policy asks. Belongs to the
 * network until the next call. */
const char *network_word(Network *network);

/* The plan in force; NULL if there is none. */
const NetworkPlan *network_plan(const Network *network);

/* The table stays, unless REMOVE. Returns NULL. */
Network *network_free(Network *network, bool remove);
