/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * destination.h: where a network rule leads: an address, a prefix or a host name, and ports. Nothing is
 * looked up here.
 */
#pragma once

#include "policy/model.h"

/* Checks "10.20.0.1", "10.20.0.0/16", "fd00::/8" or "host.example.jp". Returns 0, or -EINVAL with RET_WHY
 * (static) saying what was expected. */
int destination_check(const char *text, const char **ret_why);

/* Parses "443" or "8000-8010". 0, or -EINVAL with RET_WHY as above. */
int port_range_parse(const char *text, PortRange *ret, const char **ret_why);
