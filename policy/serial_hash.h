/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serial_hash.h: one number for a serial, so that thousands of rules are passed over without touching their
 * strings. Equal serials have equal numbers; what is decided is decided by the strings.
 */
#pragma once

#include <stdint.h>

/* FNV-1a; 0 only for no serial. */
static inline uint32_t serial_hash(const char *serial) {
        uint32_t hash = 2166136261U;

        if (!serial)
                return 0;
        for (; *serial; serial++)
                hash = (hash ^ (unsigned char)*serial) * 16777619U;
        return hash ? hash : 1;
}
