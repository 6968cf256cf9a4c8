/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "agent/network/packet.h"

static const unsigned char tcp4[] = {0x45, 0, 0, 40, 0, 1, 0, 0, 64,   6,    0,    0,
                                     10,   0, 0, 2,  8, 8, 4, 4, 0x12, 0x34, 0x01, 0xbb};
static const unsigned char hop6[] = {
        0x60, 0,    0,    0,  0, 20, 0, 64, /* hop-by-hop first */
        0xfd, 0,    0,    0,  0, 0,  0, 0,  0, 0, 0, 0,  0, 0, 0, 2, 0xfd, 0, 0, 0, 0,
        0,    0,    0,    0,  0, 0,  0, 0,  0, 0, 9, 17, 0, 1, 4, 0, 0,    0, 0, /* of eight bytes, then UDP
                                                                                  */
        0x12, 0x34, 0x00, 53,
};

Test(network_packet, tells_where_to_by_either_version) {
        Packet packet;

        cr_assert_eq(packet_parse(tcp4, sizeof(tcp4), &packet), 0);
        cr_expect(packet.protocol == PROTOCOL_TCP && packet.has_port && packet.port == 443);
        cr_expect(packet.to.bits == 32 && memcmp(packet.to.bytes, "\x08\x08\x04\x04", 4) == 0);
}

Test(network_packet, looks_behind_extension_headers) {
        unsigned char copy[sizeof(hop6)];
        Packet packet;

        memcpy(copy, hop6, sizeof(copy));
        copy[6] = IPPROTO_HOPOPTS;
        cr_assert_eq(packet_parse(copy, sizeof(copy), &packet), 0);
        cr_expect(packet.protocol == PROTOCOL_UDP && packet.has_port && packet.port == 53);
        cr_expect(packet.to.bits == 128 && packet.to.bytes[15] == 9);
}

Test(network_packet, takes_no_byte_that_is_not_there) {
        Packet packet;

        for (size_t length = 0; length < sizeof(tcp4); length++) {
                unsigned char *bytes = malloc(length + 1); /* so that a sanitizer sees the end */
                int r;

                memcpy(bytes, tcp4, length);
                r = packet_parse(bytes, length, &packet);
                cr_expect_eq(r, length < 20 ? -EBADMSG : 0, "%zu", length);
                if (r == 0)
                        cr_expect_not(packet.has_port, "%zu", length);
                free(bytes);
        }
        cr_expect_eq(packet_parse((const unsigned char *)"\x75xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 42,
                                  &packet),
                     -EBADMSG);
}
