/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * answer.h: what the TPM says of the highest serial, and the one line in which the program sekisho-tpm tells
 * the agent: "absent", "empty", "rubbish", "serial 5", "failed: WHY". Pure.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
        TPM_WHY_MAX = 160,
        TPM_LINE_MAX = 256
};

typedef enum TpmState {
        TPM_FAILED,  /* there is one, and it does not do what it is asked for */
        TPM_ABSENT,  /* there is none */
        TPM_EMPTY,   /* nothing was kept in it yet */
        TPM_RUBBISH, /* what is kept there makes no sense; the next serial is written over it */
        TPM_SERIAL,
} TpmState;

typedef struct TpmAnswer {
        TpmState state;
        uint64_t serial;       /* TPM_SERIAL alone */
        char why[TPM_WHY_MAX]; /* TPM_FAILED alone: in a line, printable */
} TpmAnswer;

/* The answer in a line, with its end. Its length. */
size_t tpm_answer_format(const TpmAnswer *answer, char line[static TPM_LINE_MAX]);

/* Takes such a line. 0, or -EBADMSG with RET untouched. */
int tpm_answer_parse(const char *line, TpmAnswer *ret);
