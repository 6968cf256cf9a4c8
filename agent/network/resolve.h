/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve.h: the addresses of the names that network rules have, asked of the policy's resolvers and of
 * nobody else: neither /etc/hosts nor /etc/resolv.conf is looked at. An answer is asked for anew when it has
 * lived its time, and the last good one stays while no resolver answers, and over restarts of the agent.
 */
#pragma once

#include <systemd/sd-event.h>

#include "agent/network/plan.h"

enum {
        RESOLVE_TTL_MIN = 30, /* seconds: what says less would have the table replaced all the time */
        RESOLVE_TTL_MAX = 3600,
        RESOLVE_AGAIN = 15, /* seconds after a question that nobody answered */
        RESOLVE_ADDRESSES_MAX = 64
};

typedef struct Resolver Resolver;

/* Some name has other addresses than before. */
typedef void (*ResolverChanged)(void *userdata);
/* A name that could be resolved, or had not been asked for, cannot be (ERROR is a line), or can be again
 * (NULL). What it had stays. NAME is NULL for what was or is to be remembered of all. */
typedef void (*ResolverState)(void *userdata, const char *name, const char *error);

/* What is known is remembered in the file PATH. 0 or -errno. */
int resolver_new(sd_event *event, const char *path, ResolverChanged changed, ResolverState state,
                 void *userdata, Resolver **ret);
Resolver *resolver_free(Resolver *resolver); /* returns NULL */

/* Ask the resolvers of POLICY for the names of its rules from now on. What is known of names that it still
 * has is kept. 0 or -errno. */
int resolver_follow(Resolver *resolver, const Policy *policy);

/* What is known. Borrowed until the next turn of the loop. */
const NetworkName *resolver_names(const Resolver *resolver, size_t *ret_n);

/* How many names cannot be resolved just now. */
size_t resolver_n_failing(const Resolver *resolver);
