/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nodes.h: the device nodes of guarded disks (the disk's and its partitions'), each disk with a gate, so
 * that a raw write is refused with a record of who tried. What holds when the gate does not is the disk's
 * read-only flag. Partitions that appear later are marked as udev tells of them. Kernels since 6.14, and
 * stable ones of late (Debian's 6.1.0-56), ask nobody about special files; there the nodes are only listed,
 * for the audit room to watch. Runs in the event loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "agent/gate/gate.h"

typedef struct Nodes Nodes;

/* Nodes of a guarded disk came: nodes_foreach() has more to tell than before. */
typedef void (*NodesChanged)(void *userdata);

/* RUNTIME_DIR is where a FIFO is made for a moment, to try whether the kernel asks about special files.
 * 0 or -errno. */
int nodes_new(sd_event *event, Report *report, const char *runtime_dir, NodesChanged changed, void *userdata,
              Nodes **ret);
Nodes *nodes_free(Nodes *nodes); /* returns NULL */

/* Whether the kernel asks about special files: else there are no gates here. */
bool nodes_have_gates(const Nodes *nodes);

/* Ask VOLUME about every open of the nodes of disk number DISK at SYSPATH; replaces an earlier volume.
 * 0 or the first -errno (all nodes are tried). */
int nodes_guard(Nodes *nodes, dev_t disk, const char *syspath, Volume *volume);

/* The gate of that disk, NULL if it has none. Borrowed. */
const Gate *nodes_gate(const Nodes *nodes, dev_t disk);

/* The volume of the guarded disk DISK, NULL if it is not guarded. Borrowed. */
const Volume *nodes_volume(const Nodes *nodes, dev_t disk);

/* Call F with every node of every guarded disk. Stops at the first non-zero and returns it. */
int nodes_foreach(Nodes *nodes, int (*f)(void *userdata, dev_t disk, const char *path), void *userdata);

/* gate_hand_over() for every gate; false if any did not end. */
bool nodes_hand_over(Nodes *nodes);

/* Ask no longer. */
void nodes_release(Nodes *nodes, dev_t disk);
