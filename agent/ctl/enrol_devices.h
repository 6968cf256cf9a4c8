/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enrol_devices.h: what the commands that enrol devices have in common. Each says itself what goes wrong. */
#pragma once

#include "agent/ctl/factors.h"
#include "agent/ctl/options.h"
#include "policy/load.h"

static inline void scope_policy(Policy **policy) {
        policy_unref(*policy);
}
#define CLEANUP_POLICY CLEANUP(scope_policy)

/* The policy that is in force, or that --policy names. 0, or not after a line on stderr. */
int enrol_policy(const Options *options, Policy **ret);

/* An option that is one word of the store. The same. */
int enrol_word(const Options *options, Option option, const char *name, const char *initial, char *ret,
               size_t size);

/* What the person is to do now: not among the answer for programs. */
void enrol_say(const Options *options, const char *text);

/* A line of standard input, which is not shown where it is typed. 0, -ENODATA if it is empty, or -errno. */
int enrol_read_secret(const Options *options, const char *prompt, Secret *ret);

/* Writes and tells what EDIT has become by FACTOR. The exit status. */
int enrol_save(const Options *options, FactorsEdit *edit, Factor factor);
