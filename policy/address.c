/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/address.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

Address address_parse(const char *text, size_t length) {
        static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        char copy[INET6_ADDRSTRLEN];
        Address address = {0};

        if (length == 0 || length >= sizeof(copy))
                return address;
        memcpy(copy, text, length);
        copy[length] = '\0';
        if (inet_pton(AF_INET, copy, address.bytes) == 1)
                address.bits = 32;
        else if (inet_pton(AF_INET6, copy, address.bytes) == 1)
                address.bits = 128;
        if (address.bits == 128 && memcmp(address.bytes, mapped, sizeof(mapped)) == 0) {
                memmove(address.bytes, address.bytes + sizeof(mapped), 4);
                address.bits = 32;
        }
        return address;
}

bool address_same_bits(const Address *a, const Address *b, int n) {
        for (int bit = 0; bit < n; bit++)
                if ((a->bytes[bit / 8] ^ b->bytes[bit / 8]) & (0x80U >> (bit % 8)))
                        return false;
        return true;
}

bool address_in(const char *place, const Address *address) {
        const char *slash = strchr(place, '/');
        Address net = address_parse(place, slash ? (size_t)(slash - place) : strlen(place));
        long bits = slash ? strtol(slash + 1, NULL, 10) : net.bits;

        return net.bits != 0 && address->bits == net.bits && bits >= 0 && bits <= net.bits &&
               address_same_bits(&net, address, (int)bits);
}
