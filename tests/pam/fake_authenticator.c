/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/pam/fake_authenticator.h"

#include <cbor.h>
#include <fido.h>
#include <openssl/rand.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "tests/pam/fake_crypto.h"

#define FAKE_NODE "/dev/hidraw-fake:"

enum {
        CMD_INIT = 0x06,
        CMD_CBOR = 0x10,
        MAKE_CREDENTIAL = 0x01,
        GET_ASSERTION = 0x02,
        GET_INFO = 0x04,
        CLIENT_PIN = 0x06,
        FLAG_UP = 0x01,
        FLAG_UV = 0x04,
        FLAG_AT = 0x40,
        RETRIES = 8,
        ID_SIZE = 32,
        ANSWER_MAX = 4096
};

/* One that is open. */
typedef struct Session {
        FakeAuthenticator *fake;
        FakeKey agreement;
        unsigned char shared[32], token[32], nonce[8];
        unsigned char answer[ANSWER_MAX];
        size_t length;
        bool gone, silent;
} Session;

FakeAuthenticator fake_authenticator_new(unsigned char seed, const char *pin) {
        FakeAuthenticator fake = {.retries = RETRIES, .counts = true};

        memset(fake.seed, seed, sizeof(fake.seed));
        (void)snprintf(fake.pin, sizeof(fake.pin), "%s", pin);
        return fake;
}

/* -- CBOR -- */

static cbor_item_t *number(int value) {
        return value >= 0 ? cbor_build_uint8((uint8_t)value) : cbor_build_negint8((uint8_t)(-1 - value));
}

static void put(cbor_item_t *map, cbor_item_t *key, cbor_item_t *value) {
        if (!cbor_map_add(map, (struct cbor_pair){.key = cbor_move(key), .value = cbor_move(value)}))
                abort();
}

static void put_bytes(cbor_item_t *map, int key, const unsigned char *data, size_t n) {
        put(map, number(key), cbor_build_bytestring(data, n));
}

/* The value of a key: a number, or a text; NULL if there is none. */
static cbor_item_t *find(cbor_item_t *map, int key, const char *text) {
        if (!map || !cbor_isa_map(map))
                return NULL;
        for (size_t i = 0; i < cbor_map_size(map); i++) {
                struct cbor_pair pair = cbor_map_handle(map)[i];

                if (text ? cbor_isa_string(pair.key) && cbor_string_length(pair.key) == strlen(text) &&
                                    memcmp(cbor_string_handle(pair.key), text, strlen(text)) == 0
                         : (key < 0 ? cbor_isa_negint(pair.key) && (int)cbor_get_int(pair.key) == -1 - key
                                    : cbor_isa_uint(pair.key) && (int)cbor_get_int(pair.key) == key))
                        return pair.value;
        }
        return NULL;
}

static bool is_bytes(const cbor_item_t *item, size_t n) {
        return item && cbor_isa_bytestring(item) && cbor_bytestring_length(item) == n;
}

/* FALLBACK if the option was not given. */
static bool option(cbor_item_t *options, const char *name, bool fallback) {
        const cbor_item_t *value = find(options, 0, name);

        return value && cbor_is_bool(value) ? cbor_ctrl_value(value) == CBOR_CTRL_TRUE : fallback;
}

static void answer(Session *session, uint8_t status, cbor_item_t *map) {
        session->answer[0] = status;
        session->length = 1;
        if (map)
                session->length += cbor_serialize(map, session->answer + 1, sizeof(session->answer) - 1);
        if (map)
                cbor_decref(&map);
}

static cbor_item_t *cose_key(const FakeKey *key, int algorithm) {
        cbor_item_t *map = cbor_new_definite_map(5);

        put(map, number(1), number(2));
        put(map, number(3), number(algorithm));
        put(map, number(-1), number(1));
        put_bytes(map, -2, key->x, sizeof(key->x));
        put_bytes(map, -3, key->y, sizeof(key->y));
        return map;
}

/* -- what it can do -- */

