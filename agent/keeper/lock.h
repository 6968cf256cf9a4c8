/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lock.h: RUNTIME/keeper.lock, held by a keeper from before its agent lets anything go until, after the
 * agent's end, it has held that again and listens for the next agent. The lock goes with the open file, so
 * that the agent takes it and hands it down. Source: flock(2).
 */
#pragma once

/* Take the lock, waiting for it MSEC milliseconds at most. The descriptor, -EWOULDBLOCK, or -errno. */
int keeper_lock(const char *runtime_dir, int msec);

/* Close FD if there is one. */
void keeper_unlock(int fd);
