/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plans.h: plans for tests, from the text of a policy. */
#pragma once

#include "agent/network/plan.h"
#include "tests/unit/policy/policy_text.h"

#define NETWORK HEAD "network:\n"

static const PolicyTime monday_noon = {.weekday = 1, .minute = 720, .expiry_now = 1800000000};

static inline NetworkPlan *plan_of(const char *text, const NetworkKnown *known, const PolicyTime *now) {
        static const NetworkKnown nothing;
        Policy *policy = policy_of(text);
        NetworkPlan *plan = NULL;

        policy_number_users(policy);
        cr_assert_eq(network_plan_make(policy, known ? known : &nothing, now ? now : &monday_noon, &plan),
                     0);
        policy_unref(policy); /* the plan has a reference of its own */
        return plan;
}
