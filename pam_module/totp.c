/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/totp.h"

#include <errno.h>
#include <liboath/oath.h>
#include <sodium.h>
#include <string.h>

enum {
        URI_SIZE = 2048
};

bool totp_has_form(const char *code) {
        size_t n = strspn(code, "0123456789");

        return code[n] == '\0' && (n == 6 || n == 8);
}

static int flags_of(TotpHash hash) {
        switch (hash) {
        case TOTP_SHA1:
                return 0;
        case TOTP_SHA256:
                return OATH_TOTP_HMAC_SHA256;
        case TOTP_SHA512:
                return OATH_TOTP_HMAC_SHA512;
        }
        return -EINVAL;
}

int totp_code(const TotpEnrolment *totp, uint64_t step, char ret[static 9]) {
        int flags = flags_of(totp->hash);

        if (flags < 0 || (totp->digits != 6 && totp->digits != 8) || step > INT64_MAX / TOTP_STEP)
                return -EINVAL;
        /* not const in liboath 2.6.7, and not changed either */
        if (oath_totp_generate2((const char *)totp->secret, totp->length, (time_t)(step * TOTP_STEP),
                                TOTP_STEP, 0, totp->digits, flags, ret) != OATH_OK)
                return -EIO;
        return 0;
}

int totp_take(TotpEnrolment *totp, const char *code, time_t now, unsigned drift) {
        CLEANUP_SECRET Secret right = {.text = secret_alloc(16)};
        uint64_t present = now < 0 ? 0 : (uint64_t)now / TOTP_STEP, found = 0;
        bool is_right = false;

        if (!right.text)
                return -ENOMEM;
        if (!totp->enrolled || now < 0)
                return -EINVAL;
        if (!totp_has_form(code) || strlen(code) != totp->digits)
                return -EKEYREJECTED;
        for (uint64_t step = present > drift ? present - drift : 0; step <= present + drift; step++) {
                int r = totp_code(totp, step, right.text);

                if (r < 0)
                        return r;
                if (sodium_memcmp(right.text, code, totp->digits) == 0) {
                        is_right = true;
                        found = step; /* the latest, should two be alike */
                }
        }
        if (!is_right)
                return -EKEYREJECTED;
        if (found <= totp->last)
                return -EALREADY;
        totp->last = found;
        return 0;
}

static size_t size_of(TotpHash hash) {
        switch (hash) {
        case TOTP_SHA1:
                return 20;
        case TOTP_SHA256:
                return 32;
        case TOTP_SHA512:
                return 64;
        }
        return TOTP_SECRET_MAX;
}

void totp_generate(TotpHash hash, unsigned digits, TotpEnrolment *ret) {
        *ret = (TotpEnrolment){.enrolled = true, .hash = hash, .digits = digits, .length = size_of(hash)};
        randombytes_buf(ret->secret, ret->length);
}

/* RFC 3986: all but unreserved characters as %XX. */
static void add_escaped(Secret *uri, const char *text) {
        static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

        for (const unsigned char *p = (const unsigned char *)text; *p && uri->length < URI_SIZE - 4; p++)
                if (strchr(plain, *p))
                        uri->text[uri->length++] = (char)*p;
                else
                        uri->length += (size_t)snprintf(uri->text + uri->length, 4, "%%%02X", *p);
}

static void add_text(Secret *uri, const char *text) {
        size_t n = strlen(text);

        if (n < URI_SIZE - uri->length) {
                memcpy(uri->text + uri->length, text, n);
                uri->length += n;
        }
}

int totp_uri(const TotpEnrolment *totp, const char *issuer, const char *label, Secret *ret) {
        CLEANUP_SECRET Secret uri = {.text = secret_alloc(URI_SIZE)};
        char *secret = NULL;
        size_t length = 0;

        if (!uri.text)
                return -ENOMEM;
        if (oath_base32_encode((const char *)totp->secret, totp->length, &secret, &length) != OATH_OK)
                return -ENOMEM;
        secret[strcspn(secret, "=")] = '\0'; /* without padding: the key URI format's wish */
        add_text(&uri, "otpauth://totp/");
        add_escaped(&uri, issuer);
        add_text(&uri, ":");
        add_escaped(&uri, label);
        add_text(&uri, "?secret=");
        add_text(&uri, secret);
        secret_wipe(secret);
        add_text(&uri, "&issuer=");
        add_escaped(&uri, issuer);
        add_text(&uri, "&algorithm=");
        add_text(&uri, totp_hash_to_string(totp->hash));
        add_text(&uri, totp->digits == 8 ? "&digits=8&period=30" : "&digits=6&period=30");
        *ret = uri;
        uri = (Secret){0};
        return 0;
}
