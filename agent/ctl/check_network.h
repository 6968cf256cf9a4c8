/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check_network.h: what in the network section of a good policy may surprise. Pure but for the
 * locale.
 */
#pragma once

#include "policy/model.h"

/* Where a finding goes. RULE and ORIGIN may be NULL; MESSAGE is for people, in their language. */
typedef struct CheckNetworkSink {
        void (*tell)(void *userdata, const char *rule, const char *origin, const char *message);
        void *userdata;
} CheckNetworkSink;

/* Tells every finding. 0 or -ENOMEM. */
int check_network(const Policy *policy, const CheckNetworkSink *sink);
