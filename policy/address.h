/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * address.h: addresses and prefixes of the internet protocols as numbers. Pure; no name is looked up.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* An IPv4 address written as IPv6 (::ffff:10.0.0.1) is that IPv4 address. */
typedef struct Address {
        unsigned char bytes[16];
        int bits; /* 32 or 128; 0: no address */
} Address;

/* The first LENGTH bytes of TEXT as an address; without bits where they are none. */
Address address_parse(const char *text, size_t length);

/* Whether the first N bits of both are the same. */
bool address_same_bits(const Address *a, const Address *b, int n);

/* Whether PLACE, an address or a prefix, covers ADDRESS. False where PLACE is a name. */
bool address_in(const char *place, const Address *address);
