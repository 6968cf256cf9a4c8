/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store.h: enrolments on disk. Below a directory that is root's alone: `factors/NAME`, a file per person,
 * written whole by temporary file, fsync and rename; `progress/NAME`, what logins have changed of it since
 * (progress.h), written in place; and `generations/NAME`, the number of the last edition of both, so that a
 * file which is put back, or taken away, by itself is noticed. Whoever puts all back, or the whole disk, is
 * not. `lock` is held from reading to writing.
 *
 * Where several people use one account in turn, each has an enrolment of their own, by the name
 * ACCOUNT:PERSON, which no account can have. The account is shared from the first of them on, also after
 * that one was taken away.
 *
 * Nothing here decides. Whatever is doubtful is an error, never an empty enrolment.
 */
#pragma once

#include "pam_module/enrolment.h"

#define STORE_DIRECTORY "/var/lib/sekisho/login"

enum {
        PERSON_ID_MAX = 32, /* a staff number */
        STORE_KEY_SIZE = 320
};

typedef struct Store {
        int factors_fd, generations_fd, progress_fd, lock_fd;
} Store;

#define STORE_CLOSED                                                                                        \
        (Store) {                                                                                           \
                .factors_fd = -1, .generations_fd = -1, .progress_fd = -1, .lock_fd = -1                    \
        }

/* Opens the store in DIRECTORY. 0, -ENOENT, -EPERM if its owner or mode is not right, or -errno. */
int store_open(const char *directory, Store *ret);

/* Makes what is missing of it, for root alone. 0 or -errno. */
int store_create(const char *directory);
void store_close(Store *store);
#define CLEANUP_STORE CLEANUP(store_close)

/* Waits for the lock, at most 10 s. Released by store_unlock, store_close and the end of the process. 0,
 * -ETIMEDOUT or -errno. */
int store_lock(Store *store);
void store_unlock(Store *store);

/* Whether TEXT can be a staff number: 1 to PERSON_ID_MAX letters, digits, '.', '-' and '_'. */
bool person_is_id(const char *text);

/* By what name PERSON's enrolment for ACCOUNT is kept: the account's, where that is the person. 0, -EINVAL
 * if PERSON is neither that nor a staff number, -ENAMETOOLONG. */
int store_key(const char *account, const char *person, char ret[static STORE_KEY_SIZE]);

/* Whether ACCOUNT is one of several people's. 1, 0 or -errno. */
int store_is_shared(const Store *store, const char *account);

/* Calls TAKE for the staff number of each who has an enrolment for ACCOUNT besides its own. What it returns,
 * if that is not 0, ends it and is returned. 0 or -errno. */
typedef int (*StorePerson)(const char *person, void *userdata);
int store_each_person(const Store *store, const char *account, StorePerson take, void *userdata);

/* Reads USER's enrolment. 0 with RET; -ENOENT if there never was one; -EPERM: owner or mode; -EBADMSG: not
 * whole; -ESTALE: an older edition than the last, or gone; -EKEYREJECTED: made for another uid; -errno. RET
 * is an empty one, and not to be used on failure. */
int store_load(const Store *store, const char *user, uid_t uid, Enrolment *ret);

/* An empty enrolment, as it follows on whatever there is, for who saves it. RET is an empty one. The lock is
 * held. 0 or -errno; -EBADMSG if not even the number of the last edition can be read. */
int store_begin_anew(const Store *store, const char *user, Enrolment *ret);

/* Writes it as the next edition, on the disk when this returns. The lock is held. 0 or -errno. */
int store_save(const Store *store, const char *user, Enrolment *enrolment);

/* store_progress.c. Writes what logins change of it (progress.h) as the next edition, on the disk when this
 * returns: one write in place, waited for. ENROLMENT was loaded, and nothing else of it was changed. The
 * lock is held. 0 or -errno. */
int store_advance(const Store *store, const char *user, Enrolment *enrolment);

/* The same for every process that comes after, whatever becomes of this one, but not waited for: if the
 * power fails just then, there may be what was there before. It is no edition of its own: what is advanced
 * to next takes its place. The lock is held. 0 or -errno. */
int store_note(const Store *store, const char *user, const Enrolment *enrolment);

/* In words, for the journal. Static. */
const char *store_error(int r);
