/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unjudged.h: whether a network interface that no agent has judged yet is held, by what the last agent left
 * in the state directory (note.h).
 */
#pragma once

#include "agent/network/identity.h"

/* Where the policy in force last asked for it, all are, but for a card in the terminal that was approved
 * last. Where the state directory says nothing at all - there never was an agent that would have, or it is
 * not mounted yet - those that can be plugged in and those that need no cable. */
bool unjudged_is_held(const char *state_dir, const InterfaceFacts *facts);
