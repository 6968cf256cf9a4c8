/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PIN of a card, and what its key signs. */
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "pam_module/pkcs11_private.h"

enum {
        KEYS_MAX = 8,
        NONCE_SIZE = 32,
        PSS_SALT_SIZE = crypto_hash_sha256_BYTES
};

/* So that no signature of a login's can pass for one of anything else. */
static const char purpose[] = "Sekisho card login 1";

/* What precedes a hash of SHA-256 that is signed by PKCS#1 v1.5: RFC 8017, 9.2, note 1. */
static const unsigned char digest_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                            0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

typedef struct Way {
        CK_MECHANISM_TYPE mechanism;
        CK_KEY_TYPE key;
        SignatureForm form;
        bool hashes; /* the module does */
} Way;

/* In this order. */
static const Way ways[] = {
        {CKM_SHA256_RSA_PKCS, CKK_RSA, SIGNATURE_RSA, true},
        {CKM_RSA_PKCS, CKK_RSA, SIGNATURE_RSA, false},
        {CKM_SHA256_RSA_PKCS_PSS, CKK_RSA, SIGNATURE_RSA_PSS, true},
        {CKM_RSA_PKCS_PSS, CKK_RSA, SIGNATURE_RSA_PSS, false},
        {CKM_ECDSA_SHA256, CKK_EC, SIGNATURE_ECDSA, true},
        {CKM_ECDSA, CKK_EC, SIGNATURE_ECDSA, false},
};

static CK_RV give_pin(const Card *card, CK_USER_TYPE user, const char *pin) {
        CK_UTF8CHAR *text = (CK_UTF8CHAR *)(uintptr_t)pin;

        return CALL(card->functions, C_Login, card->session, user, text, pin ? strlen(pin) : 0);
}

int card_login(Card *card, const char *pin) {
        CK_RV answer = give_pin(card, CKU_USER, pin);

        /* by somebody else in this process: that is not the person's doing */
        if (answer == CKR_USER_ALREADY_LOGGED_IN) {
                (void)CALL(card->functions, C_Logout, card->session);
                answer = give_pin(card, CKU_USER, pin);
        }
        card->logged_in = answer == CKR_OK;
        return card_error(answer);
}

static bool is_set(const Card *card, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, bool initial) {
        CK_BBOOL value = CK_FALSE;
        size_t length = 0;

        return card_attribute(card, object, type, &value, sizeof(value), &length) < 0 || length == 0
                       ? initial
                       : value != CK_FALSE;
}

static bool can(const Card *card, CK_MECHANISM_TYPE mechanism) {
        CK_MECHANISM_INFO info;

        memset(&info, 0, sizeof(info));
        return CALL(card->functions, C_GetMechanismInfo, card->slot, mechanism, &info) == CKR_OK &&
               (info.flags & CKF_SIGN);
}

static int sign_by(const Card *card, const Way *way, CK_OBJECT_HANDLE key, const char *pin,
                   const void *message, size_t length, Signature *ret) {
        unsigned char hashed[sizeof(digest_info) + crypto_hash_sha256_BYTES], *data = hashed;
        CK_RSA_PKCS_PSS_PARAMS pss = {CKM_SHA256, CKG_MGF1_SHA256, PSS_SALT_SIZE};
        CK_MECHANISM mechanism = {way->mechanism, NULL, 0};
        CK_ULONG n = sizeof(hashed), n_signature = sizeof(ret->value);
        CK_RV answer;

        memcpy(hashed, digest_info, sizeof(digest_info));
        crypto_hash_sha256(hashed + sizeof(digest_info), message, length);
        if (way->form == SIGNATURE_RSA_PSS)
                mechanism = (CK_MECHANISM){way->mechanism, &pss, sizeof(pss)};
        if (way->hashes) {
                data = (unsigned char *)(uintptr_t)message;
                n = length;
        } else if (way->form != SIGNATURE_RSA) {
                data += sizeof(digest_info);
                n -= sizeof(digest_info);
        }
        answer = CALL(card->functions, C_SignInit, card->session, &mechanism, key);
        if (answer == CKR_MECHANISM_INVALID || answer == CKR_MECHANISM_PARAM_INVALID)
                return -EOPNOTSUPP;
        if (answer == CKR_OK && is_set(card, key, CKA_ALWAYS_AUTHENTICATE, false))
                answer = give_pin(card, CKU_CONTEXT_SPECIFIC, pin);
        if (answer == CKR_OK)
                answer = CALL(card->functions, C_Sign, card->session, data, n, ret->value, &n_signature);
        if (answer != CKR_OK)
                return card_error(answer);
        if (n_signature > sizeof(ret->value))
                return -EBADMSG;
        ret->form = way->form;
        ret->length = n_signature;
        return 0;
}

static int sign_with(Card *card, CK_OBJECT_HANDLE key, const char *pin, const void *message, size_t length,
                     Signature *ret) {
        CK_KEY_TYPE type = 0;
        size_t size = 0;
        int r = card_attribute(card, key, CKA_KEY_TYPE, &type, sizeof(type), &size);

        if (r < 0 || size != sizeof(type))
                return r < 0 ? r : -EBADMSG;
        for (size_t i = 0; i < ELEMENTS(ways); i++) {
                if (ways[i].key != type || !can(card, ways[i].mechanism))
                        continue;
                r = sign_by(card, &ways[i], key, pin, message, length, ret);
                if (r != -EOPNOTSUPP) {
                        card->key_is_private = is_set(card, key, CKA_PRIVATE, false);
                        return r;
                }
        }
        return -ENOKEY;
}

int card_sign(Card *card, const char *pin, const void *message, size_t length, Signature *ret) {
        CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
        CK_ATTRIBUTE attributes[] = {{CKA_CLASS, &class, sizeof(class)},
                                     {CKA_ID, card->id, card->id_length}};
        CK_OBJECT_HANDLE keys[KEYS_MAX] = {0};
        int n = card_objects(card, attributes, ELEMENTS(attributes), keys, KEYS_MAX);

        if (n < 0)
                return n;
        for (int i = 0; i < n; i++)
                if (is_set(card, keys[i], CKA_SIGN, true))
                        return sign_with(card, keys[i], pin, message, length, ret);
        return -ENOKEY;
}

int card_prove(Card *card, const char *pin, const unsigned char *certificate, size_t length) {
        unsigned char message[sizeof(purpose) + NONCE_SIZE];
        Signature signature = {.form = SIGNATURE_NONE};
        int r;

        memcpy(message, purpose, sizeof(purpose));
        randombytes_buf(message + sizeof(purpose), NONCE_SIZE);
        r = card_sign(card, pin, message, sizeof(message), &signature);
        return r < 0 ? r : certificate_verify(certificate, length, message, sizeof(message), &signature);
}

bool card_proves_pin(const Card *card) {
        return card->logged_in && card->pin_needed && card->key_is_private;
}
