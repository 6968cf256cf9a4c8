/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/decide.h"

#include <string.h>
#include <strings.h>

#include "policy/hours.h"
#include "policy/monitor.h"
#include "policy/serial_hash.h"

bool policy_holds_conditions(const Policy *policy) {
        return policy->lsm_missing && policy->without_lsm == WITHOUT_LSM_READ_ONLY;
}

/* A decision with the scopes that condition it: none, or one for each rule that has to agree. */
typedef struct Judgement {
        Decision decision;
        struct {
                const RuleScope *scope;
                const char *rule, *origin;
                bool monitor;
        } conditions[2];
        size_t n_conditions;
} Judgement;

static const char built_in[] = "built-in";

static Decision decision_internal(void) {
        return (Decision){
                .access = ACCESS_WRITE, .reason = REASON_INTERNAL, .rule = "internal", .origin = built_in};
}

static Decision decision_lockdown(const Policy *policy) {
        return (Decision){.access = ACCESS_DENY,
                          .reason = REASON_LOCKDOWN,
                          .external = true,
                          .rule = "lockdown",
                          .origin = policy->lockdown && policy->lockdown_origin ? policy->lockdown_origin
                                                                                : built_in};
}

static Decision decision_invalid(void) {
        return (Decision){.access = ACCESS_DENY,
                          .reason = REASON_INVALID_QUESTION,
                          .external = true,
                          .rule = "invalid-question",
                          .origin = built_in};
}

/* What is no access counts as none. */
static Access checked_access(Access access) {
        switch (access) {
        case ACCESS_DENY:
        case ACCESS_READ_ONLY:
        case ACCESS_WRITE:
                return access;
        }
        return ACCESS_DENY;
}

static Decision decision_default(Access access, const char *rule, const char *origin) {
        return (Decision){.access = checked_access(access),
                          .reason = REASON_DEFAULT,
                          .external = true,
                          .rule = rule,
                          .origin = origin ? origin : built_in};
}

static bool is_expired(time_t expires, const PolicyTime *now) {
        return expires != 0 && now->expiry_now >= expires;
}

static bool is_conditional(const RuleScope *scope) {
        return scope->n_users > 0 || scope->n_groups > 0 || scope->hours.set;
}

/* Without a hook that asks at each change, who writes cannot be told everywhere, but what time it is can. */
static void judge_for_all(const RuleScope *scope, const PolicyTime *now, Decision *decision) {
        if (scope->n_users > 0 || scope->n_groups > 0) {
                decision->access = ACCESS_READ_ONLY;
                decision->reason = REASON_NEEDS_LSM;
        } else if (!hours_cover(&scope->hours, now->weekday, now->minute)) {
                decision->access = ACCESS_READ_ONLY;
                decision->reason = REASON_OUTSIDE_HOURS;
        }
}

static void judge_by_rule(const Policy *policy, Access access, const RuleScope *scope,
                          const MonitorSpan *monitor, const PolicyTime *now, const char *rule,
                          const char *origin, Judgement *ret) {
        *ret = (Judgement){.decision = {.access = checked_access(access),
                                        .reason = REASON_RULE,
                                        .monitor = monitor_is_on(monitor, now->expiry_now),
                                        .external = true,
                                        .rule = rule,
                                        .origin = origin}};
        if (ret->decision.access != ACCESS_WRITE || !is_conditional(scope))
                return;
        if (policy_holds_conditions(policy))
                judge_for_all(scope, now, &ret->decision);
        else {
                ret->decision.conditional = true;
                ret->conditions[0].scope = scope;
                ret->conditions[0].rule = rule;
                ret->conditions[0].origin = origin;
                ret->conditions[0].monitor = ret->decision.monitor;
                ret->n_conditions = 1;
        }
}

/* For what is written past the encryption the rule approves reading only. */
static void judge_by_device_rule(const Policy *policy, const DeviceRule *rule, const DeviceIdentity *device,
                                 const PolicyTime *now, Judgement *ret) {
        judge_by_rule(policy, rule->access, &rule->scope, &rule->monitor, now, rule->name, rule->origin,
                      ret);
        if (ret->decision.access != ACCESS_WRITE || !rule->encrypted || device->luks2)
                return;
        ret->decision.access = ACCESS_READ_ONLY;
        ret->decision.reason = REASON_NOT_ENCRYPTED;
        ret->decision.conditional = false;
        ret->n_conditions = 0;
}

