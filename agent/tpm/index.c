/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/tpm/index.h"

#include <endian.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include "policy/scope.h"

enum {
        MARK_SIZE = 8,
        CONTENT_SIZE = MARK_SIZE + (int)sizeof(uint64_t)
};

/* The last byte is the edition of this form. */
static const uint8_t mark[MARK_SIZE] = {'S', 'E', 'K', 'I', 'S', 'H', 'O', 1};

/* By the index's own, empty, authorisation; who owns the machine may do without ours. A wrong one is not
 * counted, or others could be locked out of the TPM. */
static const TPMA_NV attributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA;
static const TPMA_NV attributes_needed = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE;

typedef struct Tpm {
        TSS2_TCTI_CONTEXT *tcti;
        ESYS_CONTEXT *esys;
        ESYS_TR index; /* ESYS_TR_NONE: there is none */
} Tpm;

static void close_tpm(Tpm *tpm) {
        if (tpm->esys && tpm->index != ESYS_TR_NONE)
                (void)Esys_TR_Close(tpm->esys, &tpm->index);
        Esys_Finalize(&tpm->esys);
        Tss2_TctiLdr_Finalize(&tpm->tcti);
}

static void scope_esys_free(void *p) {
        Esys_Free(*(void **)p);
}

/* The answer that it does not work: always false, for the caller to return. */
__attribute__((format(printf, 2, 3))) static bool fail(TpmAnswer *ret, const char *format, ...) {
        va_list ap;

        *ret = (TpmAnswer){.state = TPM_FAILED};
        va_start(ap, format);
        (void)vsnprintf(ret->why, sizeof(ret->why), format, ap);
        va_end(ap);
        return false;
}

static bool fail_with(TpmAnswer *ret, const char *what, TSS2_RC rc) {
        return fail(ret, "%s: %s", what, Tss2_RC_Decode(rc));
}

/* Whether the TPM itself says CODE, about whichever of its parameters. Source: TPM 2.0 part 1, 39 "Response
 * codes": of format 1, bits 6 and 8 to 11 name the parameter. */
static bool says(TSS2_RC rc, TSS2_RC code) {
        const TSS2_RC format_one = 0x0bf;

        return (rc & TSS2_RC_LAYER_MASK) == TSS2_TPM_RC_LAYER && (rc & TPM2_RC_FMT1) != 0 &&
               (rc & format_one) == code;
}

static bool find_index(Tpm *tpm, TpmAnswer *ret) {
        TSS2_RC rc = Esys_TR_FromTPMPublic(tpm->esys, TPM_INDEX, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                           &tpm->index);

        if (rc == TSS2_RC_SUCCESS)
                return true;
        tpm->index = ESYS_TR_NONE;
        return says(rc, TPM2_RC_HANDLE) ? true : fail_with(ret, "looking for the index", rc);
}

static bool open_tpm(const char *tcti, Tpm *tpm, TpmAnswer *ret) {
        TSS2_RC rc = Tss2_TctiLdr_Initialize(tcti, &tpm->tcti);

        tpm->index = ESYS_TR_NONE;
        if (rc != TSS2_RC_SUCCESS)
                return fail_with(ret, "reaching it", rc);
        rc = Esys_Initialize(&tpm->esys, tpm->tcti, NULL);
        if (rc != TSS2_RC_SUCCESS)
                return fail_with(ret, "speaking to it", rc);
        return find_index(tpm, ret);
}

/* Whether the index has our form; whether it was ever written to. */
static bool check_form(Tpm *tpm, bool *ret_written, TpmAnswer *ret) {
        CLEANUP(scope_esys_free) TPM2B_NV_PUBLIC *form = NULL;
        TSS2_RC rc = Esys_NV_ReadPublic(tpm->esys, tpm->index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                        &form, NULL);
        const TPMS_NV_PUBLIC *is;

        if (rc != TSS2_RC_SUCCESS)
                return fail_with(ret, "looking at the index", rc);
        is = &form->nvPublic;
        if (is->dataSize != CONTENT_SIZE || (is->attributes & TPMA_NV_TPM2_NT_MASK) != 0 ||
            (is->attributes & attributes_needed) != attributes_needed)
                return fail(ret, "index 0x%08X is somebody else's", TPM_INDEX);
        *ret_written = (is->attributes & TPMA_NV_WRITTEN) != 0;
        return true;
}

