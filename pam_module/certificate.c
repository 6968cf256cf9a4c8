/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/certificate.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "pam_module/trusted_path.h"
#include "policy/scope.h"

DEFINE_ENUM_STRINGS(CertificateState, certificate_state, CERTIFICATE_STATE_LIST)
DEFINE_ENUM_STRINGS(SignatureForm, signature_form, SIGNATURE_FORM_LIST)

enum {
        FILE_MAX = 64 * 1024 * 1024, /* lists of a large authority have millions of entries */
        RSA_BITS_MIN = 2048,
        EC_BITS_MIN = 256,
        SECURITY_LEVEL = 2 /* 112 bits: no SHA-1, no RSA below 2048, in the whole chain */
};

DEFINE_CLEANUP(X509, X509_free);
DEFINE_CLEANUP(BIO, BIO_free_all);
DEFINE_CLEANUP(X509_STORE, X509_STORE_free);
DEFINE_CLEANUP(X509_STORE_CTX, X509_STORE_CTX_free);
DEFINE_CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free);
DEFINE_CLEANUP(ECDSA_SIG, ECDSA_SIG_free);

/* The queue of errors is the program's, whose guest we are. */
static void scope_errors(const int *unused) {
        (void)unused;
        (void)ERR_pop_to_mark();
}
#define KEEP_ERRORS CLEANUP(scope_errors) int kept_errors __attribute__((unused)) = ERR_set_mark()

static X509 *parse(const unsigned char *der, size_t length) {
        const unsigned char *at = der;
        X509 *certificate = d2i_X509(NULL, &at, (long)length);

        if (certificate && at == der + length)
                return certificate;
        X509_free(certificate);
        return NULL;
}

static bool is_for_signing(X509 *certificate) {
        EVP_PKEY *key = X509_get0_pubkey(certificate);
        int bits = key ? EVP_PKEY_get_bits(key) : 0;

        return key && X509_check_ca(certificate) == 0 &&
               (X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) &&
               ((EVP_PKEY_is_a(key, "RSA") && bits >= RSA_BITS_MIN) ||
                (EVP_PKEY_is_a(key, "EC") && bits >= EC_BITS_MIN));
}

bool certificate_is_for_signing(const unsigned char *der, size_t length) {
        KEEP_ERRORS;
        CLEANUP(scope_X509_free) X509 *certificate = parse(der, length);

        return certificate && is_for_signing(certificate);
}

/* Every certificate of a file that is not root's alone is nobody's. */
static int add_authorities(X509_STORE *store, const char *path) {
        CLEANUP(scope_BIO_free_all) BIO *bio = NULL;
        CLEANUP_FREE char *text = NULL;
        size_t length = 0;
        int n = 0, r = trusted_read(path, FILE_MAX, &text, &length);

        if (r < 0)
                return r;
        bio = BIO_new_mem_buf(text, (int)length);
        if (!bio)
                return -ENOMEM;
        for (;; n++) {
                CLEANUP(scope_X509_free) X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);

                if (!certificate)
                        break;
                if (X509_STORE_add_cert(store, certificate) != 1)
                        return -ENOMEM;
        }
        return n > 0 && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? 0 : -EBADMSG;
}

static int add_lists(X509_STORE *store, const char *path) {
        CLEANUP(scope_BIO_free_all) BIO *bio = NULL;
        CLEANUP_FREE char *text = NULL;
        size_t length = 0;
        int n = 0, r = trusted_read(path, FILE_MAX, &text, &length);

        if (r < 0)
                return r;
        bio = BIO_new_mem_buf(text, (int)length);
        if (!bio)
                return -ENOMEM;
        for (;; n++) {
                X509_CRL *list = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);

                if (!list)
                        break;
                r = X509_STORE_add_crl(store, list);
                X509_CRL_free(list);
                if (r != 1)
                        return -ENOMEM;
        }
        return n > 0 && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE ? 0 : -EBADMSG;
}

static CertificateState state_of(int error) {
        switch (error) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
                return CERTIFICATE_EXPIRED;
        case X509_V_ERR_CERT_NOT_YET_VALID:
                return CERTIFICATE_NOT_YET;
        case X509_V_ERR_CERT_REVOKED:
                return CERTIFICATE_REVOKED;
        case X509_V_ERR_UNABLE_TO_GET_CRL:
        case X509_V_ERR_CRL_HAS_EXPIRED:
        case X509_V_ERR_CRL_NOT_YET_VALID:
                return CERTIFICATE_CRL_STALE;
        case X509_V_ERR_OUT_OF_MEM:
        case X509_V_ERR_UNSPECIFIED:
        case X509_V_OK: /* though it was not verified */
                return CERTIFICATE_BROKEN;
        default:
                return CERTIFICATE_UNTRUSTED;
        }
}

static CertificateState check_chain(X509 *certificate, const CertificateRules *rules) {
        CLEANUP(scope_X509_STORE_free) X509_STORE *store = X509_STORE_new();
        CLEANUP(scope_X509_STORE_CTX_free) X509_STORE_CTX *context = X509_STORE_CTX_new();
        X509_VERIFY_PARAM *param;

        if (!store || !context || add_authorities(store, rules->ca) < 0 ||
            (rules->crl && add_lists(store, rules->crl) < 0) ||
            X509_STORE_CTX_init(context, store, certificate, NULL) != 1)
                return CERTIFICATE_BROKEN;
        param = X509_STORE_CTX_get0_param(context);
        X509_VERIFY_PARAM_set_time(param, rules->now);
        X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
        if (rules->crl &&
            X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) != 1)
                return CERTIFICATE_BROKEN;
        if (X509_verify_cert(context) == 1)
                return CERTIFICATE_GOOD;
        return state_of(X509_STORE_CTX_get_error(context));
}

