/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/with_grants.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/build.h"
#include "policy/decide.h"
#include "policy/scope.h"
#include "policy/serial_hash.h"

static int copy_text(const char *from, char **to) {
        *to = from ? strdup(from) : NULL;
        return from && !*to ? -ENOMEM : 0;
}

static bool may_be(const char *a, const char *b) {
        return !a || !b || strcasecmp(a, b) == 0;
}

/* Whether both cover some medium: what one does not give may be anything. */
static bool may_meet(const DeviceMatch *a, const DeviceMatch *b) {
        return may_be(a->serial, b->serial) && may_be(a->vendor, b->vendor) &&
               may_be(a->product, b->product) && (!a->bus_set || !b->bus_set || a->bus == b->bus);
}

/* Whether a rule of BASE that may be the one for such a medium asks for encryption. The first that covers
 * each of them and never ends hides those behind it. */
static bool asks_for_encryption(const Policy *base, const DeviceMatch *match) {
        const DeviceIdentity least = {.vendor = match->vendor,
                                      .product = match->product,
                                      .serial = match->serial,
                                      .bus = match->bus_set ? match->bus : DEVICE_BUS_UNKNOWN};

        for (size_t i = 0; i < base->n_devices; i++) {
                const DeviceRule *rule = &base->devices[i];

                if (rule->encrypted && may_meet(&rule->match, match))
                        return true;
                if (rule->scope.expires == 0 && (match->bus_set || !rule->match.bus_set) &&
                    device_match_covers(&rule->match, &least))
                        return false;
        }
        return false;
}

/* What of RULE is made already is cleared with it. */
static int make_rule(const Policy *base, const GrantRule *grant, DeviceRule *rule) {
        char uid[16];
        int r = 0;

        *rule = (DeviceRule){.access = ACCESS_WRITE,
                             .encrypted = asks_for_encryption(base, &grant->match),
                             .match = {.bus_set = grant->match.bus_set, .bus = grant->match.bus},
                             .scope = {.expires = grant->until}};
        (void)snprintf(uid, sizeof(uid), "%u", (unsigned)grant->uid);
        rule->scope.users = calloc(1, sizeof(*rule->scope.users));
        rule->scope.uids = calloc(1, sizeof(*rule->scope.uids));
        if (!rule->scope.users || !rule->scope.uids)
                return -ENOMEM;
        rule->scope.by_session = true;
        if (grant->n_sessions > 0) {
                rule->scope.sessions = calloc(grant->n_sessions, sizeof(*rule->scope.sessions));
                if (!rule->scope.sessions)
                        return -ENOMEM;
                memcpy(rule->scope.sessions, grant->sessions, grant->n_sessions * sizeof(*grant->sessions));
                rule->scope.n_sessions = grant->n_sessions;
        }
        rule->scope.users[0] = strdup(uid);
        if (!rule->scope.users[0])
                return -ENOMEM;
        rule->scope.n_users = rule->scope.n_uids = 1;
        rule->scope.uids[0] = grant->uid;
        if (asprintf(&rule->name, "grant %" PRIu32, grant->id) < 0) {
                rule->name = NULL;
                return -ENOMEM;
        }
        rule->origin = strdup("grants");
        r = rule->origin ? copy_text(grant->match.vendor, &rule->match.vendor) : -ENOMEM;
        if (r == 0)
                r = copy_text(grant->match.product, &rule->match.product);
        if (r == 0)
                r = copy_text(grant->match.serial, &rule->match.serial);
        return r;
}

static int fill(Policy *policy, const GrantRule *grants, size_t n) {
        const Policy *base = policy->base;
        int r = 0;

        policy->devices = calloc(base->n_devices + n, sizeof(*policy->devices));
        policy->device_serials = calloc(base->n_devices + n, sizeof(*policy->device_serials));
        policy->n_grants = policy->n_devices = 0;
        if (!policy->devices || !policy->device_serials)
                return -ENOMEM;
        for (size_t i = 0; r == 0 && i < n; i++)
                if (grants[i].match.serial)
                        r = make_rule(base, &grants[i], &policy->devices[policy->n_grants++]);
        if (r < 0)
                return r;
        if (base->n_devices > 0)
                memcpy(policy->devices + policy->n_grants, base->devices,
                       base->n_devices * sizeof(*base->devices));
        policy->n_devices = policy->n_grants + base->n_devices;
        for (size_t i = 0; i < policy->n_devices; i++)
                policy->device_serials[i] = serial_hash(policy->devices[i].match.serial);
        return 0;
}

int policy_with_grants(Policy *base, const GrantRule *grants, size_t n, Policy **ret) {
        Policy *root = base->base ? base->base : base;
        bool locked = __atomic_load_n(&base->machine_locked, __ATOMIC_ACQUIRE);
        CLEANUP_POLICY Policy *policy = NULL;
        int r;

        if (n == 0) {
                if (root->lsm_missing != base->lsm_missing)
                        root->lsm_missing = base->lsm_missing;
                policy_set_machine_locked(root, locked);
                *ret = policy_ref(root);
                return 0;
        }
        policy = malloc(sizeof(*policy));
        if (!policy)
                return -ENOMEM;
        memcpy(policy, root, sizeof(*policy));
        policy->references = 1;
        policy->base = policy_ref(root);
        policy->lsm_missing = base->lsm_missing;
        policy_set_machine_locked(policy, locked);
        r = fill(policy, grants, n);
        if (r < 0)
                return r;
        *ret = STEAL_PTR(policy);
        return 0;
}
