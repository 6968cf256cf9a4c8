/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch.h: what becomes of our table in the kernel: whether somebody else changed it, and what its counters
 * say. Source: linux/netfilter/nf_tables.h; a change of anything is told, and at the end of the transaction
 * who made it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

typedef struct Watch Watch;

/* Somebody has changed or removed the table. PID and PROGRAM are as the kernel says; 0 and NULL where too
 * much happened at once for it to tell. */
typedef void (*WatchChanged)(void *userdata, pid_t pid, const char *program);

/* 0 or -errno. */
int watch_new(sd_event *event, WatchChanged changed, void *userdata, Watch **ret);
Watch *watch_free(Watch *watch); /* returns NULL */

/* Changes by that process, which is not reaped yet, are our own; 0: nobody's are. Its number may be
 * another's once it is reaped: drain and unset it before. */
void watch_set_own(Watch *watch, pid_t pid);

/* Take what has been told by now. A change is told to the kernel's listeners before who made it goes on. */
void watch_drain(Watch *watch);

/* The number of the last transaction in the network namespace, which each one adds one to. 0 or -errno. */
int watch_generation(uint32_t *ret);

/* The packets that a counter of the table has seen. 0, -ENOENT where there is none, -errno. */
int watch_counter(const char *name, uint64_t *ret);

/* Whether the table is there. 1, 0, -errno. */
int watch_table_exists(void);