static void get_info(Session *session) {
        static const unsigned char aaguid[16] = "fake-for-sekisho";
        cbor_item_t *map = cbor_new_definite_map(5), *versions = cbor_new_definite_array(1),
                    *options = cbor_new_definite_map(5), *protocols = cbor_new_definite_array(1);

        if (!cbor_array_push(versions, cbor_move(cbor_build_string("FIDO_2_0"))) ||
            !cbor_array_push(protocols, cbor_move(number(1))))
                abort();
        /* in the order of CTAP's canonical CBOR */
        put(options, cbor_build_string("rk"), cbor_build_bool(false));
        put(options, cbor_build_string("up"), cbor_build_bool(true));
        if (session->fake->has_uv)
                put(options, cbor_build_string("uv"), cbor_build_bool(true));
        put(options, cbor_build_string("plat"), cbor_build_bool(false));
        put(options, cbor_build_string("clientPin"), cbor_build_bool(session->fake->pin[0] != '\0'));
        put(map, number(1), versions);
        put_bytes(map, 3, aaguid, sizeof(aaguid));
        put(map, number(4), options);
        put(map, number(5), cbor_build_uint16(1200));
        put(map, number(6), protocols);
        answer(session, FIDO_OK, map);
}

static void get_token(Session *session, cbor_item_t *request) {
        FakeAuthenticator *fake = session->fake;
        cbor_item_t *peer = find(request, 3, NULL), *hash = find(request, 6, NULL), *map;
        unsigned char given[16], right[32], token[32];

        if (!is_bytes(find(peer, -2, NULL), 32) || !is_bytes(find(peer, -3, NULL), 32) ||
            !is_bytes(hash, 16)) {
                answer(session, FIDO_ERR_MISSING_PARAMETER, NULL);
                return;
        }
        if (fake->retries == 0) {
                answer(session, FIDO_ERR_PIN_BLOCKED, NULL);
                return;
        }
        fake_agree(&session->agreement, cbor_bytestring_handle(find(peer, -2, NULL)),
                   cbor_bytestring_handle(find(peer, -3, NULL)), session->shared);
        fake_aes(session->shared, false, cbor_bytestring_handle(hash), given, sizeof(given));
        fake_sha256(fake->pin, strlen(fake->pin), NULL, 0, right);
        if (memcmp(given, right, sizeof(given)) != 0) {
                fake->retries--;
                fake_authenticator_changed(fake);
                answer(session, fake->retries == 0 ? FIDO_ERR_PIN_BLOCKED : FIDO_ERR_PIN_INVALID, NULL);
                return;
        }
        fake->retries = RETRIES;
        fake_aes(session->shared, true, session->token, token, sizeof(token));
        map = cbor_new_definite_map(1);
        put_bytes(map, 2, token, sizeof(token));
        answer(session, FIDO_OK, map);
}

static void client_pin(Session *session, cbor_item_t *request) {
        const cbor_item_t *command = find(request, 2, NULL);
        cbor_item_t *map = cbor_new_definite_map(1);

        switch (command && cbor_isa_uint(command) ? cbor_get_int(command) : 0) {
        case 1:
                put(map, number(3), number(session->fake->retries));
                answer(session, FIDO_OK, map);
                return;
        case 2:
                put(map, number(1), cose_key(&session->agreement, -25));
                answer(session, FIDO_OK, map);
                return;
        case 5:
                get_token(session, request);
                break;
        default:
                answer(session, FIDO_ERR_INVALID_COMMAND, NULL);
        }
        cbor_decref(&map);
}

/* Identifiers are of this key if it made them for this relying party. */
static void make_id(const FakeAuthenticator *fake, const char *party, size_t n, unsigned char *id) {
        unsigned char tag[32], hash[32];

        fake_sha256(party, n, id, ID_SIZE / 2, hash);
        fake_hmac(fake->seed, hash, sizeof(hash), tag);
        memcpy(id + ID_SIZE / 2, tag, ID_SIZE / 2);
}

static bool is_mine(const FakeAuthenticator *fake, const char *party, size_t n, const cbor_item_t *id) {
        unsigned char mine[ID_SIZE];

        if (!is_bytes(id, ID_SIZE))
                return false;
        memcpy(mine, cbor_bytestring_handle(id), ID_SIZE / 2);
        make_id(fake, party, n, mine);
        return memcmp(mine, cbor_bytestring_handle(id), ID_SIZE) == 0;
}

