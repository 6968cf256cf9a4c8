/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions before the rules of a policy: for one person and one medium, until they end. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "policy/build.h"
#include "policy/decide.h"
#include "policy/serial_hash.h"
#include "policy/with_grants.h"

static const PolicyTime noon = {.weekday = 1, .minute = 720, .expiry_now = 1000};
static char serial[] = "S1", other_serial[] = "S2";
static const DeviceIdentity stick = {.serial = serial, .bus = DEVICE_BUS_USB, .hotplug = true},
                            other = {.serial = other_serial, .bus = DEVICE_BUS_USB, .hotplug = true};
static const SuperblockIdentity volume = {.kind = SUPERBLOCK_BLOCK, .fstype = "vfat", .device = &stick};

/* Reading only, but for a group's rule about the stick. */
static Policy *make_base(bool encrypted) {
        Policy *policy = policy_new();

        cr_assert_not_null(policy);
        policy->removable_default = ACCESS_READ_ONLY;
        policy->removable_origin = strdup("a:1");
        policy->devices = calloc(1, sizeof(*policy->devices));
        policy->device_serials = calloc(1, sizeof(*policy->device_serials));
        policy->n_devices = 1;
        policy->devices[0] = (DeviceRule){.name = strdup("rule"),
                                          .origin = strdup("a:2"),
                                          .match = {.serial = strdup(serial)},
                                          .access = ACCESS_READ_ONLY,
                                          .encrypted = encrypted};
        policy->device_serials[0] = serial_hash(serial);
        return policy;
}

static const GrantRule grant = {.id = 7,
                                .uid = 1000,
                                .sessions = {5, 6},
                                .n_sessions = 2,
                                .match = {.serial = serial, .bus_set = true, .bus = DEVICE_BUS_USB},
                                .until = 2000};

static Verdict write_in(const Policy *policy, uid_t uid, uint32_t session, time_t at) {
        const Subject subject = {.uid = uid, .gid = 100, .session = session};
        PolicyTime now = noon;
        OpenDecision decision;

        now.expiry_now = at;
        decide_open(policy, &volume, &subject, true, &now, &decision);
        return decision.verdict;
}

static Verdict write_by(const Policy *policy, uid_t uid, time_t at) {
        return write_in(policy, uid, 6, at);
}

Test(with_grants, only_the_persons_sessions_write) {
        Policy *base = make_base(false), *policy = NULL;
        GrantRule nowhere = grant;

        cr_assert_eq(policy_with_grants(base, &grant, 1, &policy), 0);
        cr_assert_eq(write_in(policy, 1000, 5, 1000), VERDICT_ALLOW);
        cr_assert_eq(write_in(policy, 1000, 7, 1000), VERDICT_DENY);
        cr_assert_eq(write_in(policy, 1000, 0, 1000), VERDICT_DENY);
        cr_assert_eq(write_in(policy, 1000, UINT32_MAX, 1000), VERDICT_DENY);
        policy_unref(policy);
        nowhere.n_sessions = 0;
        cr_assert_eq(policy_with_grants(base, &nowhere, 1, &policy), 0);
        cr_assert_eq(write_in(policy, 1000, 5, 1000), VERDICT_DENY);
        cr_assert_eq(write_in(policy, 1000, 0, 1000), VERDICT_DENY);
        policy_unref(policy);
        policy_unref(base);
}

Test(with_grants, one_person_writes_until_it_ends) {
        Policy *base = make_base(false), *policy = NULL;
        Decision decision;

        cr_assert_eq(policy_with_grants(base, &grant, 1, &policy), 0);
        cr_assert_eq(write_by(base, 1000, 1000), VERDICT_DENY, "the policy itself is as it was");
        cr_assert_eq(write_by(policy, 1000, 1000), VERDICT_ALLOW);
        cr_assert_eq(write_by(policy, 1001, 1000), VERDICT_DENY);
        cr_assert_eq(write_by(policy, 0, 1000), VERDICT_DENY, "root is nobody special");
        cr_assert_eq(write_by(policy, 1000, 1999), VERDICT_ALLOW);
        cr_assert_eq(write_by(policy, 1000, 2000), VERDICT_DENY);
        cr_assert_eq(policy_next_expiry(policy, 1000), 2000);
        decide_device(policy, &stick, &noon, &decision);
        cr_assert_str_eq(decision.rule, "grant 7");
        cr_assert(decision.conditional);
        decide_device(policy, &other, &noon, &decision);
        cr_assert_eq(decision.access, ACCESS_READ_ONLY);
        policy_unref(policy);
        policy_unref(base);
}

