/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * serial.h: the TPM as a memory of the highest serial that no copy of the file system brings back: what the
 * agent has to know of it. It is asked by a program of its own (tpm/call.h); it answers once before the
 * first policy, for which the agent waits a little, and after each policy while the agent goes on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "agent/tpm/call.h"

enum {
        TPM_WORD_MAX = TPM_WHY_MAX + 16
};

typedef struct TpmMemory {
        const char *tcti; /* NULL: it is left alone */
        TpmCall call;
        sd_event_source *ended, *deadline; /* of that, once the loop runs */
        TpmAnswer answer;                  /* the last */
        uint64_t asked;                    /* what it is to be raised to by the call ... */
        uint64_t wanted;                   /* ... and by the last policy; 0: none yet */
} TpmMemory;
