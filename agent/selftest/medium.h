/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * medium.h: the self-test's own disk: a loop device over memory of this process, with a tiny file system on
 * it. It is nobody's, it holds nothing, and it goes with the process. Source: loop(4), memfd_create(2).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What its memory is called; the udev rules know it by that. */
#define MEDIUM_NAME "sekisho-self-test"

typedef struct Medium {
        int memory, disk; /* -1: none; the disk is open for reading alone, and goes when that is closed */
        dev_t devnum;
        uint64_t diskseq; /* 0: a kernel that does not number media */
        char node[32];
} Medium;

/* Make one. 0, or -errno with the step that failed: this machine has none to give. */
int medium_open(Medium *ret, const char **ret_step);

/* Whether what is in its memory is what was put there. */
bool medium_is_untouched(const Medium *medium);

/* Give it back. */
void medium_close(Medium *medium);
