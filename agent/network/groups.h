/* SPDX-License-Identifier: GPL-2.0-or-later */
/* groups.h: who is in the groups that network rules name, by the user database. */
#pragma once

#include "agent/network/plan.h"

/* Of every group of POLICY's network rules. A group that cannot be asked about, as of a directory server
 * that does not answer, has whom it has among the N_LAST groups LAST, else those who could be asked about.
 * 0; 1 if there was one; -ENOMEM. */
int network_groups_read(const Policy *policy, const NetworkGroup *last, size_t n_last, NetworkGroup **ret,
                        size_t *ret_n);
void network_groups_free(NetworkGroup *groups, size_t n);
