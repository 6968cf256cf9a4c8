/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * thread.h: starting the few threads there are. Each ends by itself when it is told to; nobody joins it,
 * since one that hangs in the kernel must not hold up whoever waits for it.
 */
#pragma once

#include <stddef.h>

/* Start a detached thread that takes no signals (those are the event loop's). 0 or -errno. */
int thread_start(size_t stack_size, void *(*run)(void *userdata), void *userdata);
