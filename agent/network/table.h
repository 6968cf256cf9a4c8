/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h: a plan as nftables understands it: the text of one table, which replaces the one before in one
 * transaction. Whatever the number of destinations, a packet costs one look at a map of address ranges, or
 * at three (lookups.h), and the few rules behind it. Pure. Source: nft(8).
 */
#pragma once

#include "agent/network/plan.h"

#define NETWORK_TABLE "sekisho"

enum {
        NETWORK_LOG_GROUP = 21317, /* of nfnetlink_log; nothing of Debian's takes so high a one */
        NETWORK_TABLE_MAX = 64 * 1024 * 1024
};

/* What the records begin with: what became of the packet. */
#define NETWORK_LOG_REFUSED   "sekisho-refused"
#define NETWORK_LOG_FORWARDED "sekisho-forwarded"
#define NETWORK_LOG_PASSED    "sekisho-passed" /* monitor, or default allow: the first of its destination */

/* Counters of the table. */
#define NETWORK_COUNT_REFUSED "refused" /* everything that was refused and is worth a record */
#define NETWORK_COUNT_PASSED  "passed"
#define NETWORK_COUNT_QUIET   "quiet" /* answers of the kernel to what came in, and group membership */

/* The commands that put PLAN in force, as a new string: without a table where the plan is off. 0, -ENOMEM;
 * -E2BIG where so many destinations lie in one another that it would take more than NETWORK_TABLE_MAX. */
int network_table_text(const NetworkPlan *plan, char **ret);