static void name_expired(Decision *decision, const char *rule, const char *origin) {
        decision->reason = REASON_RULE_EXPIRED;
        decision->rule = rule;
        decision->origin = origin;
}

static bool is_same(const char *wanted, const char *found) {
        return !wanted || (found && strcmp(wanted, found) == 0);
}

static bool is_same_ignoring_case(const char *wanted, const char *found) {
        return !wanted || (found && strcasecmp(wanted, found) == 0);
}

/* The cheap comparison first; a match that asks for nothing matches nothing. */
bool device_match_covers(const DeviceMatch *match, const DeviceIdentity *device) {
        if (match->bus_set ? match->bus != device->bus : !match->vendor && !match->product && !match->serial)
                return false;
        return is_same(match->serial, device->serial) &&
               is_same_ignoring_case(match->vendor, device->vendor) &&
               is_same_ignoring_case(match->product, device->product);
}

bool device_is_external(const Policy *policy, const DeviceIdentity *device) {
        if (device->system)
                return false;
        if (device->hotplug || device->removable || device->marked_external)
                return true;
        if (policy && (size_t)device->bus < sizeof(policy->bus_external) / sizeof(policy->bus_external[0]) &&
            policy->bus_external[device->bus])
                return true;
        switch (device->bus) {
        case DEVICE_BUS_UNKNOWN:
        case DEVICE_BUS_USB:
        case DEVICE_BUS_MMC:
        case DEVICE_BUS_THUNDERBOLT:
        case DEVICE_BUS_FIREWIRE:
        case DEVICE_BUS_NETWORK:
                return true;
        case DEVICE_BUS_LOOP:
        case DEVICE_BUS_DM:
        case DEVICE_BUS_MD:
        case DEVICE_BUS_RAM:
        case DEVICE_BUS_VIRTIO:
        case DEVICE_BUS_ATA:
        case DEVICE_BUS_SCSI:
        case DEVICE_BUS_NVME:
        case DEVICE_BUS_PLATFORM:
                return false;
        }
        return true;
}

/* The first rule from I on that a serial does not rule out. Blocks without a branch in them, for speed. */
static size_t next_candidate(const uint32_t *serials, size_t i, size_t n, uint32_t serial) {
        enum {
                BLOCK = 16
        };

        if (!serials)
                return i;
        for (; i + BLOCK <= n; i += BLOCK) {
                unsigned found = 0;

                for (size_t j = 0; j < BLOCK; j++)
                        found |= (unsigned)(serials[i + j] == 0) | (unsigned)(serials[i + j] == serial);
                if (found)
                        break;
        }
        while (i < n && serials[i] != 0 && serials[i] != serial)
                i++;
        return i;
}

size_t policy_next_device_rule(const Policy *policy, const DeviceIdentity *device, size_t from) {
        uint32_t serial = serial_hash(device->serial);

        for (; (from = next_candidate(policy->device_serials, from, policy->n_devices, serial)) <
               policy->n_devices;
             from++)
                if (device_match_covers(&policy->devices[from].match, device))
                        break;
        return from;
}

static void judge_device(const Policy *policy, const DeviceIdentity *device, const PolicyTime *now,
                         Judgement *ret) {
        const DeviceRule *expired = NULL;

        if (!policy || !device || !now) {
                *ret = (Judgement){.decision = decision_invalid()};
                return;
        }
        if (!device_is_external(policy, device)) {
                *ret = (Judgement){.decision = decision_internal()};
                return;
        }
        if (policy_is_locked_down(policy)) {
                *ret = (Judgement){.decision = decision_lockdown(policy)};
                return;
        }
        for (size_t i = 0; (i = policy_next_device_rule(policy, device, i)) < policy->n_devices; i++) {
                const DeviceRule *rule = &policy->devices[i];

                if (!is_expired(rule->scope.expires, now)) {
                        judge_by_device_rule(policy, rule, device, now, ret);
                        return;
                }
                if (!expired)
                        expired = rule;
        }
        *ret = (Judgement){.decision = decision_default(policy->removable_default, "removable.default",
                                                        policy->removable_origin)};
        ret->decision.monitor = monitor_is_on(&policy->removable_monitor, now->expiry_now);
        if (expired)
                name_expired(&ret->decision, expired->name, expired->origin);
}