/* By the certificate alone: who enrolled it has vouched for it. */
static CertificateState check_times(const X509 *certificate, time_t now) {
        int from = X509_cmp_time(X509_get0_notBefore(certificate), &now),
            until = X509_cmp_time(X509_get0_notAfter(certificate), &now);

        if (from == 0 || until == 0)
                return CERTIFICATE_BROKEN;
        return from > 0 ? CERTIFICATE_NOT_YET : until < 0 ? CERTIFICATE_EXPIRED : CERTIFICATE_GOOD;
}

CertificateState certificate_check(const unsigned char *der, size_t length, const CertificateRules *rules) {
        KEEP_ERRORS;
        CLEANUP(scope_X509_free) X509 *certificate = parse(der, length);
        CertificateState state;

        if (!certificate)
                return CERTIFICATE_BROKEN;
        if (!is_for_signing(certificate))
                return CERTIFICATE_UNSUITABLE;
        state = check_times(certificate, rules->now);
        return state == CERTIFICATE_GOOD && rules->ca ? check_chain(certificate, rules) : state;
}

static int name_text(const X509_NAME *name, char ret[static CERTIFICATE_NAME_SIZE]) {
        CLEANUP(scope_BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
        int n;

        if (!bio ||
            X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) < 0)
                return -ENOMEM;
        n = BIO_read(bio, ret, CERTIFICATE_NAME_SIZE - 1);
        ret[n > 0 ? n : 0] = '\0';
        return 0;
}

static time_t time_of(const ASN1_TIME *time) {
        struct tm parts = {0};

        return ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

int certificate_describe(const unsigned char *der, size_t length, CertificateText *ret) {
        KEEP_ERRORS;
        CLEANUP(scope_X509_free) X509 *certificate = parse(der, length);
        CertificateText text = {.from = 0};

        if (!certificate)
                return -EBADMSG;
        if (name_text(X509_get_subject_name(certificate), text.subject) < 0 ||
            name_text(X509_get_issuer_name(certificate), text.issuer) < 0)
                return -ENOMEM;
        text.from = time_of(X509_get0_notBefore(certificate));
        text.until = time_of(X509_get0_notAfter(certificate));
        *ret = text;
        return 0;
}

/* PKCS#11 gives r and s, OpenSSL takes a sequence of both. An owned sequence, or NULL. */
static unsigned char *sequence_of(const Signature *signature, size_t *ret_length) {
        CLEANUP(scope_ECDSA_SIG_free) ECDSA_SIG *parts = ECDSA_SIG_new();
        size_t half = signature->length / 2;
        unsigned char *sequence = NULL;
        BIGNUM *r, *s;
        int n;

        if (!parts || half == 0 || signature->length % 2)
                return NULL;
        r = BN_bin2bn(signature->value, (int)half, NULL);
        s = BN_bin2bn(signature->value + half, (int)half, NULL);
        if (!r || !s || ECDSA_SIG_set0(parts, r, s) != 1) {
                BN_free(r);
                BN_free(s);
                return NULL;
        }
        n = i2d_ECDSA_SIG(parts, &sequence);
        if (n <= 0)
                return NULL;
        *ret_length = (size_t)n;
        return sequence;
}

static void scope_openssl(unsigned char **memory) {
        OPENSSL_free(*memory);
}

static int verify(EVP_PKEY *key, const void *message, size_t message_length, SignatureForm form,
                  const unsigned char *value, size_t length) {
        CLEANUP(scope_EVP_MD_CTX_free) EVP_MD_CTX *context = EVP_MD_CTX_new();
        EVP_PKEY_CTX *parameters = NULL; /* the context's own */
        bool rsa = form == SIGNATURE_RSA || form == SIGNATURE_RSA_PSS;

        if (!EVP_PKEY_is_a(key, rsa ? "RSA" : "EC"))
                return -EKEYREJECTED;
        if (!context || EVP_DigestVerifyInit(context, &parameters, EVP_sha256(), NULL, key) != 1)
                return -ENOMEM;
        if (rsa &&
            EVP_PKEY_CTX_set_rsa_padding(parameters, form == SIGNATURE_RSA ? RSA_PKCS1_PADDING
                                                                           : RSA_PKCS1_PSS_PADDING) != 1)
                return -ENOMEM;
        if (form == SIGNATURE_RSA_PSS &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) != 1)
                return -ENOMEM;
        return EVP_DigestVerify(context, value, length, message, message_length) == 1 ? 0 : -EKEYREJECTED;
}

int certificate_verify(const unsigned char *der, size_t length, const void *message, size_t message_length,
                       const Signature *signature) {
        KEEP_ERRORS;
        CLEANUP(scope_X509_free) X509 *certificate = parse(der, length);
        CLEANUP(scope_openssl) unsigned char *sequence = NULL;
        EVP_PKEY *key = certificate ? X509_get0_pubkey(certificate) : NULL;
        const unsigned char *value = signature->value;
        size_t value_length = signature->length;

        if (!key)
                return -EBADMSG;
        if (signature->form == SIGNATURE_NONE || value_length == 0 || value_length > SIGNATURE_MAX)
                return -EKEYREJECTED;
        if (signature->form == SIGNATURE_ECDSA) {
                sequence = sequence_of(signature, &value_length);
                if (!sequence)
                        return -EKEYREJECTED;
                value = sequence;
        }
        return verify(key, message, message_length, signature->form, value, value_length);
}
