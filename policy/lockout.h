/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lockout.h: whether a policy would take the last keyboard or the last card reader away from a terminal.
 * Pure: what is plugged in is an argument.
 */
#pragma once

#include "policy/decide.h"

#define ESSENTIAL_KIND_LIST(X)                                                                              \
        X(ESSENTIAL_KEYBOARD, "keyboard")                                                                   \
        X(ESSENTIAL_CARD_READER, "card reader")
DECLARE_ENUM(EssentialKind, essential_kind, ESSENTIAL_KIND_LIST);

/* Something a terminal cannot be used without, as it is plugged in. */
typedef struct Essential {
        EssentialKind kind;
        bool usb;          /* a USB interface, which a policy decides about; else it is always there */
        uint8_t class;     /* of that interface */
        DeviceIdentity id; /* the USB device's, or what is known of another one's name */
} Essential;

/* The first of the N that PRESENT (the policy in force; NULL: none yet, everything can be used) lets in,
 * that CANDIDATE refuses, and of whose kind nothing at all would be left. NULL if there is none;
 * RET_DECISION is CANDIDATE's about it. A policy that only records takes nothing. */
const Essential *policy_find_lockout(const Policy *present, const Policy *candidate, const Essential *items,
                                     size_t n, const PolicyTime *now, Decision *ret_decision);
