/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keeper.h: the agent's end of its keeper, a small process that does nothing while the agent lives. It
 * shares the gates' fanotify groups: the kernel lets every waiting open through when the last holder of a
 * group goes, and asks nobody from then on, so a killed agent would leave the volumes open on which some may
 * write. When the agent dies the keeper refuses their writes, makes their disks and superblocks read-only,
 * and ends once that is done or a new agent is in force. Runs in the event loop's thread.
 */
#pragma once

#include <systemd/sd-event.h>

#include "agent/gate/gate.h"
#include "policy/object.h"

typedef struct Keeper Keeper;

/* The keeper died: it was started anew and has to be told of every gate and disk again. */
typedef void (*KeeperRestarted)(void *userdata);

/* Start the keeper process. RUNTIME_DIR is where release notes are and where it listens for the next agent.
 * LEDGER and ALARM (-1: none) are those of the agent's report and stay open as long as the keeper. 0 or
 * -errno. */
int keeper_new(sd_event *event, const char *runtime_dir, int ledger, int alarm, KeeperRestarted restarted,
               void *userdata, Keeper **ret);

/* Its process, 0 if there is none. */
pid_t keeper_pid(const Keeper *keeper);

/* Tell of a gate (again, if it changed) on superblock or disk DEVNUM, or that it is gone. 0 or -errno. */
int keeper_gate(Keeper *keeper, dev_t devnum, bool raw, const Gate *gate, const SuperblockIdentity *identity,
                const char *mount, uint64_t policy_serial);
int keeper_gate_gone(Keeper *keeper, dev_t devnum, bool raw);

/* Whether a disk has to be held when the agent is gone. 0 or -errno. */
int keeper_disk(Keeper *keeper, dev_t disk, bool hold);

/* The agent ends. With EVERYTHING_CLOSED the keeper ends too, else it takes over. Returns NULL. */
Keeper *keeper_free(Keeper *keeper, bool everything_closed);

/* The keepers of agents that died. */
typedef struct Predecessors {
        int *fds; /* connections to those that still answer for gates */
        size_t n;
} Predecessors;

/* Have the keepers of agents that died stop closing what is open; call it before anything is let go, else
 * one side lets go and the other holds. They go on refusing. Waits a few seconds at most for what they are
 * at. 0 or -errno; keepers that do not answer are passed over. */
int predecessors_pause(const char *runtime_dir, Predecessors *ret);

/* Send them home once everything is enforced. */
void predecessors_dismiss(Predecessors *predecessors);

/* Forget them without that: they go on where they were. */
void predecessors_clear(Predecessors *predecessors);

/* The keeper process itself: reads messages from SOCKET until the agent is gone, then acts. LOCK is that of
 * lock.h, or -1. Returns the process's exit status. */
int keeper_main(int socket, int lock, const char *runtime_dir);