static cbor_item_t *find_mine(const FakeAuthenticator *fake, const cbor_item_t *party, cbor_item_t *list) {
        for (size_t i = 0; list && cbor_isa_array(list) && i < cbor_array_size(list); i++) {
                cbor_item_t *id = find(cbor_array_handle(list)[i], 0, "id");

                if (is_mine(fake, (const char *)cbor_string_handle(party), cbor_string_length(party), id))
                        return id;
        }
        return NULL;
}

/* Whether the owner is known: by PIN, or by itself. FIDO_OK with RET, or what is wrong. */
static uint8_t verify_owner(const Session *session, cbor_item_t *auth, const cbor_item_t *hash, bool uv,
                            bool *ret) {
        unsigned char right[32];

        *ret = false;
        if (auth) {
                fake_hmac(session->token, cbor_bytestring_handle(hash), 32, right);
                if (!is_bytes(auth, 16) || memcmp(cbor_bytestring_handle(auth), right, 16) != 0)
                        return FIDO_ERR_PIN_AUTH_INVALID;
                *ret = true;
        } else if (uv) {
                if (!session->fake->has_uv)
                        return FIDO_ERR_UNSUPPORTED_OPTION;
                if (!session->fake->knows_owner)
                        return FIDO_ERR_UV_BLOCKED;
                *ret = true;
        }
        return FIDO_OK;
}

static size_t make_data(FakeAuthenticator *fake, const char *party, size_t n, uint8_t flags,
                        unsigned char *data) {
        uint32_t counter = fake->counts ? ++fake->counter : 0;

        if (fake->fault == FAKE_COUNTS_BACK)
                counter = 1;
        fake_sha256(party, n, NULL, 0, data);
        data[32] = flags;
        for (int i = 0; i < 4; i++)
                data[33 + i] = (unsigned char)(counter >> (24 - 8 * i));
        fake_authenticator_changed(fake);
        return 37;
}

static void key_of(const FakeAuthenticator *fake, const unsigned char *id, FakeKey *ret) {
        unsigned char secret[32];

        fake_sha256(fake->seed, sizeof(fake->seed), id, ID_SIZE, secret);
        if (fake->fault == FAKE_OTHER_SIGNER)
                secret[5] ^= 1;
        fake_key(secret, ret);
}

static void sign_assertion(Session *session, const cbor_item_t *party, const cbor_item_t *id,
                           const cbor_item_t *hash, uint8_t flags) {
        FakeAuthenticator *fake = session->fake;
        cbor_item_t *map = cbor_new_definite_map(3), *credential = cbor_new_definite_map(2);
        unsigned char data[64], signature[512] = {0};
        bool other = fake->fault == FAKE_OTHER_PARTY;
        size_t length = make_data(fake, other ? "evil.example" : (const char *)cbor_string_handle(party),
                                  other ? 12 : cbor_string_length(party), flags, data),
               signature_length;
        FakeKey key;

        key_of(fake, cbor_bytestring_handle(id), &key);
        signature_length = fake_sign(&key, data, length, cbor_bytestring_handle(hash), 32, signature);
        if (fake->fault == FAKE_HUGE)
                signature_length = sizeof(signature);
        put(credential, cbor_build_string("id"), cbor_build_bytestring(cbor_bytestring_handle(id), ID_SIZE));
        put(credential, cbor_build_string("type"), cbor_build_string("public-key"));
        put(map, number(1), credential);
        put_bytes(map, 2, data, length);
        put_bytes(map, 3, signature, signature_length);
        answer(session, FIDO_OK, map);
}

