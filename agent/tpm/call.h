/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * call.h: asking the TPM by the program sekisho-tpm, which takes its time. Whoever asks goes on meanwhile
 * and learns of the end by a descriptor. A program that does not come to an end counts as a TPM that failed.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "agent/tpm/answer.h"

/* How the machine's own TPM is reached: by the kernel's resource manager. */
#define TPM_DEVICE "device:/dev/tpmrm0"

typedef struct TpmCall {
        pid_t pid; /* 0: none is under way */
        int pidfd, output;
} TpmCall;

/* Asks the TPM at TCTI for the serial; has it raised to *SERIAL where that is not
 * NULL. 0 or -errno. */
int tpm_call_begin(const char *tcti, const uint64_t *serial, TpmCall *ret);

/* The answer, for which it waits MSEC at most. CALL is over then, whatever it was. */
void tpm_call_finish(TpmCall *call, int msec, TpmAnswer *ret);

/* Leaves it to its end, of which nobody learns. */
void tpm_call_leave(TpmCall *call);
