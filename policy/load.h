/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load.h: from YAML to a checked Policy. Loading is strict and whole: any fault refuses everything, and
 * every fault of every file is listed with file, line, column and what was expected.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "policy/model.h"
#include "policy/translate.h"

/* One fault. LINE and COLUMN count from 1; 0 where a fault has no place (an unreadable file). */
typedef struct PolicyFault {
        char *file;
        size_t line, column;
        char *message;
} PolicyFault;

typedef struct PolicyFaults {
        PolicyFault *items;
        size_t n;
        Translate translate; /* set by the caller before loading: in what language; NULL: English */
} PolicyFaults;

void policy_faults_clear(PolicyFaults *faults);
/* Prints "FILE:LINE:COLUMN: MESSAGE" per fault. */
void policy_faults_print(const PolicyFaults *faults, FILE *to);

/* Load PATH, a file or a directory of *.yaml drop-ins, which are merged in byte order of their names: single
 * values of a later file replace earlier ones, lists are appended, a rule name may occur only once.
 * Files must be regular, owned by root or the caller, and not writable by group or others; at most 4 MiB
 * each. A directory without any *.yaml, or a path that does not exist, gives the built-in default and 1 as
 * result. Returns 0, 1 (built-in default), -EBADMSG with RET_FAULTS filled, or -errno (-ENOMEM, …). RET and
 * its ownership pass only on success; RET_FAULTS is initialised by the caller, may be filled in any case and
 * is the caller's. */
int policy_load(const char *path, Policy **ret, PolicyFaults *ret_faults);

/* The same with the public keys of the directory KEYS. A directory that holds a bundle (bundle.h) gives what
 * is in that, and nothing of what lies beside it; the bundle has to be sealed with a key of KEYS. A file may
 * be a bundle as well, with or without a signature. policy_load() takes keys.d beside a directory of
 * policies, and for a file those of the machine. */
int policy_load_with_keys(const char *path, const char *keys, Policy **ret, PolicyFaults *ret_faults);

/* The directory of public keys that goes with PATH. A new string, NULL if memory is short. */
char *policy_keys_of(const char *path);

/* The same from memory: a sealed bundle that NAME stands for in faults, and nothing else. */
int policy_load_sealed(const char *name, const char *text, size_t length, const char *keys, Policy **ret,
                       PolicyFaults *ret_faults);

/* What policy_load would make of DIRECTORY if its file NAME, which may be there or not, had this text. Never
 * the built-in default. */
int policy_load_replacing(const char *directory, const char *name, const char *text, size_t length,
                          Policy **ret, PolicyFaults *ret_faults);

/* The same from memory; NAME stands for the file name. Used by fuzzers and tests. */
int policy_load_buffer(const char *name, const char *text, size_t length, Policy **ret,
                       PolicyFaults *ret_faults);

/* The built-in default: no writes to anything external, unnamed USB classes refused. 0 or -ENOMEM. */
int policy_default(Policy **ret);

/* How names become numbers. Return 0 and fill RET, -ENOENT if there is no such name, or another -errno. */
typedef struct PolicyResolver {
        int (*user)(void *userdata, const char *name, uid_t *ret);
        int (*group)(void *userdata, const char *name, gid_t *ret);
        void (*missing)(void *userdata, const char *rule, const char *kind,
                        const char *name); /* may be NULL */
        void *userdata;
} PolicyResolver;

/* Fill the uids and gids of every rule. A name that does not exist matches nobody and is told to MISSING.
 * Call it once, before the policy is shared. 0 or -errno. */
int policy_resolve(Policy *policy, const PolicyResolver *resolver);

/* The same for the section mfa alone. */
int policy_resolve_mfa(Policy *policy, const PolicyResolver *resolver);

/* The resolver of the machine (getpwnam_r, getgrnam_r). */
extern const PolicyResolver policy_resolver_nss;
