/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fido2.h: security keys (CTAP 2) by libfido2: finding the one that a person has enrolled, having it sign a
 * fresh challenge, and checking what it says. Knows nothing of PAM and of files; what it holds is public.
 */
#pragma once

#include <fido.h>

#include "pam_module/enrolment.h"

enum {
        FIDO2_CHALLENGE_SIZE = 32,
        FIDO2_DATA_MAX = 1024,
        FIDO2_SIGNATURE_MAX = 128,
        FIDO2_NODE_SIZE = 64
};

/* What a key answered, as it came, and what it was asked. */
typedef struct Fido2Assertion {
        unsigned char challenge[FIDO2_CHALLENGE_SIZE]; /* in place of the hash of client data */
        unsigned char data[FIDO2_DATA_MAX];            /* authenticator data, in CBOR */
        size_t data_length;
        unsigned char signature[FIDO2_SIGNATURE_MAX];
        size_t signature_length;
} Fido2Assertion;

/* An open key. Zeroed: none. */
typedef struct Fido2Device {
        fido_dev_t *handle;
        size_t key;                 /* which of the keys that were looked for it is */
        bool has_uv;                /* it knows its owner by itself, as by a finger */
        bool has_pin;               /* one is set */
        char node[FIDO2_NODE_SIZE]; /* "/dev/hidraw3"; "" if it is longer */
} Fido2Device;

void fido2_close(Fido2Device *device);
#define CLEANUP_FIDO2 CLEANUP(fido2_close)

/* To be called before anything else of this file. */
void fido2_init(void);

/* Milliseconds of CLOCK_BOOTTIME; 0 if there is no clock. */
uint64_t fido2_clock(void);

/* Tells, by becoming readable, that something may have been plugged in. A descriptor or -errno. To be opened
 * before fido2_find, so that nothing is missed. */
int fido2_watch(void);
/* Waits for that, until DEADLINE. 0, -ETIMEDOUT or -errno. */
int fido2_watch_wait(int fd, uint64_t deadline);

/* Opens the first plugged-in key that is one of the N KEYS, without bothering the person. 0 with RET,
 * -ENODEV if none is plugged in, -ENOKEY if none of those is among KEYS, or -errno. */
int fido2_find(const Fido2Key *keys, size_t n, uint64_t deadline, Fido2Device *ret);

/* The same for a key that is to be enrolled: the only one that is plugged in. -ENOTUNIQ if there are more.
 */
int fido2_find_new(uint64_t deadline, Fido2Device *ret);

/* Has the key sign a fresh challenge: with PIN, or if that is NULL by itself as far as VERIFY says so. 0
 * with RET; -EKEYREJECTED: wrong PIN or finger; -EACCES: it takes none any more; -EBUSY: not before it was
 * pulled out; -ENOENT: no PIN is set; -ETIMEDOUT; -ECANCELED: refused by hand; -EIO and other -errno. */
int fido2_sign(Fido2Device *device, const Fido2Key *key, const char *pin, bool verify, uint64_t deadline,
               Fido2Assertion *ret);
/* The same -errno for a code of libfido2's. */
int fido2_error(int code);

/* How many wrong PINs it takes yet, -1 if that is not known. */
int fido2_retries(Fido2Device *device);

/* Whether ASSERTION is KEY's answer: signed by it, for its relying party, with somebody present, and
 * verified if VERIFICATION asks for it. 0 with what the key has counted; -EKEYREJECTED; -ESTALE if it counts
 * no more than before, as a copy would; -ENOMEM. */
int fido2_check(const Fido2Key *key, UserVerification verification, const Fido2Assertion *assertion,
                uint32_t *ret_counter);

/* Has the key make a credential for USER, with PIN or if that is NULL by itself; not if it has one of the N
 * that are KNOWN. 0 with RET, which has no label yet; -EEXIST: it is known; -EPERM: it is not attested as
 * POLICY asks; -EINVAL: the certificates for that cannot be read; as fido2_sign. */
int fido2_create(Fido2Device *device, const MfaFido2 *policy, const char *user, const Fido2Key *known,
                 size_t n, const char *pin, Fido2Key *ret);
