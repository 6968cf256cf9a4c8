/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * service.h: org.sekisho.Guard1 on the system bus: what the guard tells, and to whom. It only asks and
 * tells: enforcement goes on alike without a bus, with one that hangs, and with one that comes and goes.
 * Never waits for anything; runs on the agent's loop behind everything that enforces.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "agent/bus/grants.h"
#include "agent/bus/jobs.h"
#include "agent/bus/logins.h"
#include "agent/report/report.h"
#include "policy/decide_mfa.h"
#include "policy/model.h"

#define BUS_SERVICE_NAME "org.sekisho.Guard1"
#define BUS_SERVICE_PATH "/org/sekisho/Guard1"
/* A lockdown is to be lifted that the policy asks for. */
#define BUS_ERROR_BY_POLICY "org.sekisho.Guard1.Error.ByPolicy"
/* It cannot be begun: the guard was started to watch only. */
#define BUS_ERROR_WATCHES_ONLY "org.sekisho.Guard1.Error.WatchesOnly"
/* Root asks for a maintenance, and does not sit at the machine. */
#define BUS_ERROR_NOT_AT_CONSOLE "org.sekisho.Guard1.Error.NotAtConsole"

typedef struct BusService BusService;

typedef struct BusServiceCallbacks {
        /* the status, and the external devices, as JSON: a new string, NULL if memory is short */
        char *(*status)(void *userdata);
        char *(*devices)(void *userdata);
        /* load the policy anew: 1 if it is in force, 0 if it was refused, with its faults as a new string */
        int (*reload)(void *userdata, char **ret_faults);
        /* put a sealed bundle in force: likewise */
        int (*install_policy)(void *userdata, const char *text, size_t length, char **ret_faults);
        /* lift the protection of the guard itself, or put it in force again, because root's process PID asks
         * for it: as agent_begin_maintenance() and agent_end_maintenance() */
        int (*begin_maintenance)(void *userdata, pid_t pid, const char *reason, uint32_t minutes);
        int (*end_maintenance)(void *userdata, pid_t pid);
        /* lock the terminal down, or lift that, because PID asks for it, which may: as
         * agent_begin_lockdown() and agent_end_lockdown() */
        int (*begin_lockdown)(void *userdata, pid_t pid, const char *reason);
        int (*end_lockdown)(void *userdata, pid_t pid, const char *reason);
        /* the policy in force, borrowed until the next turn of the loop */
        const Policy *(*policy)(void *userdata);
        /* the time to ask it with: 0 or -errno */
        int (*time)(void *userdata, PolicyTime *ret);
        /* whether the guard is in force, for who decides on a login */
        Presence (*presence)(void *userdata);
        BusLoginsCallbacks logins;
        BusJobsCallbacks people;
        BusGrantsCallbacks grants;
        /* the bus came or went */
        void (*changed)(void *userdata);
        void *userdata;
} BusServiceCallbacks;

/* Serves from now on, as soon as and as long as there is a bus. Listens to REPORT until it is freed.
 * 0 or -errno. */
int bus_service_new(sd_event *event, Report *report, const BusServiceCallbacks *callbacks, BusService **ret);
BusService *bus_service_free(BusService *service); /* returns NULL */

/* Whether the guard has its name on a bus now. SERVICE may be NULL in both. */
bool bus_service_is_up(const BusService *service);

/* Have systemd-logind lock every session it can, if there is one; nothing is waited for. */
void bus_service_lock_sessions(const BusService *service);

/* Denials that were not told, or not to everybody whom they concern, for want of room. */
uint64_t bus_service_untold(const BusService *service);
