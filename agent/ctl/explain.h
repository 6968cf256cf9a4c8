/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain.h: what the explaining commands share: the policy and the time that are asked, and the answer for
 * people and for programs.
 */
#pragma once

#include "agent/ctl/json.h"
#include "agent/ctl/options.h"
#include "policy/decide.h"

#define DEFAULT_POLICY_PATH "/etc/sekisho/policy.d"
/* What the guard took last, which it keeps in case that what is configured goes bad. */
#define LAST_GOOD_PATH "/var/lib/sekisho/last-good"

typedef struct Explain {
        Policy *policy;
        const char *path;
        bool builtin, json;
        uint64_t at; /* microseconds */
        PolicyTime time;
} Explain;

/* The policy at PATH, which has to be there if it was GIVEN. 0, 1 for the built-in default, or -errno after
 * one line on stderr. */
int explain_load(const char *path, bool given, Policy **ret);

/* 0, or 2 after one line on stderr. */
int explain_begin(const Options *options, Explain *ret);
void explain_clear(Explain *explain);

/* The answer. Strings are borrowed. */
typedef struct Explanation {
        bool allowed;
        const char *sentence; /* what is decided */
        Reason reason;
        const char *word, *why; /* in place of the reason's own; NULL: those */
        const char *rule, *origin;
        bool monitor; /* what is refused by it is only recorded */
} Explanation;

/* One line: what is decided, and why. */
void explain_print_sentences(const Explanation *explanation);

/* Where the deciding rule stands, for people. */
const char *explain_origin(const Explanation *explanation);

/* Sentence, reason, rule with its conditions, policy and time. */
void explain_print(const Explain *explain, const Explanation *explanation);

/* The same as keys of an object, which the caller adds to and puts. */
struct json_object *explain_json(const Explain *explain, const Explanation *explanation);

/* DEVICE as a value for "device". */
struct json_object *explain_device_json(const DeviceIdentity *device);

#define CLEANUP_EXPLAIN CLEANUP(explain_clear)
