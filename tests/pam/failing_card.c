/* SPDX-License-Identifier: GPL-2.0-or-later */
/* failing_card: the calls of logins with IC cards: to OpenSSL, to p11-kit and to the PKCS#11 module. */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <p11-kit/p11-kit.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/pam/failing.h"

WRAP(char *, realpath, NULL, EIO, (const char *path, char *ret), (path, ret))
WRAP(int, lstat, -1, EIO, (const char *path, struct stat *ret), (path, ret))
WRAP(X509 *, d2i_X509, NULL, 0, (X509 * *ret, const unsigned char **der, long n), (ret, der, n))
WRAP(BIO *, BIO_new_mem_buf, NULL, 0, (const void *text, int n), (text, n))
WRAP(X509_STORE *, X509_STORE_new, NULL, 0, (void), ())
WRAP(X509_STORE_CTX *, X509_STORE_CTX_new, NULL, 0, (void), ())
WRAP(int, X509_STORE_CTX_init, 0, 0,
     (X509_STORE_CTX * context, X509_STORE *store, X509 *certificate, STACK_OF(X509) * others),
     (context, store, certificate, others))
WRAP(int, X509_STORE_add_cert, 0, 0, (X509_STORE * store, X509 *certificate), (store, certificate))
WRAP(int, X509_STORE_add_crl, 0, 0, (X509_STORE * store, X509_CRL *list), (store, list))
WRAP(int, X509_VERIFY_PARAM_set_flags, 0, 0, (X509_VERIFY_PARAM * param, unsigned long flags),
     (param, flags))
WRAP(int, X509_verify_cert, 0, 0, (X509_STORE_CTX * context), (context))
WRAP(int, X509_cmp_time, 0, 0, (const ASN1_TIME *time, time_t *now), (time, now))
WRAP(int, EVP_DigestVerifyInit, 0, 0,
     (EVP_MD_CTX * context, EVP_PKEY_CTX **parameters, const EVP_MD *hash, ENGINE *engine, EVP_PKEY *key),
     (context, parameters, hash, engine, key))
WRAP(int, EVP_DigestVerify, -1, 0,
     (EVP_MD_CTX * context, const unsigned char *signature, size_t n, const unsigned char *message,
      size_t length),
     (context, signature, n, message, length))
WRAP(ECDSA_SIG *, ECDSA_SIG_new, NULL, 0, (void), ())

/* The module's functions, with failures before them. */
static CK_FUNCTION_LIST *real, list;

/* Where no card is asked, it is the security key in software that makes one: its own do not fail. */
EVP_MD_CTX *__real_EVP_MD_CTX_new(void);
EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void);
EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void) {
        return real && fails("EVP_MD_CTX_new") ? NULL : __real_EVP_MD_CTX_new();
}

#define FUNCTION(name, failure, parameters, arguments)                                                      \
        static CK_RV failing_##name parameters {                                                            \
                return fails(#name) ? (failure) : real->name arguments;                                     \
        }
FUNCTION(C_GetSlotList, CKR_GENERAL_ERROR, (CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *n),
         (present, slots, n))
FUNCTION(C_GetTokenInfo, CKR_DEVICE_ERROR, (CK_SLOT_ID slot, CK_TOKEN_INFO *ret), (slot, ret))
FUNCTION(C_GetMechanismInfo, CKR_DEVICE_ERROR,
         (CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *ret), (slot, type, ret))
FUNCTION(C_OpenSession, CKR_SESSION_COUNT,
         (CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify, CK_SESSION_HANDLE *ret),
         (slot, flags, application, notify, ret))
FUNCTION(C_CloseSession, CKR_GENERAL_ERROR, (CK_SESSION_HANDLE session), (session))
FUNCTION(C_Login, CKR_DEVICE_ERROR,
         (CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG length),
         (session, user, pin, length))
FUNCTION(C_Logout, CKR_GENERAL_ERROR, (CK_SESSION_HANDLE session), (session))
FUNCTION(C_FindObjectsInit, CKR_HOST_MEMORY,
         (CK_SESSION_HANDLE session, CK_ATTRIBUTE *attributes, CK_ULONG n), (session, attributes, n))
FUNCTION(C_FindObjects, CKR_DEVICE_ERROR,
         (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *ret, CK_ULONG max, CK_ULONG *n),
         (session, ret, max, n))
FUNCTION(C_FindObjectsFinal, CKR_GENERAL_ERROR, (CK_SESSION_HANDLE session), (session))
FUNCTION(C_GetAttributeValue, CKR_DEVICE_ERROR,
         (CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *attributes, CK_ULONG n),
         (session, object, attributes, n))
FUNCTION(C_SignInit, CKR_MECHANISM_INVALID,
         (CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key),
         (session, mechanism, key))
FUNCTION(C_Sign, CKR_FUNCTION_FAILED,
         (CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG n, CK_BYTE *ret, CK_ULONG *ret_length),
         (session, data, n, ret, ret_length))

CK_FUNCTION_LIST *__real_p11_kit_module_load(const char *path, int flags);
CK_FUNCTION_LIST *__wrap_p11_kit_module_load(const char *path, int flags);
CK_FUNCTION_LIST *__wrap_p11_kit_module_load(const char *path, int flags) {
        if (fails("p11_kit_module_load"))
                return NULL;
        real = __real_p11_kit_module_load(path, flags);
        if (!real)
                return NULL;
        list = *real;
        list.C_GetSlotList = failing_C_GetSlotList;
        list.C_GetTokenInfo = failing_C_GetTokenInfo;
        list.C_GetMechanismInfo = failing_C_GetMechanismInfo;
        list.C_OpenSession = failing_C_OpenSession;
        list.C_CloseSession = failing_C_CloseSession;
        list.C_Login = failing_C_Login;
        list.C_Logout = failing_C_Logout;
        list.C_FindObjectsInit = failing_C_FindObjectsInit;
        list.C_FindObjects = failing_C_FindObjects;
        list.C_FindObjectsFinal = failing_C_FindObjectsFinal;
        list.C_GetAttributeValue = failing_C_GetAttributeValue;
        list.C_SignInit = failing_C_SignInit;
        list.C_Sign = failing_C_Sign;
        return &list;
}

CK_RV __real_p11_kit_module_initialize(CK_FUNCTION_LIST *module);
CK_RV __wrap_p11_kit_module_initialize(CK_FUNCTION_LIST *module);
CK_RV __wrap_p11_kit_module_initialize(CK_FUNCTION_LIST *module) {
        (void)module;
        return fails("p11_kit_module_initialize") ? CKR_DEVICE_ERROR
                                                  : __real_p11_kit_module_initialize(real);
}

CK_RV __real_p11_kit_module_finalize(CK_FUNCTION_LIST *module);
CK_RV __wrap_p11_kit_module_finalize(CK_FUNCTION_LIST *module);
CK_RV __wrap_p11_kit_module_finalize(CK_FUNCTION_LIST *module) {
        (void)module;
        return __real_p11_kit_module_finalize(real);
}

void __real_p11_kit_module_release(CK_FUNCTION_LIST *module);
void __wrap_p11_kit_module_release(CK_FUNCTION_LIST *module);
void __wrap_p11_kit_module_release(CK_FUNCTION_LIST *module) {
        (void)module;
        __real_p11_kit_module_release(real);
}