void decide_device(const Policy *policy, const DeviceIdentity *device, const PolicyTime *now,
                   Decision *ret) {
        Judgement judgement;

        judge_device(policy, device, now, &judgement);
        *ret = judgement.decision;
}

/* The interface is authorised unless the device must not be seen at all; what may be written is the block
 * device's matter. */
static void decide_storage_interface(const Policy *policy, const DeviceIdentity *device,
                                     const PolicyTime *now, Decision *ret) {
        decide_device(policy, device, now, ret);
        if (ret->access != ACCESS_DENY)
                ret->access = ACCESS_WRITE;
        ret->conditional = false;
}

/* What people work and log in with, and what carries nothing away, stays as the policy has it; of classes
 * that say nothing (card readers among them) that of a device which a rule names. */
static bool lockdown_spares(uint8_t class, bool named) {
        switch (class) {
        case USB_CLASS_AUDIO_:
        case USB_CLASS_HID_:
        case USB_CLASS_HUB_:
        case USB_CLASS_SMART_CARD_:
        case USB_CLASS_VIDEO_:
                return true;
        case USB_CLASS_VENDOR_:
                return named;
        default:
                return false;
        }
}

void decide_usb_interface(const Policy *policy, const DeviceIdentity *device, uint8_t class,
                          const PolicyTime *now, Decision *ret) {
        const UsbRule *expired = NULL, *deciding = NULL;

        if (!policy || !device || !now) {
                *ret = decision_invalid();
                return;
        }
        if (device->system) {
                *ret = decision_internal();
                return;
        }
        for (size_t i = 0; i < policy->n_usb_rules && !deciding; i++) {
                const UsbRule *rule = &policy->usb_rules[i];

                if (!device_match_covers(&rule->match, device))
                        continue;
                if (!is_expired(rule->expires, now))
                        deciding = rule;
                else if (!expired)
                        expired = rule;
        }
        if (policy_is_locked_down(policy) && !lockdown_spares(class, deciding && deciding->allow)) {
                *ret = decision_lockdown(policy);
                return;
        }
        if (deciding && (!deciding->allow || class != USB_CLASS_MASS_STORAGE_)) {
                *ret = (Decision){.access = deciding->allow ? ACCESS_WRITE : ACCESS_DENY,
                                  .reason = REASON_RULE,
                                  .monitor = monitor_is_on(&deciding->monitor, now->expiry_now),
                                  .external = true,
                                  .rule = deciding->name,
                                  .origin = deciding->origin};
                return;
        }
        if (class == USB_CLASS_MASS_STORAGE_ &&
            (deciding || !policy->usb_class_named[class] || policy->usb_class_allow[class])) {
                decide_storage_interface(policy, device, now, ret);
                return;
        }
        *ret = decision_default(policy->usb_class_allow[class] ? ACCESS_WRITE : ACCESS_DENY,
                                policy->usb_class_named[class] ? "usb.interfaces" : "usb.default",
                                policy->usb_origin);
        if (policy->usb_class_named[class])
                ret->reason = REASON_INTERFACE_CLASS;
        if (expired)
                name_expired(ret, expired->name, expired->origin);
}

static bool filesystem_rule_covers(const FilesystemRule *rule, const SuperblockIdentity *superblock) {
        return rule->type && superblock->fstype && strcmp(rule->type, superblock->fstype) == 0 &&
               is_same(rule->source, superblock->source);
}

