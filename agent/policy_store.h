/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_store.h: which policy is in force: the one at the configured path if it is good, else the last good
 * one, of which a copy is kept in the state directory, else the built-in default. A policy with a lower
 * serial than the last good one is refused like one that is faulty, and so is one that has to be signed and
 * is not, one out of its dates, and one that fails its trial: the caller's question whether the terminal
 * could still be used under it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "agent/restored.h"
#include "policy/floor.h"
#include "policy/load.h"

/* Whether the terminal could be used under CANDIDATE; PRESENT is in force, NULL at start. 0 if so; 1 with
 * the reason (allocated) and its place "FILE:LINE" (borrowed from CANDIDATE) if not; -errno where that could
 * not be told, which counts as yes. */
typedef int (*PolicyTrial)(void *userdata, const Policy *present, const Policy *candidate, char **ret_why,
                           const char **ret_origin);

/* What is to outlive the agent of a policy that came into force. */
typedef enum PolicyKept {
        KEPT_FLOOR,
        KEPT_LAST_GOOD,
        KEPT_HISTORY,
        KEPT_NOTE, /* that of policies that were put aside, which is over */
        POLICY_KEPT
} PolicyKept;

typedef struct PolicyStore {
        char *path;      /* file or directory given to the agent */
        char *last_good; /* STATE/last-good */
        Policy *policy;  /* in force; never NULL once policy_store_open succeeded */
        bool builtin;
        bool lsm_missing;    /* what each policy is told of the kernel, see policy/model.h */
        bool machine_locked; /* that there is a lockdown, likewise */
        char *state_dir;
        char *keys;  /* the directory of public keys */
        Floor floor; /* what was learned from policies before, as far as the state directory knows */
        time_t loaded;
        PolicyTrial trial; /* NULL: none */
        void *trial_userdata;
        PolicyFaults faults; /* why the last attempt was refused; empty if it was not */
        time_t refused;      /* when, 0 if it was not */
        bool was_behind;     /* at start the state directory knew of lower serials alone than others did */
        int unkept[POLICY_KEPT]; /* -errno of what of the last one could not be kept; the policy holds all
                                    the same */
} PolicyStore;

/* Put a policy in force at start. 0, 1 if the policy at PATH was refused (faults say why) and another one is
 * in force, -errno if not even the built-in one could be made. */
int policy_store_open(PolicyStore *store, const char *path, const char *state_dir, PolicyTrial trial,
                      void *trial_userdata);

/* The same, where something else than the state directory KNOWN that serial to have been in force, and what
 * goes with it to be kept (0: it knows of none): nothing lower comes into force, the last good one neither.
 */
int policy_store_open_above(PolicyStore *store, const char *path, const char *state_dir, uint64_t known,
                            PolicyTrial trial, void *trial_userdata);

/* That SERIAL was in force turns out afterwards: nothing lower comes into force from now on. 1 if that is
 * new. */
int policy_store_learn_serial(PolicyStore *store, uint64_t serial);

/* The serial in force of which the state directory keeps all that a next start needs; 0 if there is none. */
uint64_t policy_store_kept_serial(const PolicyStore *store);

/* What the kernel turned out to have; before anything is decided. */
void policy_store_set_lsm(PolicyStore *store, bool missing);

/* Whether there is a lockdown, whatever the policy says; the one in force is told at once. */
void policy_store_set_locked(PolicyStore *store, bool locked);

/* Try PATH again. 0 with *RET_OLD the policy that was in force (the caller unrefs it once nothing refers to
 * it any more); 1 if PATH was refused and nothing changed; -errno likewise. */
int policy_store_reload(PolicyStore *store, Policy **ret_old);

/* Put a sealed bundle (policy/bundle.h) in force and keep it in the directory of policies, in one step that
 * is done or not whenever the machine stops. As policy_store_reload(); -ENOTDIR if the configured path is no
 * directory. After a refusal what was there is there. */
int policy_store_install(PolicyStore *store, const char *text, size_t length, Policy **ret_old);

/* A note that policies were put aside, which the journal has not been told yet. 1 with RET filled and the
 * note marked as told, 0 if there is none, -errno. */
int policy_store_take_restored(const PolicyStore *store, Restored *ret);

void policy_store_close(PolicyStore *store);
