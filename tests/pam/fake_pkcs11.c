/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FAKE_pkcs11: SoftHSM with what it cannot do: cards that lock themselves, are taken out, lie or hang. What
 * is to go wrong is a word in the file "fault" beside the module; never to be installed.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIRECTORY "/etc/sekisho-FAKE/"
#define REAL      "/usr/lib/softhsm/libsofthsm2.so"

enum {
        WORD_SIZE = 64,
        TRIES = 3
};

static CK_FUNCTION_LIST *real, list;

static void read_word(const char *name, char ret[static WORD_SIZE]) {
        char path[128];
        FILE *file;

        (void)snprintf(path, sizeof(path), DIRECTORY "%s", name);
        file = fopen(path, "re");
        if (!file || !fgets(ret, WORD_SIZE, file))
                ret[0] = '\0';
        ret[strcspn(ret, "\n")] = '\0';
        if (file)
                (void)fclose(file);
}

static void write_word(const char *name, const char *word) {
        char path[128];
        FILE *file;

        (void)snprintf(path, sizeof(path), DIRECTORY "%s", name);
        file = fopen(path, "we");
        if (!file)
                abort();
        fputs(word, file);
        (void)fclose(file);
}

static bool fault(const char *name) {
        char word[WORD_SIZE];

        read_word("fault", word);
        return strcmp(word, name) == 0;
}

/* Wrong PINs in a row, kept as a card keeps them. */
static int wrong_pins(void) {
        char word[WORD_SIZE];

        read_word("wrong-pins", word);
        return (int)strtol(word, NULL, 10);
}

static CK_RV initialize(void *arguments) {
        char word[WORD_SIZE];

        (void)snprintf(word, sizeof(word), "%s", environ && *environ ? *environ : "nothing");
        write_word("environment", word);
        return fault("no-start") ? CKR_GENERAL_ERROR : real->C_Initialize(arguments);
}

static CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *n) {
        if (fault("no-slots"))
                *n = 0;
        else if (fault("slots-fail"))
                return CKR_FUNCTION_FAILED;
        else if (fault("slots-many"))
                *n = 1000000;
        else
                return real->C_GetSlotList(present, slots, n);
        return CKR_OK;
}

static CK_RV get_slot_info(CK_SLOT_ID slot, CK_SLOT_INFO *ret) {
        static const char name[] = "Fake Reader 00 00";
        CK_RV answer = real->C_GetSlotInfo(slot, ret);

        if (fault("slot-fails"))
                return CKR_DEVICE_ERROR;
        if (fault("hardware")) {
                ret->flags |= CKF_REMOVABLE_DEVICE | CKF_HW_SLOT;
                memset(ret->slotDescription, ' ', sizeof(ret->slotDescription));
                memcpy(ret->slotDescription, name, strlen(name));
        }
        return answer;
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *ret) {
        CK_RV answer = real->C_GetTokenInfo(slot, ret);
        int wrong = wrong_pins();

        if (fault("pin-pad"))
                ret->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
        if (fault("no-login"))
                ret->flags &= ~(CK_FLAGS)CKF_LOGIN_REQUIRED;
        if (fault("token-fails"))
                return CKR_DEVICE_ERROR;
        if (wrong >= TRIES)
                ret->flags |= CKF_USER_PIN_LOCKED;
        else if (wrong == TRIES - 1)
                ret->flags |= CKF_USER_PIN_FINAL_TRY;
        return answer;
}

static CK_RV get_attribute_value(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                                 CK_ATTRIBUTE *attributes, CK_ULONG n) {
        CK_RV answer = real->C_GetAttributeValue(session, object, attributes, n);

        if (fault("attributes-long"))
                attributes->ulValueLen = (CK_ULONG)-1;
        if (fault("always-authenticate") && attributes->type == CKA_ALWAYS_AUTHENTICATE) {
                *(CK_BBOOL *)attributes->pValue = CK_TRUE;
                return CKR_OK;
        }
        if (fault("key-is-public") && attributes->type == CKA_PRIVATE) {
                *(CK_BBOOL *)attributes->pValue = CK_FALSE;
                return CKR_OK;
        }
        return answer;
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG length) {
        static CK_UTF8CHAR typed[] = "123456";
        char word[WORD_SIZE];
        CK_RV answer;
        int wrong = wrong_pins();

        if (wrong >= TRIES)
                return CKR_PIN_LOCKED;
        if (user == CKU_CONTEXT_SPECIFIC) {
                write_word("again", "asked");
                return length == 6 && memcmp(pin, typed, 6) == 0 ? CKR_OK : CKR_PIN_INCORRECT;
        }
        if (fault("takes-any-pin"))
                return CKR_OK;
        if (fault("pin-expired"))
                return CKR_PIN_EXPIRED;
        if (fault("gone-at-pin"))
                return CKR_TOKEN_NOT_PRESENT;
        if (fault("pin-cancelled"))
                return CKR_FUNCTION_CANCELED;
        if (fault("pin-pad") && !pin)
                return real->C_Login(session, user, typed, sizeof(typed) - 1);
        answer = real->C_Login(session, user, pin, length);
        (void)snprintf(word, sizeof(word), "%d", answer == CKR_PIN_INCORRECT ? wrong + 1 : 0);
        write_word("wrong-pins", word);
        return answer;
}

/* "only N": the one mechanism there is. */
static CK_RV get_mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *ret) {
        char word[WORD_SIZE];

        read_word("fault", word);
        if (strncmp(word, "only ", 5) == 0 && strtoul(word + 5, NULL, 0) != type)
                return CKR_MECHANISM_INVALID;
        return real->C_GetMechanismInfo(slot, type, ret);
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG n, CK_BYTE *signature,
                  CK_ULONG *length) {
        static CK_BYTE other[] = "something else";
        CK_ULONG room = *length;
        CK_RV answer;

        if (fault("gone"))
                return CKR_DEVICE_REMOVED;
        if (fault("sign-fails"))
                return CKR_GENERAL_ERROR;
        if (fault("sign-memory"))
                return CKR_HOST_MEMORY;
        if (fault("hangs")) {
                write_word("hanging", "now");
                for (;;)
                        (void)pause();
        }
        if (fault("replays"))
                return real->C_Sign(session, other, sizeof(other), signature, length);
        answer = real->C_Sign(session, data, n, signature, length);
        if (fault("garbage"))
                memset(signature, 0x5a, *length);
        if (fault("flips-a-bit"))
                signature[*length - 1] ^= 1;
        if (fault("signs-nothing"))
                *length = 0;
        if (fault("zeroes"))
                memset(signature, 0, *length);
        if (fault("odd"))
                *length -= 1;
        if (fault("huge"))
                *length = room + 1000;
        return answer;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **ret) {
        void *library = dlopen(REAL, RTLD_NOW | RTLD_LOCAL);
        CK_C_GetFunctionList get =
                library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;

        if (!get || get(&real) != CKR_OK)
                return CKR_GENERAL_ERROR;
        list = *real;
        list.C_Initialize = initialize;
        list.C_GetSlotList = get_slot_list;
        list.C_GetSlotInfo = get_slot_info;
        list.C_GetTokenInfo = get_token_info;
        list.C_GetAttributeValue = get_attribute_value;
        list.C_Login = login;
        list.C_GetMechanismInfo = get_mechanism_info;
        list.C_Sign = sign;
        *ret = &list;
        return CKR_OK;
}
