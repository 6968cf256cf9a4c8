/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/notify/flood.h"

void flood_add(Flood *flood, uint64_t count, uint64_t now) {
        if (flood->total == 0 || now - flood->last > FLOOD_QUIET_USEC)
                *flood = (Flood){.fresh = true};
        flood->total += count;
        flood->last = now;
        flood->pending = true;
}

uint64_t flood_due(const Flood *flood, uint64_t interval) {
        if (!flood->pending)
                return UINT64_MAX;
        return flood->fresh ? 0 : flood->shown + interval;
}

void flood_shown(Flood *flood, uint64_t now) {
        flood->shown = now;
        flood->pending = flood->fresh = false;
}
