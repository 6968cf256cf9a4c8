/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/utf8.h"

size_t utf8_next_long(const char *text, size_t length, uint32_t *ret) {
        static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
        const unsigned char *p = (const unsigned char *)text;
        uint32_t c;
        size_t n;

        if (p[0] >= 0xc2 && p[0] < 0xe0)
                n = 2;
        else if (p[0] >= 0xe0 && p[0] < 0xf0)
                n = 3;
        else if (p[0] >= 0xf0 && p[0] < 0xf5)
                n = 4;
        else
                return 0;
        if (n > length)
                return 0;
        c = p[0] & (0x7fU >> n);
        for (size_t i = 1; i < n; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                c = c << 6 | (p[i] & 0x3fU);
        }
        if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
                return 0;
        *ret = c;
        return n;
}

bool utf8_is_blank(uint32_t c) {
        return c == ' ' || c == 0xa0 || c == 0x3000;
}
