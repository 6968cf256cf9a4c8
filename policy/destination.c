/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/destination.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/translate.h"

static const char why_form[] = N_("expected an address (10.20.0.1, fd00::1), a prefix (10.20.0.0/16) or a "
                                  "host name (host.example.jp)");
static const char why_prefix[] =
        N_("expected a prefix length of 0 to 32 for IPv4 or 0 to 128 for IPv6, in digits");
static const char why_bits[] = N_("expected no bits of the address set beyond the prefix length");
static const char why_port[] = N_("expected a port (443) or a range (8000-8010) between 1 and 65535");
static const char why_range[] = N_("expected a range whose end is not before its start");

/* Decimal without leading zeros, at most MAX; -1 if it is not. Moves *P behind it. */
static int take_number(const char **p, int max) {
        const char *start = *p;
        int n = 0;

        while (**p >= '0' && **p <= '9') {
                n = n * 10 + (**p - '0');
                if (n > max)
                        return -1;
                (*p)++;
        }
        return *p == start || (*start == '0' && *p - start > 1) ? -1 : n;
}

static int check_prefix(const char *slash, const unsigned char *address, int bits, const char **ret_why) {
        const char *p = slash + 1;
        int length = take_number(&p, bits);

        if (length < 0 || *p) {
                *ret_why = why_prefix;
                return -EINVAL;
        }
        for (int bit = length; bit < bits; bit++)
                if (address[bit / 8] & (0x80U >> (bit % 8))) {
                        *ret_why = why_bits;
                        return -EINVAL;
                }
        return 0;
}

static bool is_label_character(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
}

/* RFC 1123: labels of letters, digits and hyphens; the last one has a letter, so that no mistyped address
 * passes for a name. */
static bool is_host_name(const char *text) {
        for (;;) {
                bool letter = false;
                size_t n = 0;

                for (; is_label_character(text[n]); n++)
                        letter = letter || text[n] > '9';
                if (n == 0 || n > 63 || text[0] == '-' || text[n - 1] == '-')
                        return false;
                if (text[n] == '\0')
                        return letter;
                if (text[n] != '.')
                        return false;
                text += n + 1;
        }
}

int destination_check(const char *text, const char **ret_why) {
        const char *slash = strchr(text, '/');
        size_t length = slash ? (size_t)(slash - text) : strlen(text);
        char address[INET6_ADDRSTRLEN];
        unsigned char bytes[sizeof(struct in6_addr)];

        *ret_why = NULL;
        if (length < sizeof(address)) {
                memcpy(address, text, length);
                address[length] = '\0';
                if (inet_pton(AF_INET, address, bytes) == 1)
                        return slash ? check_prefix(slash, bytes, 32, ret_why) : 0;
                if (inet_pton(AF_INET6, address, bytes) == 1)
                        return slash ? check_prefix(slash, bytes, 128, ret_why) : 0;
        }
        if (is_host_name(text))
                return 0;
        *ret_why = why_form;
        return -EINVAL;
}

int port_range_parse(const char *text, PortRange *ret, const char **ret_why) {
        int from = take_number(&text, UINT16_MAX), to = from;

        *ret_why = why_port;
        if (*text == '-') {
                text++;
                to = take_number(&text, UINT16_MAX);
        }
        if (from < 1 || to < 1 || *text)
                return -EINVAL;
        if (to < from) {
                *ret_why = why_range;
                return -EINVAL;
        }
        *ret_why = NULL;
        *ret = (PortRange){.from = (uint16_t)from, .to = (uint16_t)to};
        return 0;
}
