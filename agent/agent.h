/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent.h: the agent as a whole: it owns the rooms, hands verdicts from the policy to the enforcers and what
 * they tell to the report. One event loop; the policy is looked at here and nowhere else in the agent.
 */
#pragma once

#include <stdbool.h>

typedef struct Agent Agent;

typedef struct AgentSettings {
        const char *policy, *state_dir, *runtime_dir;
        const char *incoming; /* NULL: STATE/incoming; "": none */
        const char *tpm;      /* how the TPM is reached; NULL: the machine's own, for the service; "": not */
        bool monitor;         /* --monitor: record, deny nothing */
        bool network;         /* --network: guard the network, although started by hand */
        bool network_filter_only; /* --network=filter: by the packet filter alone */
} AgentSettings;

/* Take the runtime directory's lock, put a policy and everything else in force. 0, -EBUSY if another agent
 * runs there, -errno. */
int agent_new(const AgentSettings *settings, Agent **ret);

/* Run until SIGTERM or SIGINT; SIGHUP reloads. Says READY=1 and pings the watchdog. 0 or -errno. */
int agent_run(Agent *agent);

/* Hold what nobody is left to be asked about, answer who waits, end. Returns NULL. */
Agent *agent_free(Agent *agent);
