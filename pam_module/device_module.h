/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device_module.h: factors that take libraries which most logins do not need (libfido2, p11-kit, OpenSSL),
 * and which cost more to load than much of a login. They stand in modules of their own, in a directory
 * beside the PAM module, and are loaded for who has such a factor. What cannot be loaded denies.
 */
#pragma once

#include "pam_module/card_people.h"
#include "pam_module/login.h"

#define DEVICE_MODULE_DIRECTORY "pam_sekisho" /* beside pam_sekisho.so */
#define DEVICE_MODULE_SYMBOL    "sekisho_device_%s"

/* What both sides were built from: they look into the same structures, and an upgrade may replace one file
 * while the other is in use. */
typedef struct DeviceBuild {
        char version[32];
        size_t login, policy, enrolment, verification;
} DeviceBuild;

#define DEVICE_BUILD                                                                                        \
        (DeviceBuild) {                                                                                     \
                .version = SEKISHO_VERSION, .login = sizeof(Login), .policy = sizeof(Policy),               \
                .enrolment = sizeof(Enrolment), .verification = sizeof(Verification)                        \
        }

typedef struct DeviceModule {
        DeviceBuild build; /* where it differs nothing else of it is looked at */
        Proof (*prove)(Login *login, unsigned wanted, Factor *ret); /* as FactorModule's */

        /* Of cards only: as card_people_find(), with the usual module if PATH is NULL. */
        int (*person)(const CardPeople *people, const char *path, char ret[static PERSON_SIZE]);
} DeviceModule;

extern const DeviceModule sekisho_device_fido2, sekisho_device_card;

/* The module of KIND, which stays until login_clear(). 0, or -errno with the cause in LOGIN's WHY. */
int device_module(Login *login, DeviceKind kind, const DeviceModule **ret);

/* Lets go of what device_module() loaded. */
void device_module_close(void *handle);
