/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/lockout.h"

#include "policy/monitor.h"

DEFINE_ENUM_STRINGS(EssentialKind, essential_kind, ESSENTIAL_KIND_LIST)

static bool lets_in(const Policy *policy, const Essential *item, const PolicyTime *now, Decision *ret) {
        *ret = (Decision){.access = ACCESS_WRITE};
        if (!item->usb || !policy || policy_is_monitor(policy, now->expiry_now))
                return true;
        decide_usb_interface(policy, &item->id, item->class, now, ret);
        return ret->access != ACCESS_DENY || ret->monitor;
}

const Essential *policy_find_lockout(const Policy *present, const Policy *candidate, const Essential *items,
                                     size_t n, const PolicyTime *now, Decision *ret_decision) {
        const Essential *taken[ESSENTIAL_CARD_READER + 1] = {0};
        bool left[ESSENTIAL_CARD_READER + 1] = {0};
        Decision decision;

        for (size_t i = 0; i < n; i++)
                if (lets_in(candidate, &items[i], now, &decision))
                        left[items[i].kind] = true;
                else if (!taken[items[i].kind] && lets_in(present, &items[i], now, &decision))
                        taken[items[i].kind] = &items[i];
        for (size_t kind = 0; kind <= ESSENTIAL_CARD_READER; kind++)
                if (taken[kind] && !left[kind]) {
                        (void)lets_in(candidate, taken[kind], now, ret_decision);
                        return taken[kind];
                }
        return NULL;
}