/* What is not honest shows when a touch is asked for. True if that was all. */
static bool misbehave(Session *session) {
        FakeAuthenticator *fake = session->fake;

        switch (fake->fault) {
        case FAKE_GONE:
                session->gone = true;
                return true;
        case FAKE_SILENT:
                session->silent = true;
                return true;
        case FAKE_GARBAGE:
                memset(session->answer, 0xff, 64);
                session->answer[0] = FIDO_OK;
                session->length = 64;
                return true;
        case FAKE_DENIES:
                answer(session, FIDO_ERR_OPERATION_DENIED, NULL);
                return true;
        case FAKE_REPLAY:
                memcpy(session->answer, fake->replay, fake->replay_length);
                session->length = fake->replay_length;
                return true;
        default:
                return false;
        }
}

static void get_assertion(Session *session, cbor_item_t *request) {
        FakeAuthenticator *fake = session->fake;
        cbor_item_t *party = find(request, 1, NULL), *hash = find(request, 2, NULL),
                    *options = find(request, 5, NULL), *id;
        bool up = option(options, "up", true), uv = false;
        uint8_t status;

        if (!party || !cbor_isa_string(party) || !is_bytes(hash, 32)) {
                answer(session, FIDO_ERR_MISSING_PARAMETER, NULL);
                return;
        }
        status = verify_owner(session, find(request, 6, NULL), hash, option(options, "uv", false), &uv);
        id = find_mine(fake, party, find(request, 3, NULL));
        if (status != FIDO_OK || !id) {
                answer(session, status != FIDO_OK ? status : FIDO_ERR_NO_CREDENTIALS, NULL);
                return;
        }
        fake->asked += up;
        if (up && misbehave(session))
                return;
        if (fake->fault == FAKE_NO_UV)
                uv = false;
        sign_assertion(session, party, id, hash,
                       (up && fake->fault != FAKE_NO_UP ? FLAG_UP : 0) | (uv ? FLAG_UV : 0));
        if (up) {
                memcpy(fake->replay, session->answer, session->length);
                fake->replay_length = session->length;
                fake_authenticator_changed(fake);
        }
}

static void make_credential(Session *session, cbor_item_t *request) {
        FakeAuthenticator *fake = session->fake;
        cbor_item_t *hash = find(request, 1, NULL), *party = find(find(request, 2, NULL), 0, "id"),
                    *map = cbor_new_definite_map(3), *statement = cbor_new_definite_map(2), *public_key;
        unsigned char data[256], signature[128], id[ID_SIZE];
        size_t n;
        FakeKey key;
        bool uv = false;
        uint8_t status = FIDO_ERR_MISSING_PARAMETER;

        if (party && cbor_isa_string(party) && is_bytes(hash, 32))
                status = verify_owner(session, find(request, 8, NULL), hash,
                                      option(find(request, 7, NULL), "uv", false), &uv);
        if (status == FIDO_OK && find_mine(fake, party, find(request, 5, NULL)))
                status = FIDO_ERR_CREDENTIAL_EXCLUDED;
        if (status != FIDO_OK || misbehave(session)) {
                if (status != FIDO_OK)
                        answer(session, status, NULL);
                cbor_decref(&map);
                cbor_decref(&statement);
                return;
        }
        if (RAND_bytes(id, ID_SIZE) != 1)
                abort();
        make_id(fake, (const char *)cbor_string_handle(party), cbor_string_length(party), id);
        key_of(fake, id, &key);
        n = make_data(fake, (const char *)cbor_string_handle(party), cbor_string_length(party),
                      FLAG_AT | FLAG_UP | (uv && fake->fault != FAKE_NO_UV ? FLAG_UV : 0), data);
        memcpy(data + n, "fake-for-sekisho", 16);
        data[n + 16] = 0;
        data[n + 17] = ID_SIZE;
        memcpy(data + n + 18, id, ID_SIZE);
        n += 18 + ID_SIZE;
        public_key = cose_key(&key, -7);
        n += cbor_serialize(public_key, data + n, sizeof(data) - n);
        cbor_decref(&public_key);
        put(statement, cbor_build_string("alg"), number(-7));
        put(statement, cbor_build_string("sig"),
            cbor_build_bytestring(signature,
                                  fake_sign(&key, data, n, cbor_bytestring_handle(hash), 32, signature)));
        put(map, number(1), cbor_build_string("packed"));
        put_bytes(map, 2, data, n);
        put(map, number(3), statement);
        answer(session, FIDO_OK, map);
}

