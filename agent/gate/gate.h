/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gate.h: fanotify permission events of one volume (a superblock, or the device nodes of one disk): each
 * blocked open is looked at, judged, answered, and, where it was refused, reported afterwards. Every volume
 * has a group and a thread of its own: a file system that hangs holds up nobody but its own callers. The
 * thread shares nothing with the rest of the agent but the volume's snapshot and the report queue, and never
 * opens or reads anything on the volume itself. Source: fanotify(7), fanotify_init(2), fanotify_mark(2).
 */
#pragma once

#include "agent/gate/volume.h"
#include "agent/report/report.h"

typedef struct Gate Gate;

/* A gate for VOLUME (a reference is taken) without any mark yet. Returns 0 or -errno, -EMFILE where the
 * kernel allows no further group (fs.fanotify.max_user_groups). */
int gate_new(Volume *volume, Report *report, Gate **ret);

/* Mark the superblock that MOUNT_FD (O_PATH will do) lies on: from now on every open on it, through whatever
 * mount and namespace, is asked. 0 or -errno. */
int gate_mark_superblock(Gate *gate, int mount_fd);

/* Mark a device node. 0 or -errno; a node that is marked already stays so. */
int gate_mark_node(Gate *gate, const char *path);

/* Judge by another snapshot from the next event on. */
void gate_set_volume(Gate *gate, Volume *volume);

/* The fanotify group, for whoever has to keep it alive beyond this process. Borrowed. */
int gate_fd(const Gate *gate);

/* End the thread and leave the marks and whoever waits to another holder of the group. Whether it ended
 * within a second. */
bool gate_hand_over(Gate *gate);

/* Stop asking: the marks go first, then every waiting caller is answered by the volume in force, then the
 * thread ends. Waits for that at most a second; a thread that hangs in a dead file system is left behind
 * with its group. Returns NULL. */
Gate *gate_free(Gate *gate);

/* Refuse what another holder of group FD has read and not answered before it died, so that nobody waits for
 * ever. An event goes by the number that its descriptor had in the reader's table, which must have had no
 * more than this process's RLIMIT_NOFILE; the reader must be gone. Returns how many were
 * waiting. */
unsigned gate_refuse_abandoned(int fd);

/* Answer what waits in group FD by VOLUME, without blocking; REPORT may be NULL. Stops after some, so that a
 * flood keeps nobody from what else there is to do: call it again while FD is readable. Returns the number
 * of events answered or -errno. For the process that holds the gates when the agent has died. */
int gate_answer_pending(int fd, Volume *volume, Report *report);
