/* SPDX-License-Identifier: GPL-2.0-or-later */
/* groups.h: who is in the groups that network rules name, by the user database. */
#pragma once

#include "agent/network/plan.h"

/* Of every group of POLICY's network rules. 0 or -ENOMEM; a group that cannot be asked about has nobody in
 * it. */
int network_groups_read(const Policy *policy, NetworkGroup **ret, size_t *ret_n);
void network_groups_free(NetworkGroup *groups, size_t n);
