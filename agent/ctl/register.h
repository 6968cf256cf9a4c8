/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * register.h: the register of approved media: a drop-in of the policy that sekishoctl writes, and nobody
 * else. Nothing is put in place that the policy's own loader does not take, together with all other
 * drop-ins.
 */
#pragma once

#include "agent/ctl/options.h"
#include "policy/build.h"
#include "policy/model.h"

#define DEFAULT_REGISTER_PATH "/etc/sekisho/policy.d/50-register.yaml"

typedef struct Register {
        const char *path;       /* borrowed */
        char *directory, *name; /* where it is, and what it is called there */
        int lock;               /* on the directory, while it is being changed; -1: none */
        Policy *entries;        /* its rules of removable.devices; NULL while there is no file */
        uint64_t serial;        /* of the whole policy as it is now */
} Register;

/* The register that OPTIONS name, as it is. With TO_CHANGE it has to be a file that sekishoctl wrote, the
 * policy around it has to be good, and nobody else may change it until it is cleared. 0, or 2 after one line
 * on stderr. */
int register_open(const Options *options, bool to_change, Register *ret);
void register_clear(Register *reg);
#define CLEANUP_REGISTER CLEANUP(register_clear)

/* The entry of that name, NULL if there is none. */
const DeviceRule *register_find(const Register *reg, const char *name);

/* What the register would be without REMOVED and with ADDED at its end (each may be NULL), in a policy of
 * the next serial. Puts nothing in place. RET_TEXT is allocated, RET_POLICY is the whole policy. 0, or 2
 * after one line on stderr. */
int register_prepare(const Register *reg, const DeviceRule *removed, const DeviceRule *added,
                     char **ret_text, Policy **ret_policy);

/* Put TEXT in place, for root alone. 0, or 2 after one line on stderr. */
int register_write(const Register *reg, const char *text);

/* Have the agent of OPTIONS take the policy of SERIAL, and say what came of it below SENTENCE (or as JSON,
 * with RULE). Returns the exit status of the command. */
int register_tell(const Register *reg, const Options *options, uint64_t serial, const char *sentence,
                  const DeviceRule *rule);

/* An entry as an object for programs. */
struct json_object *register_json(const DeviceRule *rule);
