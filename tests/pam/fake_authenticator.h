/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fake_authenticator: a security key in software. It speaks CTAP 2.0 with PIN protocol 1 over libfido2's own
 * transport functions, in place of USB, and stands between the code and fido_dev_info_manifest() (the
 * linker's --wrap). Signatures, PINs and CBOR are real; what it does wrong is chosen by its fault.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum FakeFault {
        FAKE_HONEST,
        FAKE_NO_UV,        /* signs without knowing its owner, flags say so */
        FAKE_NO_UP,        /* signs without a touch, flags say so */
        FAKE_COUNTS_BACK,  /* as a copy does that was used less */
        FAKE_REPLAY,       /* repeats what it answered last */
        FAKE_OTHER_PARTY,  /* signs for another relying party */
        FAKE_OTHER_SIGNER, /* knows the identifier, has another private key */
        FAKE_GONE,         /* is pulled out when it is asked to sign */
        FAKE_SILENT,       /* is never touched */
        FAKE_GARBAGE,      /* answers what is no CBOR */
        FAKE_DENIES,       /* its owner refuses */
        FAKE_HUGE,         /* answers with a signature that is far too long */
        FAKE_FAULTS_N
} FakeFault;

typedef struct FakeAuthenticator {
        unsigned char seed[32]; /* of its private keys */
        uint32_t counter;
        char pin[64]; /* "": none is set */
        int retries;  /* of its PIN */
        bool has_uv, knows_owner;
        bool counts; /* false: its counter is always 0 */
        FakeFault fault;
        unsigned char replay[1024]; /* what it answered last */
        size_t replay_length;
        unsigned asked; /* how often it was asked to sign with a touch */
} FakeAuthenticator;

/* A new key with SEED, which has a PIN. */
FakeAuthenticator fake_authenticator_new(unsigned char seed, const char *pin);

/* What is plugged in: given by whoever uses this. At most FAKE_PLUGGED_MAX. */
enum {
        FAKE_PLUGGED_MAX = 4
};
size_t fake_authenticators(FakeAuthenticator **ret);
/* Called when it has changed. */
void fake_authenticator_changed(FakeAuthenticator *fake);
