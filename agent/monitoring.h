/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * monitoring.h: the names of what is only tried out, as they were told last, so that a beginning and an end
 * are told once each. Pure.
 */
#pragma once

#include <stddef.h>

#include "policy/monitor.h"

typedef struct Monitoring {
        char **names; /* owned */
        size_t n;
} Monitoring;

/* What is in one of two lists alone, and when the first of it ends. */
typedef struct MonitoringChange {
        char *names; /* joined by ", ", as many as people read; owned */
        size_t n;
        time_t until; /* 0: no end */
} MonitoringChange;

/* The names at NOW; where BY_OPTION, also that of the agent's option. 0 or -ENOMEM. */
int monitoring_read(const Policy *policy, time_t now, bool by_option, Monitoring *ret);
void monitoring_clear(Monitoring *monitoring);

/* What of A is not in B. POLICY tells the ends, where it still has them. 0 or -ENOMEM. */
int monitoring_compare(const Monitoring *a, const Monitoring *b, const Policy *policy, time_t now,
                       MonitoringChange *ret);
