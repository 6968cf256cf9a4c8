/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/fido2.h"

#include <errno.h>
#include <fido/es256.h>
#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <sys/inotify.h>

enum {
        DEVICES_MAX = 16,
        QUICK_MS = 3000 /* for what needs nobody's hand */
};

static void scope_assert(fido_assert_t **assert) {
        fido_assert_free(assert);
}

static void scope_public_key(es256_pk_t **key) {
        es256_pk_free(key);
}

typedef struct Plugged {
        fido_dev_info_t *list;
        size_t n;
} Plugged;

static void plugged_clear(Plugged *plugged) {
        fido_dev_info_free(&plugged->list, DEVICES_MAX);
}

/* libfido2 prints what it exchanges with keys if FIDO_DEBUG is in the environment, which is the caller's. */
static void say_nothing(const char *text) {
        (void)text;
}

void fido2_init(void) {
        fido_init(FIDO_DISABLE_U2F_FALLBACK);
        fido_set_log_handler(say_nothing);
}

void fido2_close(Fido2Device *device) {
        if (device->handle) {
                (void)fido_dev_close(device->handle);
                fido_dev_free(&device->handle);
        }
        *device = (Fido2Device){0};
}

uint64_t fido2_clock(void) {
        struct timespec now;

        if (clock_gettime(CLOCK_BOOTTIME, &now) < 0)
                return 0;
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int left(uint64_t deadline) {
        uint64_t now = fido2_clock();

        return now == 0 || now >= deadline ? 0 : (int)(deadline - now);
}

int fido2_watch(void) {
        CLEANUP_CLOSE int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

        if (fd < 0 || inotify_add_watch(fd, "/dev", IN_CREATE | IN_ATTRIB) < 0)
                return -errno;
        return STEAL_FD(fd);
}

int fido2_watch_wait(int fd, uint64_t deadline) {
        struct pollfd poller = {.fd = fd, .events = POLLIN};
        char events[4096];
        int ms, r;

        do {
                ms = left(deadline);
                if (ms == 0)
                        return -ETIMEDOUT;
                r = poll(&poller, 1, ms);
        } while (r < 0 && errno == EINTR);
        if (r < 0)
                return -errno;
        if (r == 0)
                return -ETIMEDOUT;
        return read(fd, events, sizeof(events)) < 0 && errno != EAGAIN ? -errno : 0;
}

int fido2_error(int code) {
        switch (code) {
        case FIDO_OK:
                return 0;
        case FIDO_ERR_PIN_INVALID:
        case FIDO_ERR_UV_INVALID:
        case FIDO_ERR_PIN_AUTH_INVALID:
                return -EKEYREJECTED;
        case FIDO_ERR_PIN_BLOCKED:
        case FIDO_ERR_UV_BLOCKED:
                return -EACCES;
        case FIDO_ERR_PIN_AUTH_BLOCKED:
                return -EBUSY;
        case FIDO_ERR_PIN_NOT_SET:
        case FIDO_ERR_PIN_REQUIRED:
                return -ENOENT;
        case FIDO_ERR_NO_CREDENTIALS:
        case FIDO_ERR_INVALID_CREDENTIAL:
                return -ENOKEY;
        case FIDO_ERR_CREDENTIAL_EXCLUDED:
                return -EEXIST;
        case FIDO_ERR_TIMEOUT:
        case FIDO_ERR_USER_ACTION_TIMEOUT:
        case FIDO_ERR_ACTION_TIMEOUT:
                return -ETIMEDOUT;
        case FIDO_ERR_OPERATION_DENIED:
        case FIDO_ERR_KEEPALIVE_CANCEL:
                return -ECANCELED;
        default:
                return -EIO;
        }
}

static int list_plugged(Plugged *ret) {
        int code;

        ret->list = fido_dev_info_new(DEVICES_MAX);
        if (!ret->list)
                return -ENOMEM;
        code = fido_dev_info_manifest(ret->list, DEVICES_MAX, &ret->n);
        if (code != FIDO_OK)
                return -EIO;
        return ret->n > 0 ? 0 : -ENODEV;
}

static int open_plugged(const fido_dev_info_t *info, uint64_t deadline, Fido2Device *ret) {
        CLEANUP_FIDO2 Fido2Device device = {.handle = fido_dev_new_with_info(info)};
        int ms = left(deadline);
        const char *path;

        if (!device.handle)
                return -ENOMEM;
        if (ms == 0)
                return -ETIMEDOUT;
        if (fido_dev_set_timeout(device.handle, ms < QUICK_MS ? ms : QUICK_MS) != FIDO_OK ||
            fido_dev_open_with_info(device.handle) != FIDO_OK)
                return -EIO;
        if (!fido_dev_is_fido2(device.handle)) /* U2F alone: it knows nobody */
                return -EIO;
        device.has_uv = fido_dev_has_uv(device.handle);
        device.has_pin = fido_dev_has_pin(device.handle);
        path = fido_dev_info_path(info);
        if (path && strlen(path) < sizeof(device.node))
                memcpy(device.node, path, strlen(path) + 1);
        *ret = device;
        device.handle = NULL;
        return 0;
}

static int new_request(const Fido2Key *key, const unsigned char *challenge, fido_assert_t **ret) {
        CLEANUP(scope_assert) fido_assert_t *assert = fido_assert_new();

        if (!assert || fido_assert_set_clientdata_hash(assert, challenge, FIDO2_CHALLENGE_SIZE) != FIDO_OK ||
            fido_assert_set_rp(assert, key->relying_party) != FIDO_OK ||
            fido_assert_allow_cred(assert, key->id, key->length) != FIDO_OK)
                return -ENOMEM;
        *ret = STEAL_PTR(assert);
        return 0;
}

/* Asks without a touch, which proves nothing (CTAP 2.1, 6.1.2: "pre-flight"). 0 if it is the key, -EAGAIN if
 * that is likely, -ENOKEY if not. */
static int recognises(const Fido2Device *device, const Fido2Key *key) {
        CLEANUP(scope_assert) fido_assert_t *request = NULL;
        unsigned char challenge[FIDO2_CHALLENGE_SIZE];
        int r;

        randombytes_buf(challenge, sizeof(challenge));
        r = new_request(key, challenge, &request);
        if (r < 0)
                return r;
        if (fido_assert_set_up(request, FIDO_OPT_FALSE) != FIDO_OK)
                return -ENOMEM;
        switch (fido_dev_get_assert(device->handle, request, NULL)) {
        case FIDO_OK:
                return 0;
        case FIDO_ERR_PIN_REQUIRED: /* some keys say nothing at all without it */
        case FIDO_ERR_UP_REQUIRED:
        case FIDO_ERR_UNSUPPORTED_OPTION:
                return -EAGAIN;
        default:
                return -ENOKEY;
        }
}

static int recognise(Fido2Device *device, const Fido2Key *keys, size_t n) {
        int best = -ENOKEY;

        for (size_t i = 0; i < n; i++) {
                int r = recognises(device, &keys[i]);

                if (r == 0 || (r == -EAGAIN && best == -ENOKEY))
                        device->key = i;
                if (r == 0 || r == -ENOMEM)
                        return r;
                if (r == -EAGAIN)
                        best = 0;
        }
        return best;
}

int fido2_find(const Fido2Key *keys, size_t n, uint64_t deadline, Fido2Device *ret) {
        CLEANUP(plugged_clear) Plugged plugged = {0};
        int r = list_plugged(&plugged);

        for (size_t i = 0; r == 0 && i < plugged.n; i++) {
                CLEANUP_FIDO2 Fido2Device device = {0};
                int found = open_plugged(fido_dev_info_ptr(plugged.list, i), deadline, &device);

                if (found == 0)
                        found = recognise(&device, keys, n);
                if (found == -ENOMEM)
                        return found;
                if (found < 0)
                        continue;
                *ret = device;
                device.handle = NULL;
                return 0;
        }
        return r < 0 ? r : -ENOKEY;
}

int fido2_find_new(uint64_t deadline, Fido2Device *ret) {
        CLEANUP(plugged_clear) Plugged plugged = {0};
        int r = list_plugged(&plugged);

        if (r < 0)
                return r;
        return plugged.n > 1 ? -ENOTUNIQ : open_plugged(fido_dev_info_ptr(plugged.list, 0), deadline, ret);
}

static int take_answer(const fido_assert_t *answer, Fido2Assertion *ret) {
        if (fido_assert_count(answer) != 1 || fido_assert_authdata_len(answer, 0) == 0 ||
            fido_assert_authdata_len(answer, 0) > sizeof(ret->data) || fido_assert_sig_len(answer, 0) == 0 ||
            fido_assert_sig_len(answer, 0) > sizeof(ret->signature))
                return -EIO;
        ret->data_length = fido_assert_authdata_len(answer, 0);
        memcpy(ret->data, fido_assert_authdata_ptr(answer, 0), ret->data_length);
        ret->signature_length = fido_assert_sig_len(answer, 0);
        memcpy(ret->signature, fido_assert_sig_ptr(answer, 0), ret->signature_length);
        return 0;
}

int fido2_sign(Fido2Device *device, const Fido2Key *key, const char *pin, bool verify, uint64_t deadline,
               Fido2Assertion *ret) {
        CLEANUP(scope_assert) fido_assert_t *request = NULL;
        Fido2Assertion assertion = {.data_length = 0};
        int ms = left(deadline), r;

        if (ms == 0)
                return -ETIMEDOUT;
        randombytes_buf(assertion.challenge, sizeof(assertion.challenge));
        r = new_request(key, assertion.challenge, &request);
        if (r < 0)
                return r;
        /* with a PIN the option is left out: a key that knows nobody by itself does not take it */
        if ((!pin && verify && fido_assert_set_uv(request, FIDO_OPT_TRUE) != FIDO_OK) ||
            fido_dev_set_timeout(device->handle, ms) != FIDO_OK)
                return -ENOMEM;
        r = fido2_error(fido_dev_get_assert(device->handle, request, pin));
        if (r == -EIO && left(deadline) == 0)
                return -ETIMEDOUT;
        if (r < 0 || (r = take_answer(request, &assertion)) < 0)
                return r;
        *ret = assertion;
        return 0;
}

int fido2_retries(Fido2Device *device) {
        int retries = -1;

        if (fido_dev_set_timeout(device->handle, QUICK_MS) != FIDO_OK ||
            fido_dev_get_retry_count(device->handle, &retries) != FIDO_OK)
                return -1;
        return retries;
}

int fido2_check(const Fido2Key *key, UserVerification verification, const Fido2Assertion *assertion,
                uint32_t *ret_counter) {
        CLEANUP(scope_assert) fido_assert_t *answer = NULL;
        CLEANUP(scope_public_key) es256_pk_t *public_key = es256_pk_new();
        bool verify = verification != USER_VERIFICATION_PREFERRED;
        uint32_t counter;
        int r = public_key ? new_request(key, assertion->challenge, &answer) : -ENOMEM;

        if (r < 0)
                return r;
        if (es256_pk_from_ptr(public_key, key->public_key, FIDO2_PUBLIC_SIZE) != FIDO_OK ||
            fido_assert_set_up(answer, FIDO_OPT_TRUE) != FIDO_OK ||
            fido_assert_set_uv(answer, verify ? FIDO_OPT_TRUE : FIDO_OPT_OMIT) != FIDO_OK ||
            fido_assert_set_count(answer, 1) != FIDO_OK ||
            fido_assert_set_authdata(answer, 0, assertion->data, assertion->data_length) != FIDO_OK ||
            fido_assert_set_sig(answer, 0, assertion->signature, assertion->signature_length) != FIDO_OK ||
            fido_assert_verify(answer, 0, COSE_ES256, public_key) != FIDO_OK)
                return -EKEYREJECTED;
        counter = fido_assert_sigcount(answer, 0);
        /* keys that do not count say 0 (WebAuthn 2, 6.1.1) */
        if ((counter > 0 || key->counter > 0) && counter <= key->counter)
                return -ESTALE;
        *ret_counter = counter;
        return 0;
}
