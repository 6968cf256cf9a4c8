/* SPDX-License-Identifier: GPL-2.0-or-later */
/* assets.h: which of the policy's assets a file belongs to, by its path. Pure. */
#pragma once

#include "policy/model.h"

/* The asset that PATH lies in, the strictest if there are several; NULL if in none. A path of a file that
 * was deleted counts as well (proc(5) puts " (deleted)" behind it). */
const Asset *policy_asset_of(const Policy *policy, const char *path);

/* Whether some asset may never be the source of a write outside. */
bool policy_keeps_assets(const Policy *policy);
