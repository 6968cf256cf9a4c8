/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_private.h: what the files of the store share. */
#pragma once

#include <limits.h>

#include "pam_module/store.h"

enum {
        FILE_NAME_SIZE = NAME_MAX + 1,
        NUMBER_SIZE = 21 /* of the text of a number: of one length, so that it is written in place */
};

/* Letters, digits, '-' and '_' as they are, other bytes as %XX: no name leads anywhere else, and none begins
 * with a dot. 0, -EINVAL, -ENAMETOOLONG. */
int store_file_name(const char *user, char ret[static FILE_NAME_SIZE]);

/* 0, or -EPERM for what is not of TYPE, not root's, or has one of the modes that are FORBIDDEN. */
int store_check_owner(int fd, mode_t type, mode_t forbidden);

/* Puts a file in the place of NAME, on the disk when it returns. The lock is held. 0 or -errno. */
int store_replace_file(int directory_fd, const char *name, const char *text, size_t length);

/* The number of the last edition; 0 if there never was one. 0 or -errno; -EBADMSG. */
int store_load_number(const Store *store, const char *name, uint64_t *ret);
int store_write_number(const Store *store, const char *name, uint64_t generation);
void store_number_text(uint64_t generation, char ret[static NUMBER_SIZE + 1]);

/* Takes what logins have changed since into ENROLMENT, which is the edition of the file NAME; LAST is the
 * number. 0; -EBADMSG if it is not whole, -ESTALE if it is further than there can be, -errno. */
int store_load_progress(const Store *store, const char *name, uint64_t last, Enrolment *enrolment);
