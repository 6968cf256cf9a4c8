/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Modules, readers, and the certificates on cards. */
#include "pam_module/pkcs11_private.h"

#include <errno.h>
#include <string.h>

#include "pam_module/trusted_path.h"

DEFINE_ENUM_STRINGS(CardPin, card_pin, CARD_PIN_LIST)

enum {
        SLOTS_MAX = 32,
        CERTIFICATES_MAX = 32 /* on one card */
};

/* Threads of the program see none for that long either; there is no other way, since modules call getenv().
 */
char **environment_hide(void) {
        static char *none[] = {NULL};
        char **environment = environ;

        environ = none;
        return environment;
}

void environment_show(char **environment) {
        environ = environment;
}

int card_error(CK_RV answer) {
        switch (answer) {
        case CKR_OK:
                return 0;
        case CKR_HOST_MEMORY:
                return -ENOMEM;
        case CKR_PIN_INCORRECT:
        case CKR_PIN_INVALID:
        case CKR_PIN_LEN_RANGE:
                return -EKEYREJECTED;
        case CKR_PIN_LOCKED:
                return -EACCES;
        case CKR_PIN_EXPIRED:
        case CKR_USER_PIN_NOT_INITIALIZED:
                return -EKEYEXPIRED;
        case CKR_TOKEN_NOT_PRESENT:
        case CKR_TOKEN_NOT_RECOGNIZED:
        case CKR_DEVICE_REMOVED:
        case CKR_SLOT_ID_INVALID:
        case CKR_SESSION_HANDLE_INVALID:
        case CKR_SESSION_CLOSED:
                return -ENODEV;
        case CKR_CANCEL:
        case CKR_FUNCTION_CANCELED:
                return -ECANCELED;
        default:
                return -EIO;
        }
}

void card_module_close(CardModule *module) {
        char **environment = environment_hide();

        if (module->initialised)
                (void)p11_kit_module_finalize(module->functions);
        if (module->functions)
                p11_kit_module_release(module->functions);
        environment_show(environment);
        *module = (CardModule){0};
}

static CardModule steal(CardModule *module) {
        CardModule stolen = *module;

        *module = (CardModule){0};
        return stolen;
}

int card_module_open(const char *path, CardModule *ret) {
        CLEANUP_CARD_MODULE CardModule module = {0};
        CLEANUP_FREE char *whole = NULL;
        char **environment;
        int r = trusted_path(path, &whole);

        if (r < 0)
                return r;
        environment = environment_hide();
        module.functions = p11_kit_module_load(whole, 0);
        module.initialised = module.functions && p11_kit_module_initialize(module.functions) == CKR_OK;
        environment_show(environment);
        if (!module.initialised)
                return -ELIBACC;
        *ret = steal(&module);
        return 0;
}

void card_close(Card *card) {
        if (card->session) {
                if (card->logged_in)
                        (void)CALL(card->functions, C_Logout, card->session);
                (void)CALL(card->functions, C_CloseSession, card->session);
        }
        *card = (Card){0};
}

int card_objects(const Card *card, CK_ATTRIBUTE *attributes, CK_ULONG n, CK_OBJECT_HANDLE *ret,
                 CK_ULONG max) {
        CK_ULONG found = 0;
        CK_RV answer = CALL(card->functions, C_FindObjectsInit, card->session, attributes, n);

        if (answer != CKR_OK)
                return card_error(answer);
        answer = CALL(card->functions, C_FindObjects, card->session, ret, max, &found);
        (void)CALL(card->functions, C_FindObjectsFinal, card->session);
        if (answer != CKR_OK)
                return card_error(answer);
        return found > max ? -EBADMSG : (int)found;
}

int card_attribute(const Card *card, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *ret, size_t size,
                   size_t *ret_length) {
        CK_ATTRIBUTE attribute = {.type = type, .pValue = ret, .ulValueLen = size};
        CK_RV answer = CALL(card->functions, C_GetAttributeValue, card->session, object, &attribute, 1);

        if (answer == CKR_ATTRIBUTE_TYPE_INVALID || answer == CKR_BUFFER_TOO_SMALL)
                return -EBADMSG;
        if (answer != CKR_OK)
                return card_error(answer);
        if (attribute.ulValueLen > size)
                return -EBADMSG;
        *ret_length = attribute.ulValueLen;
        return 0;
}

