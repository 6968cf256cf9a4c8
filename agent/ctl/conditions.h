/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conditions.h: to whom, when and until when a rule applies, in words. Pure.
 */
#pragma once

#include <stdio.h>

#include "agent/ctl/json.h"
#include "policy/model.h"

/* The scope of the device, file-system, network or login rule of that name, NULL if there is none. */
const RuleScope *conditions_of_rule(const Policy *policy, const char *rule);

/* "user sato, group zeimu; Mon-Fri 08:30-17:15; until the end of 2027-03-31" as a new string; NULL if the
 * scope has no condition or memory is short. */
char *conditions_for_person(const RuleScope *scope);

/* HOURS as the policy's grammar has them. */
void conditions_print_hours(const Hours *hours, FILE *to);

/* {"users": [...], "groups": [...], "hours": "Mon-Fri 08:30-17:15"|null, "expires": ISO|null}: the first
 * second at which it no longer holds. */
struct json_object *conditions_json(const RuleScope *scope);