/* -- how libfido2 reaches it -- */

static void *open_session(const char *path) {
        Session *session = calloc(1, sizeof(*session));
        FakeAuthenticator *fakes;
        size_t n = fake_authenticators(&fakes), i = strtoul(path + strlen(FAKE_NODE), NULL, 10);
        unsigned char secret[32] = {1};

        if (!session || i >= n) {
                free(session);
                return NULL;
        }
        session->fake = &fakes[i];
        if (RAND_bytes(secret + 1, sizeof(secret) - 1) != 1 ||
            RAND_bytes(session->token, sizeof(session->token)) != 1)
                abort();
        fake_key(secret, &session->agreement);
        return session;
}

static void close_session(void *handle) {
        free(handle);
}

static int read_nothing(void *handle, unsigned char *buffer, size_t n, int ms) {
        (void)handle;
        (void)buffer;
        (void)n;
        (void)ms;
        return -1;
}

static int write_nothing(void *handle, const unsigned char *buffer, size_t n) {
        (void)handle;
        (void)buffer;
        (void)n;
        return -1;
}

static void run(Session *session, const unsigned char *data, size_t n) {
        struct cbor_load_result result;
        cbor_item_t *request = n > 1 ? cbor_load(data + 1, n - 1, &result) : NULL;

        switch (data[0]) {
        case GET_INFO:
                get_info(session);
                break;
        case CLIENT_PIN:
                client_pin(session, request);
                break;
        case GET_ASSERTION:
                get_assertion(session, request);
                break;
        case MAKE_CREDENTIAL:
                make_credential(session, request);
                break;
        default:
                answer(session, FIDO_ERR_INVALID_COMMAND, NULL);
        }
        if (request)
                cbor_decref(&request);
}

static int send_to(fido_dev_t *device, uint8_t command, const unsigned char *data, size_t n) {
        Session *session = fido_dev_io_handle(device);

        session->length = 0;
        if (session->gone)
                return -1;
        if ((command & 0x7f) == CMD_INIT && n == sizeof(session->nonce))
                memcpy(session->nonce, data, n);
        else if ((command & 0x7f) == CMD_CBOR && n > 0)
                run(session, data, n);
        return 0;
}

static int receive_from(fido_dev_t *device, uint8_t command, unsigned char *data, size_t n, int ms) {
        Session *session = fido_dev_io_handle(device);
        const unsigned char rest[9] = {0, 0, 0, 1, 2, 1, 0, 0, 0x04 | 0x08};

        if (session->gone)
                return -1;
        if (session->silent) { /* as hid_read() does: until the time is over */
                (void)poll(NULL, 0, ms);
                return -1;
        }
        if ((command & 0x7f) == CMD_INIT) {
                memcpy(session->answer, session->nonce, 8);
                memcpy(session->answer + 8, rest, sizeof(rest));
                session->length = 17;
        }
        if (session->length == 0 || session->length > n)
                return -1;
        memcpy(data, session->answer, session->length);
        return (int)session->length;
}

int __wrap_fido_dev_info_manifest(fido_dev_info_t *list, size_t max, size_t *ret_n);
int __wrap_fido_dev_info_manifest(fido_dev_info_t *list, size_t max, size_t *ret_n) {
        static const fido_dev_io_t io = {open_session, close_session, read_nothing, write_nothing};
        static const fido_dev_transport_t transport = {receive_from, send_to};
        FakeAuthenticator *fakes;
        size_t n = fake_authenticators(&fakes);
        char path[64]; /* as of a key that was pulled out: sysfs knows nothing of it */

        for (*ret_n = 0; *ret_n < n && *ret_n < max; ++*ret_n) {
                (void)snprintf(path, sizeof(path), FAKE_NODE "%zu", *ret_n);
                if (fido_dev_info_set(list, *ret_n, path, "Sekisho", "fake authenticator", &io,
                                      &transport) != FIDO_OK)
                        return FIDO_ERR_INTERNAL;
        }
        return FIDO_OK;
}
