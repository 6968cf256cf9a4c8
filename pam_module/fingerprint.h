/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fingerprint.h: fingers, by fprintd on the system bus (net.reactivated.Fprint). Its answers count if they
 * come from the connection that owned its name to begin with, and that connection is root's: who else is on
 * the bus can send what looks like them. Knows nothing of PAM and of files.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "pam_module/enrolment.h"

typedef struct Fingerprint {
        sd_bus *bus;
        char *owner;  /* of fprintd's name: a unique name */
        char *device; /* object path */
        bool claimed, verifying;
        char fingers[FINGERS_SIZE]; /* those that fprintd has of the person */
} Fingerprint;

void fingerprint_close(Fingerprint *fingerprint);
#define CLEANUP_FINGERPRINT CLEANUP(fingerprint_close)

/* The address of the system bus: a constant. The environment is the caller's and says nothing. */
const char *fingerprint_bus_address(void);

/* Reaches fprintd and takes its reader for USER. 0 with RET; -ENODEV: there is no fprintd or no reader;
 * -ENOKEY: it has no finger of the person; -EPERM: who answers is not root's; -EBUSY: the reader is in use;
 * -EIO: it does not answer; or another -errno. */
int fingerprint_open(const char *user, uint64_t timeout_usec, Fingerprint *ret);

/* Waits for a finger. 0: it is the person's; -EKEYREJECTED: it is not; -ETIMEDOUT; -ENODEV: the reader, or
 * fprintd, has gone; -errno. AGAIN is called where the finger has to be put there once more. */
int fingerprint_verify(Fingerprint *fingerprint, uint64_t timeout_usec, void (*again)(void *userdata),
                       void *userdata);
