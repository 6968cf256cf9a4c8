/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * own_factors.h: org.sekisho.Guard1.OwnFactors, by which people see what is enrolled for their own account,
 * whose uid the bus knows, and put another one-time password program in place of their own. A thread answers
 * each call; a few at once, and one of each uid.
 */
#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "agent/bus/request.h"
#include "policy/model.h"

#define BUS_OWN_FACTORS_NAME   "org.sekisho.Guard1.OwnFactors"
#define BUS_OWN_FACTORS_ACTION "org.sekisho.guard1.enrol-own"

enum {
        OWN_FACTORS_AT_ONCE = 4
};

typedef struct BusOwnFactorsCallbacks {
        /* the policy in force, and the directory of enrolments, borrowed until the next turn of the loop */
        const Policy *(*policy)(void *userdata);
        const char *(*store)(void *userdata);
        void *userdata;
} BusOwnFactorsCallbacks;

typedef struct BusOwnFactors BusOwnFactors;

/* 0 or -errno. */
int bus_own_factors_new(sd_event *event, int64_t priority, const BusOwnFactorsCallbacks *callbacks,
                        BusOwnFactors **ret);

/* Calls that are being answered are left to the end of the process. Returns NULL. */
BusOwnFactors *bus_own_factors_free(BusOwnFactors *own);

/* Serves on BUS at PATH until bus_own_factors_down(). 0 or -errno. */
int bus_own_factors_up(BusOwnFactors *own, sd_bus *bus, const char *path);
void bus_own_factors_down(BusOwnFactors *own);
