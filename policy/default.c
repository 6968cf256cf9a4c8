/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "policy/build.h"
#include "policy/load.h"

/* What a terminal cannot be used without, and what carries nothing out of it. */
static const uint8_t allowed_classes[] = {USB_CLASS_HID_, USB_CLASS_HUB_, USB_CLASS_SMART_CARD_,
                                          USB_CLASS_AUDIO_, USB_CLASS_VIDEO_};

bool usb_class_allowed_by_default(uint8_t class) {
        for (size_t i = 0; i < ELEMENTS(allowed_classes); i++)
                if (allowed_classes[i] == class)
                        return true;
        return false;
}

/* The policy's own files only where they have to be signed: else administrators put new ones there. */
void protect_by_zone(Policy *policy) {
        for (size_t i = 0; i < PROTECTIONS; i++)
                if (!policy->protect_named[i])
                        policy->protects[i] = policy->zone == ZONE_MYNUMBER &&
                                              (i != PROTECT_POLICY || policy->signing_required);
}

void require_guard_by_zone(Policy *policy) {
        if (!policy->mfa_require_guard_named)
                policy->mfa_require_guard = policy->zone == ZONE_MYNUMBER;
}

void lock_by_zone(Policy *policy) {
        if (!policy->mfa_lock_on_removal_named)
                policy->mfa_lock_on_removal = policy->zone == ZONE_MYNUMBER;
}

/* Without the section the guard is off, for interfaces as for destinations. */
void interfaces_by_zone(Policy *policy) {
        bool careful = policy->network_given && policy->zone == ZONE_MYNUMBER;

        if (!policy->interfaces_default_given)
                policy->interfaces_default_allow = !careful;
        for (unsigned kind = 0; kind < INTERFACE_KINDS; kind++)
                policy->interface_kind_allow[kind] =
                        policy->interfaces_default_given
                                ? policy->interfaces_default_allow
                                : !careful || kind == INTERFACE_ETHERNET || kind == INTERFACE_VIRTUAL;
}

int policy_default(Policy **ret) {
        CLEANUP_POLICY Policy *policy = policy_new();

        if (!policy)
                return -ENOMEM;
        policy->version = 1;
        policy->zone = ZONE_MYNUMBER;
        policy->mode = MODE_ENFORCE;
        policy->removable_default = ACCESS_READ_ONLY;
        policy->filesystems_default = ACCESS_READ_ONLY;
        policy->network_given = true; /* closed, but for what a link needs */
        policy->mfa_default = LOGIN_OFF;
        for (size_t class = 0; class < ELEMENTS(policy->usb_class_allow); class ++)
                policy->usb_class_allow[class] = policy->usb_class_named[class] =
                        usb_class_allowed_by_default((uint8_t) class);
        protect_by_zone(policy);
        require_guard_by_zone(policy);
        lock_by_zone(policy);
        interfaces_by_zone(policy);
        policy->removable_origin = strdup("built-in");
        policy->usb_origin = strdup("built-in");
        policy->filesystems_origin = strdup("built-in");
        policy->network_origin = strdup("built-in");
        policy->interfaces_origin = strdup("built-in");
        if (!policy->removable_origin || !policy->usb_origin || !policy->filesystems_origin ||
            !policy->network_origin || !policy->interfaces_origin)
                return -ENOMEM;
        *ret = STEAL_PTR(policy);
        return 0;
}
