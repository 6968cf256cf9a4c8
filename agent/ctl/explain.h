/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain.h: what both explaining commands share: the policy and the time that are asked, and the answer for
 * people and for programs.
 */
#pragma once

#include "agent/ctl/json.h"
#include "agent/ctl/options.h"
#include "policy/decide.h"

#define DEFAULT_POLICY_PATH "/etc/sekisho/policy.d"

typedef struct Explain {
        Policy *policy;
        const char *path;
        bool builtin, json;
        uint64_t at; /* microseconds */
        PolicyTime time;
} Explain;

/* 0, or 2 after one line on stderr. */
int explain_begin(const Options *options, Explain *ret);
void explain_clear(Explain *explain);

/* The answer. Strings are borrowed. */
typedef struct Explanation {
        bool allowed;
        const char *sentence; /* what is decided */
        Reason reason;
        const char *rule, *origin;
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
