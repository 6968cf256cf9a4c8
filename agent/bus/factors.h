/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * factors.h: org.sekisho.Guard1.Factors, by which an administrator whom polkit allows it, and who need not
 * be root, sees what others have to log in with, enrols their one-time password programs, and takes factors
 * away.
 */
#pragma once

#include "agent/bus/jobs.h"

#define BUS_FACTORS_NAME   "org.sekisho.Guard1.Factors"
#define BUS_FACTORS_ACTION "org.sekisho.guard1.manage-factors"

/* Serves on BUS at PATH until bus_jobs_down(). 0 or -errno. */
int bus_factors_up(BusJobs *jobs, sd_bus *bus, const char *path);