Test(with_grants, it_outlives_what_it_was_made_from) {
        Policy *base = make_base(false), *policy = NULL, *next = NULL, *none = NULL;

        cr_assert_eq(policy_with_grants(base, &grant, 1, &policy), 0);
        policy_unref(base);
        cr_assert_eq(policy_with_grants(policy, &grant, 1, &next), 0);
        policy_unref(policy);
        cr_assert_eq(write_by(next, 1000, 1000), VERDICT_ALLOW);
        cr_assert_eq(next->n_devices, 2, "not on top of the ones before");
        cr_assert_eq(policy_with_grants(next, NULL, 0, &none), 0);
        policy_unref(next);
        cr_assert_eq(none->n_grants, 0);
        cr_assert_eq(write_by(none, 1000, 1000), VERDICT_DENY);
        policy_unref(none);
}

Test(with_grants, a_lockdown_and_a_kernel_without_hooks_hold) {
        Policy *base = make_base(false), *policy = NULL, *next = NULL, *none = NULL;

        cr_assert_eq(policy_with_grants(base, &grant, 1, &policy), 0);
        policy_set_machine_locked(policy, true);
        cr_assert_eq(policy_with_grants(policy, &grant, 1, &next), 0);
        cr_assert_eq(write_by(next, 1000, 1000), VERDICT_DENY);
        cr_assert_eq(policy_with_grants(next, NULL, 0, &none), 0);
        cr_assert(policy_is_locked_down(none));
        policy_unref(none);
        policy_unref(next);
        policy_unref(policy);
        policy_set_machine_locked(base, false);
        base->lsm_missing = true;
        cr_assert_eq(policy_with_grants(base, &grant, 1, &policy), 0);
        cr_assert_eq(write_by(policy, 1000, 1000), VERDICT_DENY);
        policy_unref(policy);
        policy_unref(base);
}

Test(with_grants, encryption_is_still_asked_for) {
        Policy *base = make_base(true), *policy = NULL;

        cr_assert_eq(policy_with_grants(base, &grant, 1, &policy), 0);
        cr_assert_eq(write_by(policy, 1000, 1000), VERDICT_DENY);
        policy_unref(policy);
        policy_unref(base);
}

/* The rule names the vendor and the product; an exception may leave them out, and is for the stick yet. */
Test(with_grants, encryption_is_asked_for_whatever_the_exception_leaves_out) {
        static char vendor[] = "0951", product[] = "1666", other_vendor[] = "090C", other_product[] = "1000";
        static const struct {
                char *vendor, *product;
                bool bus_set, earlier, encrypted;
        } cases[] = {
                {NULL, NULL, true, false, true},
                {vendor, NULL, true, false, true},
                {NULL, product, true, false, true},
                {vendor, product, true, false, true},
                {NULL, NULL, false, false, true},
                {other_vendor, NULL, true, false, false},
                {NULL, other_product, true, false, false},
                {NULL, NULL, true, true, true},
                {other_vendor, other_product, true, true, false},
                {vendor, product, true, true, true},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                Policy *base = make_base(true), *policy = NULL;
                GrantRule loose = grant;

                base->devices[0].match.vendor = strdup(vendor);
                base->devices[0].match.product = strdup(product);
                base->devices[0].match.bus_set = true;
                base->devices[0].match.bus = DEVICE_BUS_USB;
                if (cases[i].earlier) { /* another stick's rule, which asks for nothing, stands first */
                        base->devices = realloc(base->devices, 2 * sizeof(*base->devices));
                        base->device_serials = realloc(base->device_serials, 2 * sizeof(uint32_t));
                        base->devices[1] = base->devices[0];
                        base->devices[0] = (DeviceRule){.name = strdup("other"),
                                                        .origin = strdup("a:1"),
                                                        .match = {.vendor = strdup(other_vendor)},
                                                        .access = ACCESS_READ_ONLY};
                        base->device_serials[0] = serial_hash(NULL);
                        base->device_serials[1] = serial_hash(serial);
                        base->n_devices = 2;
                }
                loose.match.vendor = cases[i].vendor;
                loose.match.product = cases[i].product;
                loose.match.bus_set = cases[i].bus_set;
                cr_assert_eq(policy_with_grants(base, &loose, 1, &policy), 0);
                cr_expect_eq(policy->devices[0].encrypted, cases[i].encrypted, "case %zu", i);
                policy_unref(policy);
                policy_unref(base);
        }
}

Test(with_grants, one_without_a_serial_is_left_out) {
        Policy *base = make_base(false), *policy = NULL;
        GrantRule loose = grant;

        loose.match.serial = NULL;
        cr_assert_eq(policy_with_grants(base, &loose, 1, &policy), 0);
        cr_assert_eq(policy->n_grants, 0);
        cr_assert_eq(write_by(policy, 1000, 1000), VERDICT_DENY);
        policy_unref(policy);
        policy_unref(base);
}
