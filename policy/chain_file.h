/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * chain_file.h: where a chain ended, in a small file, so that the next process goes on with it. What is
 * about to be written is noted first: of a process that is killed meanwhile, the next one knows that this
 * one record may be missing. The file is written in place, one line of a fixed length, and is not waited
 * for: after a power failure the journal tells where the chain ended.
 */
#pragma once

#include "policy/chain.h"

#define CHAIN_FILE_AGENT  "chain" /* in the state directory */
#define CHAIN_FILE_LOGINS "chain" /* in the store of enrolments */

/* Open NAME below DIR_FD (or AT_FDCWD), making it for root alone. The descriptor, or -errno; -EPERM for a
 * file that somebody else could have written. */
int chain_file_open(int dir_fd, const char *name);

/* 1 with RET and RET_WRITING (the last record may not have been written), 0 for an empty file, -EBADMSG for
 * one that makes no sense, -errno. */
int chain_file_read(int fd, ChainHead *ret, bool *ret_writing);

/* 0 or -errno. */
int chain_file_write(int fd, const ChainHead *head, bool writing);
