/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grants.h: org.sekisho.Guard1.Grants, by which exceptions are given, approved, asked for, taken back and
 * listed. Who may do what is polkit's; what follows is the agent's.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "agent/bus/jobs.h"
#include "agent/bus/request.h"
#include "agent/grants/question.h"

#define BUS_GRANTS_NAME "org.sekisho.Guard1.Grants"
/* Refused; the message is the word of a GrantRefusal. */
#define BUS_ERROR_GRANT_REFUSED "org.sekisho.Guard1.Error.GrantRefused"

typedef struct BusGrantsCallbacks {
        /* who is meant by QUESTION: with NAMES in a thread, where it may take its time */
        void (*look_up)(const GrantQuestion *question, bool names, GrantPeople *ret);
        /* GRANT_TAKEN with JSON as a new string (NULL if memory is short), or why not */
        GrantRefusal (*ask)(void *userdata, const GrantQuestion *question, char **ret);
        void *userdata;
} BusGrantsCallbacks;

typedef struct BusGrants {
        BusGrantsCallbacks callbacks;
        Requests requests;
        sd_bus_slot *object;
        BusJobs *jobs; /* NULL: memory was short, and nothing is granted */
} BusGrants;

/* Serves on BUS at PATH until bus_grants_down(). 0 or -errno. */
int bus_grants_up(BusGrants *grants, sd_bus *bus, const char *path);
void bus_grants_down(BusGrants *grants);
