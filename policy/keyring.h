/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keyring.h: whose signatures count: the public keys *.pub of a directory, several at a time while one takes
 * over from another, but those that are revoked there (*.revoked, the same files under another name) or by a
 * policy. Files have to be root's, as policies have to.
 */
#pragma once

#include "policy/faults.h"
#include "policy/minisign.h"

enum {
        KEYRING_MAX = 64,
        REVOKED_MAX = 64 /* by policies */
};

/* Where they are, on a machine that nobody has set up otherwise. */
#define KEYRING_DIRECTORY "/etc/sekisho/keys.d"

typedef struct Keyring {
        MinisignKey keys[KEYRING_MAX];
        size_t n;
        MinisignKey revoked[KEYRING_MAX];
        size_t n_revoked;
        uint64_t revoked_ids[REVOKED_MAX];
        size_t n_revoked_ids;
} Keyring;

/* DIRECTORY's keys; none if it is not there. 0, -ENOMEM, or -EBADMSG with a fault added. */
int keyring_load(const char *directory, Keyring *ret, Faults *faults);

/* Takes ID out for good. 0 or -E2BIG. */
int keyring_revoke(Keyring *keyring, uint64_t id);

/* Whether a key that counts made SIGNATURE of MESSAGE. 0; -ENOKEY if no such key is known; -EKEYREVOKED;
 * -EKEYREJECTED if the signature is not by the key it names; -ENOMEM. */
int keyring_verify(const Keyring *keyring, const MinisignSignature *signature, const char *message,
                   size_t length);
