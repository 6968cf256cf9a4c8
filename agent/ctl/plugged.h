/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plugged.h: which external medium is meant: the one that is plugged in.
 */
#pragma once

#include "agent/ctl/options.h"
#include "policy/decide.h"

/* The disk of --device, or without it the only external disk that is plugged in; several are listed on
 * stderr. What stands on another device (a mapping, a file in a loop device on a stick) is none of its own.
 * 0, or 2 after telling on stderr. The caller clears RET. */
int plugged_find(const Options *options, DeviceIdentity *ret);
