/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * refusal.h: what the programs at the network hooks tell, made readable. Pure.
 */
#pragma once

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/network/hooks/layout.h"
#include "policy/event.h"

enum {
        REFUSAL_PROTOCOL = 16
};

typedef struct NetworkRefusal {
        int kind, why; /* HOOKS_TOLD_…, HOOKS_WHY_… */
        Operation operation;
        bool monitor; /* only told, not refused */
        uint64_t count;
        uint32_t number;     /* of the destination in the plan that decided, from 1; 0: none */
        uint32_t generation; /* of that plan */
        char destination[INET6_ADDRSTRLEN]; /* empty: a socket, or too many to tell */
        unsigned port;                      /* 0: a protocol without */
        char protocol[REFUSAL_PROTOCOL];    /* in a word; "protocol 47" for one without; empty: not known */
        pid_t tid, pid;                     /* 0: not known */
        uid_t uid, loginuid;                /* (uid_t) -1: not known */
        uint64_t started;                   /* of the process, CLOCK_BOOTTIME in ns */
        char comm[HOOKS_COMM + 1];          /* what the thread calls itself */
        char exe[HOOKS_EXE];                /* from the root of its file system, with a slash at the front */
        uint64_t exe_ino;
        dev_t exe_devnum;
} NetworkRefusal;

/* KEY is of TALLY; the key of zeroes is of refusals of which nothing is known. */
void network_refusal_make(const struct hooks_key *key, const struct hooks_tally *tally, NetworkRefusal *ret);
