/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy_install.h: handing a sealed bundle to the guard, for the commands that have one. */
#pragma once

#include "agent/ctl/json.h"
#include "agent/ctl/options.h"

/* Tells what would change (into ANSWER, and to a person), and has the guard put it in force; with --dry-run
 * not that. NAME names the bundle in messages. The exit status. */
int policy_install(const Options *options, struct json_object *answer, const char *name, const char *sealed,
                   size_t length);
