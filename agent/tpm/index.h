/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * index.h: the place in the TPM that holds the highest serial: an ordinary index of 16 bytes, a mark and the
 * number. Speaks to the TPM by libtss2; only the program sekisho-tpm does.
 */
#pragma once

#include "agent/tpm/answer.h"

/* In the range for owners of machines. Source: TCG Registry of Reserved TPM 2.0 Handles and Localities. */
#define TPM_INDEX 0x01805345U

/* What the TPM at TCTI holds. */
void tpm_index_read(const char *tcti, TpmAnswer *ret);

/* Has it hold SERIAL, unless it holds a higher one, and makes the index if there is none. What it holds
 * then. An index that is not of our form is left as it is. */
void tpm_index_raise(const char *tcti, uint64_t serial, TpmAnswer *ret);