/* What stands in the index into RET: true unless the TPM failed. */
static bool look(Tpm *tpm, TpmAnswer *ret) {
        CLEANUP(scope_esys_free) TPM2B_MAX_NV_BUFFER *content = NULL;
        bool written = false;
        uint64_t number;
        TSS2_RC rc;

        *ret = (TpmAnswer){.state = TPM_EMPTY};
        if (tpm->index == ESYS_TR_NONE)
                return true;
        if (!check_form(tpm, &written, ret))
                return false;
        if (!written)
                return true;
        rc = Esys_NV_Read(tpm->esys, tpm->index, tpm->index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                          CONTENT_SIZE, 0, &content);
        if (rc != TSS2_RC_SUCCESS)
                return fail_with(ret, "reading the index", rc);
        if (content->size != CONTENT_SIZE || memcmp(content->buffer, mark, MARK_SIZE) != 0) {
                ret->state = TPM_RUBBISH;
                return true;
        }
        memcpy(&number, content->buffer + MARK_SIZE, sizeof(number));
        *ret = (TpmAnswer){.state = TPM_SERIAL, .serial = be64toh(number)};
        return true;
}

static bool make_index(Tpm *tpm, TpmAnswer *ret) {
        const TPM2B_AUTH none = {0};
        const TPM2B_NV_PUBLIC form = {.nvPublic = {.nvIndex = TPM_INDEX,
                                                   .nameAlg = TPM2_ALG_SHA256,
                                                   .attributes = attributes,
                                                   .dataSize = CONTENT_SIZE}};
        TSS2_RC rc = Esys_NV_DefineSpace(tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                         ESYS_TR_NONE, &none, &form, &tpm->index);

        if (rc == TSS2_RC_SUCCESS)
                return true;
        tpm->index = ESYS_TR_NONE;
        if (says(rc, TPM2_RC_BAD_AUTH))
                return fail(ret,
                            "its owner has a password, with which index 0x%08X has to be made; see "
                            "sekishod(8)",
                            TPM_INDEX);
        return fail_with(ret, "making the index", rc);
}

static bool write_serial(Tpm *tpm, uint64_t serial, TpmAnswer *ret) {
        TPM2B_MAX_NV_BUFFER content = {.size = CONTENT_SIZE};
        uint64_t number = htobe64(serial);
        TSS2_RC rc;

        memcpy(content.buffer, mark, MARK_SIZE);
        memcpy(content.buffer + MARK_SIZE, &number, sizeof(number));
        rc = Esys_NV_Write(tpm->esys, tpm->index, tpm->index, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                           &content, 0);
        return rc == TSS2_RC_SUCCESS ? true : fail_with(ret, "writing to the index", rc);
}

void tpm_index_read(const char *tcti, TpmAnswer *ret) {
        CLEANUP(close_tpm) Tpm tpm = {.index = ESYS_TR_NONE};

        if (open_tpm(tcti, &tpm, ret))
                (void)look(&tpm, ret); /* what failed is the answer */
}

void tpm_index_raise(const char *tcti, uint64_t serial, TpmAnswer *ret) {
        CLEANUP(close_tpm) Tpm tpm = {.index = ESYS_TR_NONE};

        if (!open_tpm(tcti, &tpm, ret) || !look(&tpm, ret) ||
            (ret->state == TPM_SERIAL && ret->serial >= serial))
                return;
        if (tpm.index == ESYS_TR_NONE && !make_index(&tpm, ret))
                return;
        if (write_serial(&tpm, serial, ret))
                (void)look(&tpm, ret);
}
