/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain.h: what the policy in force decides about a device or an open that the arguments describe. Pure:
 * no name is looked up, no device is read.
 */
#pragma once

#include <stddef.h>

#include "policy/decide.h"

enum {
        BUS_EXPLAIN_ARGUMENTS_MAX = 16
};

typedef struct BusExplainArgument {
        const char *name, *value;
} BusExplainArgument;

/* KIND is "device" or "open". Arguments: `bus` (default usb), `vendor`, `product`, `serial`, `external`
 * (yes); of a device also `class` of a USB interface; of an open `fstype`, `source`, `uid` (required),
 * `gids` (with commas between), `operation` (write or read; default write). Returns 0 and a new string of
 * JSON, -EINVAL with RET_WHY (static) saying what is amiss, or -ENOMEM. */
int bus_explain(const Policy *policy, const PolicyTime *now, const char *kind,
                const BusExplainArgument *arguments, size_t n, char **ret, const char **ret_why);
