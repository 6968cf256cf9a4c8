/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making a credential on a security key, and who attests what kind of key it is. For sekishoctl; no login.
 */
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <sodium.h>
#include <string.h>

#include "pam_module/fido2.h"

enum {
        USER_ID_SIZE = 32
};

static void scope_cred(fido_cred_t **cred) {
        fido_cred_free(cred);
}

static inline void scope_x509(X509 **certificate) {
        X509_free(*certificate);
}

static inline void scope_store(X509_STORE **store) {
        X509_STORE_free(*store);
}

static inline void scope_context(X509_STORE_CTX **context) {
        X509_STORE_CTX_free(*context);
}

/* By one of the certificates in the file at PATH, with nothing between: keys tell no more of their chain. */
static int check_maker(const fido_cred_t *cred, const char *path) {
        const unsigned char *der = fido_cred_x5c_ptr(cred);
        CLEANUP(scope_x509)
        X509 *certificate = der ? d2i_X509(NULL, &der, (long)fido_cred_x5c_len(cred)) : NULL;
        CLEANUP(scope_store) X509_STORE *store = X509_STORE_new();
        CLEANUP(scope_context) X509_STORE_CTX *context = X509_STORE_CTX_new();

        if (!store || !context)
                return -ENOMEM;
        if (X509_STORE_load_file(store, path) != 1)
                return -EINVAL;
        if (!certificate)
                return -EPERM;
        X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
        if (X509_STORE_CTX_init(context, store, certificate, NULL) != 1)
                return -ENOMEM;
        return X509_verify_cert(context) == 1 ? 0 : -EPERM;
}

/* What came has to be signed by who made it, or by itself; "none" is signed by nobody, and said to be so. */
static int check_statement(fido_cred_t *cred, const MfaFido2 *policy) {
        const char *format = fido_cred_fmt(cred);
        bool verify = policy->verification != USER_VERIFICATION_PREFERRED;

        if (verify && !(fido_cred_flags(cred) & 0x04)) /* UV */
                return -EKEYREJECTED;
        if (format && strcmp(format, "none") == 0)
                return policy->attestation ? -EPERM : 0;
        if (fido_cred_set_uv(cred, verify ? FIDO_OPT_TRUE : FIDO_OPT_OMIT) != FIDO_OK)
                return -ENOMEM;
        if ((fido_cred_x5c_ptr(cred) ? fido_cred_verify(cred) : fido_cred_verify_self(cred)) != FIDO_OK)
                return -EKEYREJECTED;
        return policy->attestation ? check_maker(cred, policy->attestation) : 0;
}

static int new_credential(const MfaFido2 *policy, const char *user, const Fido2Key *known, size_t n,
                          fido_cred_t **ret) {
        const char *party = policy->relying_party ? policy->relying_party : MFA_RELYING_PARTY_DEFAULT;
        CLEANUP(scope_cred) fido_cred_t *cred = fido_cred_new();
        unsigned char challenge[FIDO2_CHALLENGE_SIZE], id[USER_ID_SIZE];

        randombytes_buf(challenge, sizeof(challenge));
        randombytes_buf(id, sizeof(id));
        if (!cred || fido_cred_set_type(cred, COSE_ES256) != FIDO_OK ||
            fido_cred_set_clientdata_hash(cred, challenge, sizeof(challenge)) != FIDO_OK ||
            fido_cred_set_rp(cred, party, "Sekisho") != FIDO_OK ||
            fido_cred_set_user(cred, id, sizeof(id), user, user, NULL) != FIDO_OK)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (known[i].length > 0 && strcmp(known[i].relying_party, party) == 0 &&
                    fido_cred_exclude(cred, known[i].id, known[i].length) != FIDO_OK)
                        return -ENOMEM;
        *ret = STEAL_PTR(cred);
        return 0;
}

int fido2_create(Fido2Device *device, const MfaFido2 *policy, const char *user, const Fido2Key *known,
                 size_t n, const char *pin, Fido2Key *ret) {
        CLEANUP(scope_cred) fido_cred_t *cred = NULL;
        Fido2Key key = {.length = 0};
        int r = new_credential(policy, user, known, n, &cred);

        if (r < 0)
                return r;
        if ((!pin && device->has_uv && fido_cred_set_uv(cred, FIDO_OPT_TRUE) != FIDO_OK) ||
            fido_dev_set_timeout(device->handle, (int)policy->timeout * 1000) != FIDO_OK)
                return -ENOMEM;
        r = fido2_error(fido_dev_make_cred(device->handle, cred, pin));
        if (r < 0 || (r = check_statement(cred, policy)) < 0)
                return r;
        if (fido_cred_id_len(cred) == 0 || fido_cred_id_len(cred) > sizeof(key.id) ||
            fido_cred_pubkey_len(cred) != sizeof(key.public_key))
                return -EIO;
        key.length = fido_cred_id_len(cred);
        memcpy(key.id, fido_cred_id_ptr(cred), key.length);
        memcpy(key.public_key, fido_cred_pubkey_ptr(cred), sizeof(key.public_key));
        key.counter = fido_cred_sigcount(cred);
        (void)snprintf(key.relying_party, sizeof(key.relying_party), "%s", fido_cred_rp_id(cred));
        *ret = key;
        return 0;
}
