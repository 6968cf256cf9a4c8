/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/last_good.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "policy/build.h"
#include "policy/faults.h"
#include "policy/floor.h"
#include "policy/restored.h"
#include "policy/scope.h"

/* 0 if POLICY is one that may be in force, or -EBADMSG with a fault. */
static int judge(const Floor *floor, const Policy *policy, const char *path, Faults *faults) {
        if (floor_judge(floor, policy) != FLOOR_GOOD) {
                faults_add(faults, path, 0, 0, "is not signed as it has to be");
                return -EBADMSG;
        }
        if (policy->serial >= floor->serial)
                return 0;
        faults_add(faults, path, 0, 0,
                   "serial %" PRIu64 " is lower than %" PRIu64
                   ", which was in force: expected the same or a higher one",
                   policy->serial, floor->serial);
        return -EBADMSG;
}

/* That nothing is configured, where policies have to be signed, is for root at the console to bring about.
 */
static int judge_none(const Floor *floor, const char *state_dir, const char *path, Faults *faults) {
        Restored restored;

        if (!floor->signing_required || restored_read(state_dir, &restored) == 1)
                return 0;
        faults_add(faults, path, 0, 0,
                   "the signed policy is gone; expected it, or sekishoctl policy restore");
        return -EBADMSG;
}

static bool is_put_aside(const char *state_dir, const Policy *policy) {
        Restored restored;
        int r = restored_read(state_dir, &restored);

        return r < 0 || (r == 1 && policy->serial <= restored.serial);
}

/* The last good one, signed with a key that counts for PATH. 0, -EBADMSG if it is not good, -errno. */
static int load_last_good(const char *path, const char *state_dir, const Floor *floor, Policy **ret) {
        CLEANUP_FREE char *keys = policy_keys_of(path), *copy = NULL;
        CLEANUP_POLICY Policy *policy = NULL;
        PolicyFaults faults = {0};
        int r;

        if (!keys || asprintf(&copy, "%s/last-good", state_dir) < 0) {
                copy = NULL;
                return -ENOMEM;
        }
        r = policy_load_with_keys(copy, keys, &policy, &faults);
        policy_faults_clear(&faults);
        if (r < 0)
                return r;
        /* the agent takes it with whatever serial it has: what came after it was not kept, or is gone */
        if (r == 1 || floor_judge(floor, policy) != FLOOR_GOOD || is_put_aside(state_dir, policy))
                return -EBADMSG;
        *ret = STEAL_PTR(policy);
        return 0;
}

static int judge_configured(const Floor *floor, const char *state_dir, const char *path,
                            const Policy *policy, bool built_in, PolicyFaults *list) {
        Faults faults = {.list = *list};
        int r = built_in ? judge_none(floor, state_dir, path, &faults) : judge(floor, policy, path, &faults);

        *list = faults.list;
        return r;
}

static int add_no_floor(const char *path, PolicyFaults *list) {
        Faults faults = {.list = *list};

        faults_add(&faults, path, 0, 0, "what earlier policies asked for could not be read");
        *list = faults.list;
        return -EBADMSG;
}

int policy_load_in_force(const char *path, const char *state_dir, Policy **ret, PolicySource *ret_source,
                         PolicyFaults *ret_faults) {
        CLEANUP_POLICY Policy *policy = NULL, *last_good = NULL;
        int r = policy_load(path, &policy, ret_faults);
        bool built_in = r == 1;
        Floor floor;

        if (r < 0 && r != -EBADMSG) /* memory, or another passing thing: nothing is wrong with the policy */
                return r;
        if (floor_read(state_dir, &floor) < 0)
                return add_no_floor(path, ret_faults);
        if (r >= 0)
                r = judge_configured(&floor, state_dir, path, policy, built_in, ret_faults);
        if (r < 0) {
                r = load_last_good(path, state_dir, &floor, &last_good);
                if (r < 0)
                        return r;
        }
        *ret_source = last_good ? SOURCE_LAST_GOOD : built_in ? SOURCE_BUILT_IN : SOURCE_CONFIGURED;
        *ret = last_good ? STEAL_PTR(last_good) : STEAL_PTR(policy);
        return 0;
}
