/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nodes.h: the device nodes of guarded disks (the disk's and its partitions'), each disk with a gate, so
 * that a raw write is refused with a record of who tried. What holds when the gate does not is the disk's
 * read-only flag. Partitions that appear later are marked as udev tells of them. Runs in the event loop's
 * thread.
 */
#pragma once

#include <systemd/sd-event.h>

#include "agent/gate/gate.h"

typedef struct Nodes Nodes;

/* 0 or -errno. */
int nodes_new(sd_event *event, Report *report, Nodes **ret);
Nodes *nodes_free(Nodes *nodes); /* returns NULL */

/* Ask VOLUME about every open of the nodes of disk number DISK at SYSPATH; replaces an earlier volume.
 * 0 or the first -errno (all nodes are tried). */
int nodes_guard(Nodes *nodes, dev_t disk, const char *syspath, Volume *volume);

/* The gate of that disk, NULL if it has none. Borrowed. */
const Gate *nodes_gate(const Nodes *nodes, dev_t disk);

/* Ask no longer. */
void nodes_release(Nodes *nodes, dev_t disk);
