/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * progress.h: what logins change of an enrolment, apart from what was issued: failures, the last one-time
 * password, used recovery codes, counters of keys. A short text of lines with a checksum, which fits into
 * one page, so that it is written in place and two of them by turns never leave none. No secret is in it.
 * Pure.
 */
#pragma once

#include "pam_module/enrolment.h"

enum {
        PROGRESS_SIZE = 4096
};

typedef struct Progress {
        uint64_t base;       /* the edition of the enrolment that it goes on from */
        uint64_t generation; /* the edition that it is */
        bool noted;          /* written without waiting for the disk: the one before counts as the last */
        uint64_t totp_last;
        unsigned recovery; /* a bit for each code that is left */
        unsigned substitute_uses;
        uint32_t counters[FIDO2_KEYS_MAX];
        Failures failures[FACTORS_N];
} Progress;

/* What there is to tell of ENROLMENT, as the edition GENERATION. */
void progress_of(const Enrolment *enrolment, uint64_t generation, bool noted, Progress *ret);

/* Puts it into ENROLMENT, which is edition BASE as it was issued. Nothing comes back by it: neither a used
 * code, nor a step, nor a counter. 0, or -EBADMSG for what that edition cannot have become. */
int progress_apply(const Progress *progress, Enrolment *enrolment);

/* The text, with zeros behind. 0 or -EINVAL. */
int progress_format(const Progress *progress, char ret[static PROGRESS_SIZE]);

/* 1 with RET; 0 for nothing but zeros; -EBADMSG for anything that progress_format does not write. */
int progress_parse(const char text[static PROGRESS_SIZE], Progress *ret);
