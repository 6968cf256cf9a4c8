/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * protocol.h: what the agent tells its keeper, one fixed-size message per packet of a socket pair between
 * two processes of the same program; a gate's fanotify group travels with KEEPER_GATE, the descriptor of
 * the agent's ledger with KEEPER_LEDGER, an eventfd with KEEPER_ALARM.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* Where a keeper that stands in listens for the next agent: this and its process number. On a connection it
 * answers with a byte once it has paused closing; KEEPER_GO_HOME ends it, the connection's end without that
 * has it go on. */
#define KEEPER_SOCKET  "keeper.socket."
#define KEEPER_GO_HOME "."

typedef enum KeeperMessageType {
        KEEPER_NOTHING,
        KEEPER_GATE,      /* a gate was made or changed: hold its group */
        KEEPER_GATE_GONE, /* let it go */
        KEEPER_DISK,      /* hold this disk when the agent is gone */
        KEEPER_DISK_GONE,
        KEEPER_LEDGER,  /* what of it the agent has not told is to be told; without a descriptor: it does so
                         */
        KEEPER_ALARM,   /* rings when somebody waits for the agent while the keeper sleeps */
        KEEPER_DISMISS, /* the agent ends and has left everything closed: end too */
} KeeperMessageType;

typedef struct KeeperMessage {
        KeeperMessageType type;
        dev_t devnum; /* the superblock's, or the disk's for its nodes and for KEEPER_DISK */
        int raw;      /* the gate is that of a disk's nodes */
        uint64_t policy_serial;
        char fstype[64], mount[1024];
        char device[64], vendor[256], product[256], serial[256], bus[32];
} KeeperMessage;