/* What is printed on a terminal: without the blanks behind, and of ASCII. */
static void take_name(const unsigned char *text, size_t length, char ret[static CARD_NAME_SIZE]) {
        size_t n = 0;

        while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\0'))
                length--;
        for (; n < length && n < CARD_NAME_SIZE - 1; n++)
                ret[n] = (char)(text[n] >= ' ' && text[n] <= '~' ? text[n] : '?');
        ret[n] = '\0';
}

static int open_slot(const CardModule *module, CK_SLOT_ID slot, Card *ret) {
        Card card = {.functions = module->functions, .slot = slot};
        CK_TOKEN_INFO info;
        int r;

        memset(&info, 0, sizeof(info));
        r = card_error(CALL(card.functions, C_GetTokenInfo, slot, &info));
        if (r == 0 && !(info.flags & CKF_TOKEN_INITIALIZED))
                return -ENODEV; /* SoftHSM always has one such */
        if (r == 0)
                r = card_error(CALL(card.functions, C_OpenSession, slot, CKF_SERIAL_SESSION, NULL, NULL,
                                    &card.session));
        if (r < 0)
                return r;
        card.pin_needed = info.flags & CKF_LOGIN_REQUIRED;
        card.pin_by_reader = info.flags & CKF_PROTECTED_AUTHENTICATION_PATH;
        take_name(info.label, sizeof(info.label), card.name);
        *ret = card;
        return 0;
}

/* False for what is none, or does not fit. */
static bool take_certificate(Card *card, CK_OBJECT_HANDLE object) {
        unsigned char name[CARD_NAME_SIZE];
        size_t length = 0;

        if (card_attribute(card, object, CKA_VALUE, card->certificate, sizeof(card->certificate),
                           &card->length) < 0 ||
            card->length == 0 ||
            card_attribute(card, object, CKA_ID, card->id, sizeof(card->id), &card->id_length) < 0)
                return false;
        if (card_attribute(card, object, CKA_LABEL, name, sizeof(name), &length) < 0)
                length = 0;
        take_name(name, length, card->object);
        return true;
}

typedef struct Search {
        const CardEnrolment *cards; /* one of these N, or NULL */
        size_t n;
        bool *here;       /* which of these are there, or NULL */
        long slot;        /* negative: any */
        const char *name; /* NULL: any */
} Search;

static bool is_wanted(const Search *search, Card *card) {
        bool wanted = false;

        if (!search->cards)
                return (search->slot < 0 || card->slot == (CK_SLOT_ID)search->slot) &&
                       (!search->name || strcmp(search->name, card->object) == 0) &&
                       certificate_is_for_signing(card->certificate, card->length);
        for (size_t i = 0; i < search->n; i++)
                if (search->cards[i].length == card->length &&
                    memcmp(search->cards[i].certificate, card->certificate, card->length) == 0) {
                        card->enrolled = i;
                        wanted = true;
                        if (!search->here)
                                break;
                        search->here[i] = true;
                }
        return wanted;
}

/* Adds to FOUND how many of the card's certificates are wanted; the first of all goes to RET, without a
 * session. */
static int search_card(const CardModule *module, CK_SLOT_ID slot, const Search *search, size_t *found,
                       Card *ret) {
        CLEANUP_CARD Card card = {0};
        CK_OBJECT_CLASS class = CKO_CERTIFICATE;
        CK_CERTIFICATE_TYPE type = CKC_X_509;
        CK_ATTRIBUTE attributes[] = {{CKA_CLASS, &class, sizeof(class)},
                                     {CKA_CERTIFICATE_TYPE, &type, sizeof(type)}};
        CK_OBJECT_HANDLE objects[CERTIFICATES_MAX] = {0}; /* whatever the module says that it wrote */
        int n, r = open_slot(module, slot, &card);

        if (r < 0)
                return r;
        n = card_objects(&card, attributes, ELEMENTS(attributes), objects, CERTIFICATES_MAX);
        for (int i = 0; i < n; i++)
                if (take_certificate(&card, objects[i]) && is_wanted(search, &card) && (*found)++ == 0) {
                        *ret = card;
                        ret->session = 0;
                }
        return n < 0 ? n : 0;
}

