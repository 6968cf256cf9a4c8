/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * certificate.h: certificates of IC cards, and what was signed with their keys, by OpenSSL. Touches nothing
 * but the files that the rules name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "policy/enum.h"

enum {
        CERTIFICATE_NAME_SIZE = 512,
        SIGNATURE_MAX = 512 /* RSA of 4096 bits */
};

/* Zero is the worst that can be said. */
#define CERTIFICATE_STATE_LIST(X)                                                                           \
        X(CERTIFICATE_BROKEN, "certificate-not-checked")    /* it could not be found out */                 \
        X(CERTIFICATE_UNSUITABLE, "certificate-unsuitable") /* not for signing, or its key is too short */  \
        X(CERTIFICATE_EXPIRED, "certificate-expired")                                                       \
        X(CERTIFICATE_NOT_YET, "certificate-not-yet-valid")                                                 \
        X(CERTIFICATE_REVOKED, "certificate-revoked")                                                       \
        X(CERTIFICATE_CRL_STALE, "revocation-list-missing-or-old")                                          \
        X(CERTIFICATE_UNTRUSTED, "certificate-of-unknown-authority")                                        \
        X(CERTIFICATE_GOOD, "certificate-good")
DECLARE_ENUM(CertificateState, certificate_state, CERTIFICATE_STATE_LIST);

typedef struct CertificateRules {
        const char *ca, *crl; /* files in PEM; NULL: not asked for */
        time_t now;
} CertificateRules;

/* Whether DER, LENGTH bytes, may stand for somebody by RULES. */
CertificateState certificate_check(const unsigned char *der, size_t length, const CertificateRules *rules);

/* For people. Names in the form of RFC 2253. */
typedef struct CertificateText {
        char subject[CERTIFICATE_NAME_SIZE], issuer[CERTIFICATE_NAME_SIZE];
        time_t from, until;
} CertificateText;

/* 0, -EBADMSG or -ENOMEM. */
int certificate_describe(const unsigned char *der, size_t length, CertificateText *ret);

/* Whether it is one of somebody, not of an authority, whose key signs. */
bool certificate_is_for_signing(const unsigned char *der, size_t length);

/* How a signature came about; all of them over SHA-256. */
#define SIGNATURE_FORM_LIST(X)                                                                              \
        X(SIGNATURE_NONE, "none")                                                                           \
        X(SIGNATURE_RSA, "rsa-pkcs1")                                                                       \
        X(SIGNATURE_RSA_PSS, "rsa-pss")                                                                     \
        X(SIGNATURE_ECDSA, "ecdsa") /* r and s, one behind the other */
DECLARE_ENUM(SignatureForm, signature_form, SIGNATURE_FORM_LIST);

typedef struct Signature {
        SignatureForm form;
        size_t length;
        unsigned char value[SIGNATURE_MAX];
} Signature;

/* Whether SIGNATURE over MESSAGE is of the key in DER. 0, -EKEYREJECTED, -EBADMSG for a certificate that
 * cannot be read, -ENOMEM. */
int certificate_verify(const unsigned char *der, size_t length, const void *message, size_t message_length,
                       const Signature *signature);
