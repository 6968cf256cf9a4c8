/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/lsm/verdict.h"

#include <string.h>
#include <sys/sysmacros.h>

#include "policy/decide.h"
#include "policy/hours.h"
#include "policy/monitor.h"

enum {
        MINOR_BITS = 20,
        SECONDS_PER_MINUTE = 60
};
#define NS_PER_SECOND UINT64_C(1000000000)

_Static_assert((int)LSM_DENY == (int)ACCESS_DENY && (int)LSM_READ_ONLY == (int)ACCESS_READ_ONLY &&
                       (int)LSM_WRITE == (int)ACCESS_WRITE,
               "the kernel's programs are told an Access as it is");
_Static_assert((int)LSM_CONDITIONS_MAX == (int)DECIDE_CONDITIONS_MAX, "as many conditions as there can be");

uint32_t lsm_devnum(dev_t devnum) {
        return (uint32_t)major(devnum) << MINOR_BITS | minor(devnum);
}

dev_t lsm_devnum_back(uint32_t devnum) {
        return makedev(devnum >> MINOR_BITS, devnum & ((1U << MINOR_BITS) - 1));
}

static uint64_t in_minutes(const LsmMoment *now, int minutes) {
        return now->boottime +
               ((uint64_t)minutes * SECONDS_PER_MINUTE - (now->second % SECONDS_PER_MINUTE)) * NS_PER_SECOND;
}

void lsm_window(const Hours *hours, const LsmMoment *now, uint64_t *from, uint64_t *until) {
        int weekday = now->time.weekday, minute = now->time.minute;
        int change = hours_next_change(hours, weekday, minute), end;
        const int day = 24 * SECONDS_PER_MINUTE, week = 7;

        *from = 0;
        *until = UINT64_MAX;
        if (hours_cover(hours, weekday, minute)) {
                if (change > 0)
                        *until = in_minutes(now, change);
                return;
        }
        *until = 0;
        if (change == 0)
                return;
        minute += change;
        end = hours_next_change(hours, (weekday + minute / day) % week, minute % day);
        *from = in_minutes(now, change);
        *until = in_minutes(now, change + end);
}

uint64_t lsm_expiry(time_t expires, const LsmMoment *now) {
        if (expires == 0)
                return 0;
        return now->boottime + (expires > now->time.expiry_now
                                        ? (uint64_t)(expires - now->time.expiry_now) * NS_PER_SECOND
                                        : 0);
}

void lsm_verdict_make(const Policy *policy, const SuperblockIdentity *superblock, const Decision *decision,
                      const LsmMoment *now, LsmVerdict *ret) {
        time_t expiry = policy_next_expiry(policy, now->time.expiry_now);
        size_t n;

        *ret = (LsmVerdict){.value.access = (uint8_t)decision->access};
        ret->value.monitor = decision->monitor || (policy_is_monitor(policy, now->time.expiry_now) &&
                                                   !policy_is_locked_down(policy));
        if (!decision->external || (decision->access != ACCESS_WRITE && !ret->value.monitor))
                return;
        ret->value.until = lsm_expiry(expiry, now);
        if (decision->access != ACCESS_WRITE)
                return;
        if (!decision->conditional)
                return;
        n = decide_conditions(policy, superblock, &now->time, ret->scopes);
        if (n == 0) /* it hangs on something that cannot be told: nobody writes */
                ret->value.access = LSM_READ_ONLY;
        ret->value.n_conditions = (uint8_t)n;
        for (size_t i = 0; i < n; i++) {
                const RuleScope *scope = ret->scopes[i];
                uint64_t from, until;

                lsm_window(&scope->hours, now, &from, &until);
                ret->value.conditions[i].from = from;
                ret->value.conditions[i].until = until;
                ret->value.conditions[i].by_person = scope->n_users > 0 || scope->n_groups > 0;
                ret->value.conditions[i].by_session = scope->by_session;
        }
}