static int list_slots(const CardModule *module, CK_SLOT_ID slots[static SLOTS_MAX]) {
        CK_ULONG n = 0;
        /* without a list first: that is when modules look for readers that were plugged in */
        CK_RV answer = CALL(module->functions, C_GetSlotList, CK_TRUE, NULL, &n);

        if (answer == CKR_OK) {
                n = SLOTS_MAX;
                answer = CALL(module->functions, C_GetSlotList, CK_TRUE, slots, &n);
        }
        if (answer != CKR_OK)
                return card_error(answer);
        return n > SLOTS_MAX ? -E2BIG : (int)n;
}

/* How many there are; the first of them goes to RET, without a session. -ENODEV, -ENOKEY, -errno. */
static int search_all(const CardModule *module, const Search *search, Card *ret) {
        CK_SLOT_ID slots[SLOTS_MAX] = {0};
        size_t found = 0;
        int others = 0, r, n = list_slots(module, slots);

        if (n < 0)
                return n;
        for (int i = 0; i < n; i++) {
                r = search_card(module, slots[i], search, &found, ret);
                if (r == -ENOMEM)
                        return r;
                others += r != -ENODEV;
        }
        return found > 0 ? (int)found : others > 0 ? -ENOKEY : -ENODEV;
}

static int search_one(const CardModule *module, const Search *search, Card *ret) {
        Card found = {0}, open = {0};
        int r = search_all(module, search, &found);

        if (r < 0)
                return r;
        if (r > 1 && !search->cards)
                return -ENOTUNIQ;
        r = open_slot(module, found.slot, &open);
        if (r < 0)
                return r;
        found.session = open.session;
        *ret = found;
        return 0;
}

int card_find(const CardModule *module, const CardEnrolment *cards, size_t n, Card *ret) {
        return search_one(module, &(Search){.cards = cards, .n = n}, ret);
}

int card_find_all(const CardModule *module, const CardEnrolment *cards, size_t n, bool *here) {
        Card first = {0};
        int r = search_all(module, &(Search){.cards = cards, .n = n, .here = here}, &first);

        return r == -ENODEV || r == -ENOKEY ? 0 : r;
}

int card_find_new(const CardModule *module, long slot, const char *name, Card *ret) {
        return search_one(module, &(Search){.slot = slot, .name = name}, ret);
}

/* A slot that does not say what it is counts as a reader, which the guard will not find. */
void card_token(const Card *card, char ret[static TOKEN_SIZE]) {
        CK_SLOT_INFO info;

        memset(&info, 0, sizeof(info));
        ret[0] = '\0';
        if (CALL(card->functions, C_GetSlotInfo, card->slot, &info) != CKR_OK)
                token_of_card(NULL, 0, ret);
        else if (info.flags & (CKF_REMOVABLE_DEVICE | CKF_HW_SLOT))
                token_of_card(info.slotDescription, sizeof(info.slotDescription), ret);
}

CardPin card_pin_state(const Card *card) {
        CK_TOKEN_INFO info;

        memset(&info, 0, sizeof(info));
        if (CALL(card->functions, C_GetTokenInfo, card->slot, &info) != CKR_OK)
                return CARD_PIN_OK;
        if (info.flags & CKF_USER_PIN_LOCKED)
                return CARD_PIN_LOCKED;
        if ((info.flags & CKF_LOGIN_REQUIRED) && !(info.flags & CKF_USER_PIN_INITIALIZED))
                return CARD_PIN_UNSET;
        if (info.flags & CKF_USER_PIN_FINAL_TRY)
                return CARD_PIN_FINAL;
        return info.flags & CKF_USER_PIN_COUNT_LOW ? CARD_PIN_LOW : CARD_PIN_OK;
}
