/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nflog.h: what the table tells of packets, by nfnetlink_log: some of them, as many as its rules' limit lets
 * through. How many there were in all is in the table's counters.
 */
#pragma once

#include <net/if.h>
#include <systemd/sd-event.h>

#include "agent/network/packet.h"

typedef enum NetworkFate {
        NETWORK_REFUSED,
        NETWORK_FORWARD_REFUSED,
        NETWORK_PASSED /* recorded only */
} NetworkFate;

typedef struct NetworkAttempt {
        NetworkFate fate;
        Packet packet;
        uid_t uid;                   /* (uid_t) -1: the kernel's own, or passed on for another machine */
        char interface[IF_NAMESIZE]; /* by which it was to leave; empty if not known */
} NetworkAttempt;

typedef struct Nflog Nflog;

typedef void (*NflogTold)(void *userdata, const NetworkAttempt *attempt);

/* 0, -EBUSY where somebody else listens to our group, -errno. */
int nflog_new(sd_event *event, NflogTold told, void *userdata, Nflog **ret);
Nflog *nflog_free(Nflog *nflog); /* returns NULL */

/* Take what is waiting. */
void nflog_drain(Nflog *nflog);
