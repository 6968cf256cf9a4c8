/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/sealed.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "policy/translate.h"

static const char first[] = "untrusted comment: ";

bool sealed_is(const char *text, size_t length) {
        return length > strlen(first) && memcmp(text, first, strlen(first)) == 0;
}

static int refuse(Faults *faults, const char *path, int error, uint64_t id) {
        switch (error) {
        case -ENOKEY:
                faults_add(faults, path, 0, 0,
                           "is signed with the key %" PRIX64
                           ", which is not known here; expected one of the keys in keys.d",
                           id);
                return -EBADMSG;
        case -EKEYREVOKED:
                faults_add(faults, path, 0, 0,
                           "is signed with the key %" PRIX64 ", which was revoked; expected another", id);
                return -EBADMSG;
        case -EKEYREJECTED:
                faults_add(
                        faults, path, 0, 0,
                        "does not go with its signature: it was changed after it was signed, or is damaged");
                return -EBADMSG;
        default:
                return error;
        }
}

int sealed_open(const char *path, const char *text, size_t length, const Keyring *keyring, Bundle *ret,
                MinisignSignature *ret_signature, Faults *faults) {
        MinisignSignature signature;
        const char *why = NULL;
        size_t at = 0;
        int r;

        if (bundle_unseal(text, length, &at) < 0 || minisign_signature_parse(text, at, &signature) < 0) {
                faults_add(faults, path, 0, 0,
                           "does not begin with a signature; expected the four lines of minisign");
                return -EBADMSG;
        }
        r = keyring_verify(keyring, &signature, text + at, length - at);
        if (r < 0)
                return refuse(faults, path, r, signature.id);
        r = bundle_parse(text + at, length - at, ret, &why);
        if (r == -EBADMSG)
                faults_add(faults, path, 0, 0, "%s", faults_text(faults, why));
        if (r == 0)
                *ret_signature = signature;
        return r;
}
