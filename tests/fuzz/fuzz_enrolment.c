/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Enrolments as they lie on disk. What is understood is written as it was read, and what is typed as a code
 * has one form at most. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pam_module/codes.h"
#include "pam_module/totp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_enrolment(const char *text, size_t size) {
        CLEANUP_ENROLMENT Enrolment *enrolment = enrolment_new(), *again = enrolment_new();
        CLEANUP_SECRET Secret written = {0}, rewritten = {0};

        if (enrolment_parse(text, size, enrolment) < 0)
                return;
        if (enrolment_format(enrolment, &written) < 0 ||
            enrolment_parse(written.text, written.length, again) < 0 ||
            enrolment_format(again, &rewritten) < 0 || strcmp(written.text, rewritten.text) != 0)
                abort();
}

static void try_code(const char *text, size_t size) {
        CLEANUP_FREE char *code = strndup(text, size);
        CLEANUP_SECRET Secret normal = {0};

        if (!code || code_normalise(code, &normal) < 0)
                return;
        if (totp_has_form(normal.text) + recovery_has_form(normal.text) + substitute_has_form(normal.text) >
            1)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        if (secret_init() < 0)
                abort();
        try_enrolment((const char *)data, size);
        try_code((const char *)data, size < 64 ? size : 64);
        return 0;
}
