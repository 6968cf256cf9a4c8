/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * build.h: how a Policy is made and its parts are given back; for the loader and the built-in default alone.
 */
#pragma once

#include "policy/model.h"
#include "policy/scope.h"

/* A policy with one reference that denies everything, or NULL without memory. */
Policy *policy_new(void);

/* Whether interfaces of a USB class are let in where no policy speaks of it: what a terminal is used with.
 */
bool usb_class_allowed_by_default(uint8_t class);

/* Fill in what of the guard is protected where no policy speaks of it: by the zone. */
void protect_by_zone(Policy *policy);
/* The same of whether logins need the guard. */
void require_guard_by_zone(Policy *policy);
/* The same of which kinds of network interfaces are let up. */
void interfaces_by_zone(Policy *policy);
/* The same of whether taking a card or key away locks. */
void lock_by_zone(Policy *policy);

DEFINE_CLEANUP(Policy, policy_unref);
#define CLEANUP_POLICY CLEANUP(scope_policy_unref)

/* Free what a rule owns, not the rule itself. */
void device_rule_clear(DeviceRule *rule);
void usb_rule_clear(UsbRule *rule);
void filesystem_rule_clear(FilesystemRule *rule);
void asset_clear(Asset *asset);
void network_rule_clear(NetworkRule *rule);
void interface_rule_clear(InterfaceRule *rule);
void mfa_rule_clear(MfaRule *rule);
