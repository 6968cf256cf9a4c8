/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * admission.h: a verdict on one device turned into kernel state. Used by devices.c alone.
 */
#pragma once

#include <libudev.h>

#include "agent/device/devices.h"

typedef struct Admission {
        DevicesCallbacks callbacks;
        struct udev *udev;
        char *runtime_dir;
        bool monitor_only;
} Admission;

/* Fill DEVICE's decision: the strictest over itself, what it stands on, and, for USB, its interfaces. */
void admission_judge(const Admission *admission, Device *device);

/* Bring the kernel in line with it. BEFORE is the decision that was in force, NULL for a new device. 0 or
 * -errno. */
int admission_enforce(const Admission *admission, Device *device, const Decision *before);

/* Hold a disk, whatever its decision. 0 or -errno. */
int admission_hold(const Admission *admission, const Device *device);
