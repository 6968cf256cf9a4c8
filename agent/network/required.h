/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * required.h: whether the last policy in force had the network guarded: the file STATE/network. The start of
 * the machine goes by it where no policy can be read: a terminal that was guarded stays closed, one that was
 * not is not cut off.
 */
#pragma once

#include <stdbool.h>

/* 0 or -errno. Nothing is written where it says so already. */
int network_required_write(const char *state_dir, bool required);

/* 1 yes; 0 no, or there is no such file; -errno. What is in the file but cannot be understood is a yes. */
int network_required_read(const char *state_dir);
