/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_diff.h: what becomes different with another policy, in verdicts and not in text. Every question is
 * asked of both on which they can differ: about the devices, destinations and the like that either names and
 * one that neither does, for the people, hours and days that matter there, from NOW on. Reads nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "agent/ctl/json.h"
#include "policy/model.h"

enum {
        POLICY_DIFF_QUESTIONS_MAX = 4000000 /* some seconds */
};

/* Compares BEFORE with AFTER, with at most LIMIT questions. Names are numbered alike in both, whether or not
 * this machine knows them: neither policy may decide about this machine from then on unless it is resolved
 * again. 0 and an object, or -errno:
 * {"changed", "cut", "questions", "serial": {"before", "after"}, "older",
 *  "changes": [{"section", "what", "before", "after", "rule_before", "rule_after", "people", "hours",
 * "from", "until"}]}. */
int policy_diff(Policy *before, Policy *after, time_t now, size_t limit, struct json_object **ret);

/* The same for people, in their language; nothing but a line where nothing changes. 0 or -ENOMEM. */
int policy_diff_print(struct json_object *diff, FILE *to);

/* Whether any verdict changes, or the serial goes down, so that the guard would refuse it. */
bool policy_diff_changes(const struct json_object *diff);