static void judge_filesystem(const Policy *policy, const SuperblockIdentity *superblock,
                             const PolicyTime *now, Judgement *ret) {
        const FilesystemRule *expired = NULL;

        if (policy_is_locked_down(policy)) {
                *ret = (Judgement){.decision = decision_lockdown(policy)};
                return;
        }
        for (size_t i = 0; i < policy->n_filesystems; i++) {
                const FilesystemRule *rule = &policy->filesystems[i];

                if (!filesystem_rule_covers(rule, superblock))
                        continue;
                if (!is_expired(rule->scope.expires, now)) {
                        judge_by_rule(policy, rule->access, &rule->scope, &rule->monitor, now, rule->name,
                                      rule->origin, ret);
                        return;
                }
                if (!expired)
                        expired = rule;
        }
        *ret = (Judgement){.decision = decision_default(policy->filesystems_default, "filesystems.default",
                                                        policy->filesystems_origin)};
        ret->decision.monitor = monitor_is_on(&policy->filesystems_monitor, now->expiry_now);
        if (expired)
                name_expired(&ret->decision, expired->name, expired->origin);
}

/* The file system's rules; where it stands on an external device, that device's as well: the stricter holds,
 * and of two conditions both do. */
static void judge_outside(const Policy *policy, const SuperblockIdentity *superblock, const PolicyTime *now,
                          Judgement *ret) {
        Judgement device;

        judge_filesystem(policy, superblock, now, ret);
        if (!superblock->device || !device_is_external(policy, superblock->device))
                return;
        judge_device(policy, superblock->device, now, &device);
        if (decision_is_stricter(&device.decision, &ret->decision))
                *ret = device;
        else if (ret->decision.conditional && device.decision.conditional) {
                ret->conditions[1] = device.conditions[0];
                ret->n_conditions = 2;
                ret->decision.monitor = ret->decision.monitor && device.decision.monitor;
        }
}

static void judge_superblock(const Policy *policy, const SuperblockIdentity *superblock,
                             const PolicyTime *now, Judgement *ret) {
        *ret = (Judgement){.decision = decision_invalid()};
        if (!policy || !superblock || !now)
                return;
        switch (superblock->kind) {
        case SUPERBLOCK_KERNEL:
                ret->decision = decision_internal();
                return;
        case SUPERBLOCK_BLOCK:
                judge_device(policy, superblock->device, now, ret);
                return;
        case SUPERBLOCK_STACKED:
                if (superblock->device)
                        judge_device(policy, superblock->device, now, ret);
                else
                        judge_filesystem(policy, superblock, now, ret);
                return;
        case SUPERBLOCK_UNKNOWN:
        case SUPERBLOCK_NETWORK:
        case SUPERBLOCK_USER_SPACE:
                judge_outside(policy, superblock, now, ret);
                return;
        }
}

void decide_superblock(const Policy *policy, const SuperblockIdentity *superblock, const PolicyTime *now,
                       Decision *ret) {
        Judgement judgement;

        judge_superblock(policy, superblock, now, &judgement);
        *ret = judgement.decision;
}

static bool scope_covers_session(const RuleScope *scope, const Subject *subject) {
        if (!scope->by_session)
                return true;
        if (subject->session == 0 || subject->session == UINT32_MAX)
                return false;
        for (size_t i = 0; i < scope->n_sessions; i++)
                if (scope->sessions[i] == subject->session)
                        return true;
        return false;
}

static bool scope_names_person(const RuleScope *scope, const Subject *subject) {
        if (scope->n_users == 0 && scope->n_groups == 0)
                return true;
        for (size_t i = 0; i < scope->n_uids; i++)
                if (scope->uids[i] == subject->uid)
                        return true;
        for (size_t i = 0; i < scope->n_gids; i++) {
                if (scope->gids[i] == subject->gid)
                        return true;
                for (size_t j = 0; j < subject->n_groups; j++)
                        if (scope->gids[i] == subject->groups[j])
                                return true;
        }
        return false;
}

Reason scope_refusal(const RuleScope *scope, const Subject *subject, const PolicyTime *now) {
        if (!subject)
                return REASON_INVALID_QUESTION;
        if (!scope_names_person(scope, subject) || !scope_covers_session(scope, subject))
                return REASON_NOT_THIS_PERSON;
        if (!hours_cover(&scope->hours, now->weekday, now->minute))
                return REASON_OUTSIDE_HOURS;
        return REASON_NO_DECISION;
}

