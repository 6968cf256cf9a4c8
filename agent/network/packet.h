/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * packet.h: where a packet was to go, from its first bytes, which whoever sent it may have made up. Pure.
 */
#pragma once

#include <stdint.h>

#include "policy/address.h"
#include "policy/model.h"

typedef struct Packet {
        Address from, to;
        uint8_t number;    /* of the protocol, as in /etc/protocols */
        Protocol protocol; /* PROTOCOL_ANY: one without a word of its own */
        bool has_port;     /* tcp, udp, sctp, dccp, udplite, as far as the bytes go */
        uint16_t port;
} Packet;

/* 0, or -EBADMSG for what is no packet of either version. */
int packet_parse(const unsigned char *bytes, size_t length, Packet *ret);
