/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hooks.h: the network guard in the caller's own system call: programs that the control group of all
 * processes asks before a socket is made, connected or sent through. They go by the plan that they were told
 * last, whether or not the agent runs. A plan is swapped whole. A new agent takes over what is there;
 * another version of the programs is put in force before the older one is taken away. Runs in the event
 * loop's thread. Source: bpf(2), Documentation/bpf/libbpf/program_types.rst.
 */
#pragma once

#include <systemd/sd-event.h>

#include "agent/lsm/child.h"
#include "agent/lsm/verdict.h"
#include "agent/network/hooks/refusal.h"
#include "agent/network/own.h"
#include "agent/network/plan.h"

#define NETWORK_HOOKS_ROOT "/sys/fs/bpf/sekisho-network"

typedef struct NetworkHooks NetworkHooks;

typedef struct NetworkHooksSettings {
        const char *root;  /* where they are pinned; NULL: NETWORK_HOOKS_ROOT */
        const char *group; /* the control group that asks them; NULL: that of all processes */
        bool own_network;  /* guard only the network namespace that the agent is in */
} NetworkHooksSettings;

typedef void (*NetworkHooksHandler)(void *userdata, const NetworkRefusal *refusal);

/* Find the programs in the kernel, or bring them there; they are in force from the first plan on, or still,
 * where an earlier agent left them so. HANDLER is told of refusals, folded, within a second. 0, or -errno
 * with WHY: this kernel does not allow it. */
int network_hooks_new(sd_event *event, const NetworkHooksSettings *settings, NetworkHooksHandler handler,
                      void *userdata, NetworkHooks **ret, char why[LSM_WHY]);

/* Whoever asks from now on is judged by PLAN, and who asks meanwhile by it or by the one before. Programs of
 * other versions are taken away. One that is off, and not locked, takes them all out of force. 0 or -errno:
 * then the plan before holds on. */
int network_hooks_apply(NetworkHooks *hooks, const NetworkPlan *plan, const LsmMoment *now);

/* What goes to PLACES, which this network namespace has itself, is let through from now on; what went to
 * others is judged again. 0 or -errno: some of them may not be known then. */
int network_hooks_set_own(NetworkHooks *hooks, const OwnPlace *places, size_t n);

/* The number of the plan that was applied last, by which refusals name theirs. */
uint32_t network_hooks_generation(const NetworkHooks *hooks);

/* Whether a program of the plan in force is another file now than when it was applied, so that it has to be
 * applied again. */
bool network_hooks_outdated(const NetworkHooks *hooks, const NetworkPlan *plan);

/* Tell of what was refused until now. */
void network_hooks_drain(NetworkHooks *hooks);

/* Take them out of force and out of the kernel. ROOT as in the settings. 0 or -errno. */
int network_hooks_remove(const char *root);

/* Forget them, after a last look at what was refused; they stay in force. Returns NULL. */
NetworkHooks *network_hooks_free(NetworkHooks *hooks);
