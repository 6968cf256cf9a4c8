/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lockers.h: org.sekisho.Guard1.Lockers, by which a screen locker that runs as the person it has locked out
 * has a code checked: of that person's own account, whose uid the bus knows, and of no other.
 */
#pragma once

#include "agent/bus/jobs.h"

#define BUS_LOCKERS_NAME "org.sekisho.Guard1.Lockers"

/* Serves on BUS at PATH until bus_jobs_down(). 0 or -errno. */
int bus_lockers_up(BusJobs *jobs, sd_bus *bus, const char *path);
