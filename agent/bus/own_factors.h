/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * own_factors.h: org.sekisho.Guard1.OwnFactors, by which people see what is enrolled for their own account,
 * whose uid the bus knows, and put another one-time password program in place of their own. A thread answers
 * each call; a few at once, and one of each uid.
 */
#pragma once

#include "agent/bus/jobs.h"
#include "pam_module/enrolment.h"

#define BUS_OWN_FACTORS_NAME   "org.sekisho.Guard1.OwnFactors"
#define BUS_OWN_FACTORS_ACTION "org.sekisho.guard1.enrol-own"

/* Serves on BUS at PATH until bus_jobs_down(). 0 or -errno. */
int bus_own_factors_up(BusJobs *jobs, sd_bus *bus, const char *path);

/* The names of FACTORS, a FACTOR_BIT each, as an array. 0 or -errno. */
int bus_append_factors(sd_bus_message *reply, unsigned factors);

/* A new one-time password program (algorithm, digits, secret) and its code, out of CALL: "suays". RET is
 * freed by secret_free. 0, -EINVAL for what is none, or -errno. */
int bus_read_totp(sd_bus_message *call, TotpEnrolment **ret, Secret *ret_confirmation);
