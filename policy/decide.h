/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decide.h: the verdicts. Pure: the answer depends on the arguments alone, nothing is read, written, logged
 * or allocated. RET is always filled; where the question makes no sense it is a denial.
 */
#pragma once

#include "policy/model.h"

/* Whether the device lies outside the terminal, by its bus, by being hot-pluggable, by the site's mark or by
 * the policy's removable.also-external. POLICY may be NULL: then only what holds under every policy. The
 * system disk never does. */
bool device_is_external(const Policy *policy, const DeviceIdentity *device);

/* Whether DEVICE has what MATCH asks for. */
bool device_match_covers(const DeviceMatch *match, const DeviceIdentity *device);

/* The first rule from FROM on that matches DEVICE, whether it has expired or not; n_devices if none does. */
size_t policy_next_device_rule(const Policy *policy, const DeviceIdentity *device, size_t from);

/* What may be done with a device (block device, or USB device with storage). An internal device:
 * ACCESS_WRITE, REASON_INTERNAL. Rules are tried in order, the first that matches and has not expired
 * decides; a rule that has expired is as if absent, but the reason says so. */
void decide_device(const Policy *policy, const DeviceIdentity *device, const PolicyTime *now, Decision *ret);

/* Whether an interface of class CLASS of a USB device may be authorised: ACCESS_WRITE yes, ACCESS_DENY no.
 * Mass storage goes by decide_device: kept out only when that denies. */
void decide_usb_interface(const Policy *policy, const DeviceIdentity *device, uint8_t class,
                          const PolicyTime *now, Decision *ret);

/* Why SCOPE does not let SUBJECT write, or REASON_NO_DECISION if it does. Its expiry is not looked at. */
Reason scope_refusal(const RuleScope *scope, const Subject *subject, const PolicyTime *now);

/* What may be done with a mounted superblock. */
void decide_superblock(const Policy *policy, const SuperblockIdentity *superblock, const PolicyTime *now,
                       Decision *ret);

/* Whether SUBJECT may open a file of SUPERBLOCK, for writing or only for reading. */
void decide_open(const Policy *policy, const SuperblockIdentity *superblock, const Subject *subject,
                 bool for_writing, const PolicyTime *now, OpenDecision *ret);

enum {
        DECIDE_CONDITIONS_MAX = 2 /* a file system's rule and its device's */
};

/* On whose scopes a conditional decision about SUPERBLOCK hangs: every one of them has to cover who writes.
 * Beside a condition that is in force, one that is only tried out is left out.
 * The number of pointers into POLICY put into RET; 0 where the decision is not conditional. */
size_t decide_conditions(const Policy *policy, const SuperblockIdentity *superblock, const PolicyTime *now,
                         const RuleScope *ret[DECIDE_CONDITIONS_MAX]);

/* Whether an approval for some is one for nobody, and one for some hours is one for everybody then: the
 * machine's kernel has no hook that asks who changes what, and the policy does not content itself with less.
 */
bool policy_holds_conditions(const Policy *policy);

/* In how many minutes the hours of some rule begin or end; 0 if they never do. */
int policy_next_hours_change(const Policy *policy, const PolicyTime *now);

/* The earliest second after NOW at which an expiry changes a verdict; 0 if none will. */
time_t policy_next_expiry(const Policy *policy, time_t now);