/* What is in force is asked first: it refuses, whatever is only tried out beside it. */
static bool refuse_by_conditions(const Judgement *judgement, bool monitor, const Subject *subject,
                                 const PolicyTime *now, OpenDecision *ret) {
        for (size_t i = 0; i < judgement->n_conditions; i++) {
                Reason refusal = scope_refusal(judgement->conditions[i].scope, subject, now);

                if (refusal == REASON_NO_DECISION || judgement->conditions[i].monitor != monitor)
                        continue;
                ret->reason = refusal;
                ret->monitor = monitor;
                ret->rule = judgement->conditions[i].rule;
                ret->origin = judgement->conditions[i].origin;
                return true;
        }
        return false;
}

void decide_open(const Policy *policy, const SuperblockIdentity *superblock, const Subject *subject,
                 bool for_writing, const PolicyTime *now, OpenDecision *ret) {
        Judgement judgement;
        const Decision *decision = &judgement.decision;

        judge_superblock(policy, superblock, now, &judgement);
        *ret = (OpenDecision){.verdict = VERDICT_DENY,
                              .reason = decision->reason,
                              .monitor = decision->monitor,
                              .rule = decision->rule,
                              .origin = decision->origin};
        if (decision->access == ACCESS_DENY)
                return;
        if (!for_writing) {
                ret->verdict = VERDICT_ALLOW;
                return;
        }
        if (decision->access != ACCESS_WRITE) {
                if (decision->reason == REASON_RULE)
                        ret->reason = REASON_READ_ONLY;
                return;
        }
        if (!refuse_by_conditions(&judgement, false, subject, now, ret) &&
            !refuse_by_conditions(&judgement, true, subject, now, ret) &&
            !(decision->conditional && judgement.n_conditions == 0))
                ret->verdict = VERDICT_ALLOW;
}

size_t decide_conditions(const Policy *policy, const SuperblockIdentity *superblock, const PolicyTime *now,
                         const RuleScope *ret[DECIDE_CONDITIONS_MAX]) {
        Judgement judgement;
        size_t n = 0;

        judge_superblock(policy, superblock, now, &judgement);
        if (!judgement.decision.conditional)
                return 0;
        for (size_t i = 0; i < judgement.n_conditions; i++)
                if (judgement.conditions[i].monitor == judgement.decision.monitor)
                        ret[n++] = judgement.conditions[i].scope;
        return n;
}

static void take_earlier(time_t expires, time_t now, time_t *earliest) {
        if (expires > now && (*earliest == 0 || expires < *earliest))
                *earliest = expires;
}

static int take_monitored(void *userdata, const Monitored *monitored) {
        time_t *earliest = userdata;

        if (monitored->until != 0 && (*earliest == 0 || monitored->until < *earliest))
                *earliest = monitored->until;
        return 0;
}

time_t policy_next_expiry(const Policy *policy, time_t now) {
        time_t earliest = 0;

        for (size_t i = 0; i < policy->n_devices; i++)
                take_earlier(policy->devices[i].scope.expires, now, &earliest);
        for (size_t i = 0; i < policy->n_usb_rules; i++)
                take_earlier(policy->usb_rules[i].expires, now, &earliest);
        for (size_t i = 0; i < policy->n_filesystems; i++)
                take_earlier(policy->filesystems[i].scope.expires, now, &earliest);
        for (size_t i = 0; i < policy->n_network; i++)
                take_earlier(policy->network[i].scope.expires, now, &earliest);
        (void)policy_foreach_monitored(policy, now, take_monitored, &earliest);
        return earliest;
}

static void take_sooner(const RuleScope *scope, const PolicyTime *now, int *soonest) {
        int minutes = hours_next_change(&scope->hours, now->weekday, now->minute);

        if (minutes > 0 && (*soonest == 0 || minutes < *soonest))
                *soonest = minutes;
}

int policy_next_hours_change(const Policy *policy, const PolicyTime *now) {
        int soonest = 0;

        for (size_t i = 0; i < policy->n_devices; i++)
                take_sooner(&policy->devices[i].scope, now, &soonest);
        for (size_t i = 0; i < policy->n_filesystems; i++)
                take_sooner(&policy->filesystems[i].scope, now, &soonest);
        for (size_t i = 0; i < policy->n_network; i++)
                take_sooner(&policy->network[i].scope, now, &soonest);
        return soonest;
}
