/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a bundle, as a signature, as a public key and as a floor. A bundle that is taken is the only
 * way to write down its files, and a signature verifies nothing under a key that did not make it. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/bundle.h"
#include "policy/floor.h"
#include "policy/minisign.h"
#include "policy/scope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
        if (!holds)
                abort();
}

static void try_bundle(const char *text, size_t length) {
        CLEANUP_BUNDLE Bundle bundle = {0};
        CLEANUP_FREE char *again = NULL;
        const char *why = NULL;
        size_t n = 0;

        if (bundle_parse(text, length, &bundle, &why) < 0) {
                require(why && !bundle.files);
                return;
        }
        require(bundle.n > 0 && bundle_make(bundle.files, bundle.n, &again, &n) == 0);
        require(n == length && memcmp(again, text, n) == 0);
}

static void try_signature(const char *text, size_t length) {
        static const MinisignKey nobody = {.public = {[31] = 0x42}};
        MinisignSignature signature;
        MinisignKey key = nobody;
        size_t at = 0;

        if (bundle_unseal(text, length, &at) == 0 && minisign_signature_parse(text, at, &signature) == 0) {
                key.id = signature.id;
                require(strlen(signature.comment) <= MINISIGN_COMMENT_MAX);
                require(minisign_verify(&signature, &key, text + at, length - at) == -EKEYREJECTED);
                try_bundle(text + at, length - at);
        }
        (void)minisign_key_parse(text, length, &key);
}

static void try_floor(const char *data, size_t size) {
        CLEANUP_FREE char *text = strndup(data, size);
        char again[FLOOR_TEXT_MAX];
        Floor floor, same;

        if (text && floor_parse(text, &floor) == 0) {
                require(floor_format(&floor, again) < sizeof(again));
                require(floor_parse(again, &same) == 0 && same.serial == floor.serial &&
                        same.signing_required == floor.signing_required &&
                        same.n_revoked == floor.n_revoked);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        try_bundle((const char *)data, size);
        try_signature((const char *)data, size);
        try_floor((const char *)data, size);
        return 0;
}
