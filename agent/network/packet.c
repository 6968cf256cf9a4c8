/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/network/packet.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

enum {
        HEADER_4 = 20,
        HEADER_6 = 40,
        EXTENSIONS_MAX = 8
};

static bool has_ports(uint8_t number) {
        return number == IPPROTO_TCP || number == IPPROTO_UDP || number == IPPROTO_SCTP ||
               number == IPPROTO_DCCP || number == IPPROTO_UDPLITE;
}

static Protocol protocol_of(uint8_t number) {
        switch (number) {
        case IPPROTO_TCP:
                return PROTOCOL_TCP;
        case IPPROTO_UDP:
                return PROTOCOL_UDP;
        case IPPROTO_ICMP:
        case IPPROTO_ICMPV6:
                return PROTOCOL_ICMP;
        default:
                return PROTOCOL_ANY;
        }
}

/* What lies behind extension headers that say how long they are. Returns where it begins. */
static size_t skip_extensions(const unsigned char *bytes, size_t length, uint8_t *number) {
        size_t at = HEADER_6;

        for (int i = 0; i < EXTENSIONS_MAX && at + 8 <= length; i++) {
                switch (*number) {
                case IPPROTO_HOPOPTS:
                case IPPROTO_ROUTING:
                case IPPROTO_DSTOPTS:
                        *number = bytes[at];
                        at += ((size_t)bytes[at + 1] + 1) * 8;
                        break;
                default:
                        return at;
                }
        }
        return at;
}

int packet_parse(const unsigned char *bytes, size_t length, Packet *ret) {
        Packet packet = {0};
        size_t at;

        if (length >= HEADER_4 && bytes[0] >> 4 == 4) {
                packet.from.bits = packet.to.bits = 32;
                memcpy(packet.from.bytes, bytes + 12, 4);
                memcpy(packet.to.bytes, bytes + 16, 4);
                packet.number = bytes[9];
                at = (size_t)(bytes[0] & 0xf) * 4;
        } else if (length >= HEADER_6 && bytes[0] >> 4 == 6) {
                packet.from.bits = packet.to.bits = 128;
                memcpy(packet.from.bytes, bytes + 8, 16);
                memcpy(packet.to.bytes, bytes + 24, 16);
                packet.number = bytes[6];
                at = skip_extensions(bytes, length, &packet.number);
        } else
                return -EBADMSG;
        packet.protocol = protocol_of(packet.number);
        packet.has_port = has_ports(packet.number) && at >= HEADER_4 && at + 4 <= length;
        if (packet.has_port)
                packet.port = (uint16_t)(bytes[at + 2] << 8 | bytes[at + 3]);
        *ret = packet;
        return 0;
}
