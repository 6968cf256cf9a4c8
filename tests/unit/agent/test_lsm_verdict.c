/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <sys/sysmacros.h>

#include "agent/lsm/verdict.h"
#include "policy/decide.h"
#include "tests/unit/policy/policy_text.h"

#define SECOND UINT64_C(1000000000)
#define MINUTE (60 * SECOND)

static const time_t now_seconds = 1800000000;
static DeviceIdentity stick = {.bus = DEVICE_BUS_USB, .hotplug = true, .serial = (char *)"S1"};

/* Monday, 12:00:15, an hour after boot. */
static const LsmMoment monday_noon = {
        .time = {.weekday = 1, .minute = 720, .expiry_now = now_seconds},
        .boottime = 3600 * SECOND,
        .second = 15,
};

static LsmVerdict made(const Policy *policy, const LsmMoment *now) {
        SuperblockIdentity id = {.kind = SUPERBLOCK_BLOCK, .device = &stick};
        LsmVerdict verdict;
        Decision decision;

        decide_superblock(policy, &id, &now->time, &decision);
        memset(&verdict, 0xff, sizeof(verdict)); /* whatever was there before */
        lsm_verdict_make(policy, &id, &decision, now, &verdict);
        return verdict;
}

Test(lsm_verdict, of_nothing_denies) {
        struct lsm_verdict zero = {0};

        cr_expect_eq(zero.access, LSM_DENY);
        cr_expect_eq(lsm_devnum(makedev(8, 17)), (8U << 20) | 17);
        cr_expect_eq(lsm_devnum_back(lsm_devnum(makedev(259, 70000))), makedev(259, 70000));
}

Test(lsm_verdict, carries_the_access_as_it_was_decided) {
        static const struct {
                const char *access;
                int expected;
        } cases[] = {{"deny", LSM_DENY}, {"read-only", LSM_READ_ONLY}, {"write", LSM_WRITE}};

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char text[128];

                snprintf(text, sizeof(text), HEAD "removable: {default: %s}\n", cases[i].access);
                CLEANUP_POLICY Policy *policy = policy_of(text);
                LsmVerdict verdict = made(policy, &monday_noon);

                cr_expect_eq(verdict.value.access, cases[i].expected, "%s", cases[i].access);
                cr_expect_eq(verdict.value.n_conditions, 0);
                cr_expect_eq(verdict.value.until, 0);
        }
}

Test(lsm_verdict, of_a_rule_for_some_names_its_people) {
        CLEANUP_POLICY Policy *policy =
                policy_of(HEAD "removable: {devices: [{name: r, match: {serial: S1}, access: write, "
                               "users: [uid1001], groups: [gid200]}]}\n");
        LsmVerdict verdict;

        policy_number_users(policy);
        verdict = made(policy, &monday_noon);
        cr_assert_eq(verdict.value.n_conditions, 1);
        cr_expect_eq(verdict.value.conditions[0].by_person, 1);
        cr_expect_eq(verdict.value.conditions[0].from, 0);
        cr_expect_eq(verdict.value.conditions[0].until, UINT64_MAX);
        cr_assert_eq(verdict.scopes[0]->n_uids, 1);
        cr_expect_eq(verdict.scopes[0]->uids[0], 1001);
        cr_expect_eq(verdict.scopes[0]->gids[0], 200);
        cr_expect_eq(verdict.value.conditions[0].by_session, 0);
        policy->devices[0].scope.by_session = true;
        verdict = made(policy, &monday_noon);
        cr_expect_eq(verdict.value.conditions[0].by_session, 1);
}

/* A person whose name does not exist here is nobody, and not everybody. */
Test(lsm_verdict, of_a_rule_for_unknown_people_is_for_nobody) {
        CLEANUP_POLICY Policy *policy = policy_of(
                HEAD
                "removable: {devices: [{name: r, match: {serial: S1}, access: write, users: [gone]}]}\n");
        LsmVerdict verdict;

        policy_number_users(policy);
        verdict = made(policy, &monday_noon);
        cr_assert_eq(verdict.value.n_conditions, 1);
        cr_expect_eq(verdict.value.conditions[0].by_person, 1);
        cr_expect_eq(verdict.scopes[0]->n_uids, 0);
}

Test(lsm_verdict, of_hours_is_open_for_the_present_or_the_next_window) {
        static const struct {
                const char *hours;
                uint64_t from, until; /* after the boot-time clock of monday_noon */
        } cases[] = {
                {"Mon-Fri 08:30-17:15", 0, 315 * MINUTE - 15 * SECOND},
                {"Mon 12:00-12:01", 0, 45 * SECOND},
                {"Mon 13:00-14:00", 60 * MINUTE - 15 * SECOND, 120 * MINUTE - 15 * SECOND},
                {"Tue 00:00-01:00", 720 * MINUTE - 15 * SECOND, 780 * MINUTE - 15 * SECOND},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                char text[256];

                snprintf(
                        text, sizeof(text),
                        HEAD
                        "removable: {devices: [{name: r, match: {serial: S1}, access: write, hours: %s}]}\n",
                        cases[i].hours);
                CLEANUP_POLICY Policy *policy = policy_of(text);
                LsmVerdict verdict = made(policy, &monday_noon);
                const struct lsm_condition *condition = &verdict.value.conditions[0];

                cr_assert_eq(verdict.value.n_conditions, 1);
                cr_expect_eq(condition->by_person, 0);
                cr_expect_eq(condition->from, cases[i].from ? monday_noon.boottime + cases[i].from : 0, "%s",
                             cases[i].hours);
                cr_expect_eq(condition->until, monday_noon.boottime + cases[i].until, "%s", cases[i].hours);
        }
}

/* Also of another rule: then a new verdict has to be made, and if nobody does, nobody writes. */
Test(lsm_verdict, ends_with_the_first_rule_that_expires) {
        static const char form[] = HEAD
                "removable: {default: %s, devices: [{name: r, match: {serial: S2}, access: write, expires: "
                "2027-03-31}]}\n";
        char text[256];
        LsmVerdict verdict;
        time_t expiry;

        snprintf(text, sizeof(text), form, "write");
        CLEANUP_POLICY Policy *policy = policy_of(text);
        expiry = policy_next_expiry(policy, now_seconds);
        cr_assert_gt(expiry, now_seconds);
        verdict = made(policy, &monday_noon);
        cr_expect_eq(verdict.value.until, monday_noon.boottime + (uint64_t)(expiry - now_seconds) * SECOND);
}

Test(lsm_verdict, on_the_terminals_own_disks_has_no_end) {
        CLEANUP_POLICY Policy *policy = policy_of(HEAD "removable: {devices: [{name: r, match: {serial: "
                                                       "S2}, access: write, expires: 2027-03-31}]}\n");
        DeviceIdentity own = {.bus = DEVICE_BUS_NVME};
        SuperblockIdentity id = {.kind = SUPERBLOCK_BLOCK, .device = &own};
        LsmVerdict verdict;
        Decision decision;

        decide_superblock(policy, &id, &monday_noon.time, &decision);
        lsm_verdict_make(policy, &id, &decision, &monday_noon, &verdict);
        cr_expect_eq(verdict.value.access, LSM_WRITE);
        cr_expect_eq(verdict.value.until, 0);
        cr_expect_eq(verdict.value.n_conditions, 0);
}
