/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_directory.h: a store of the test's own. */
#pragma once

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pam_module/store.h"

static char store_path[] = "/tmp/sekisho-store-XXXXXX";
static Store store = STORE_CLOSED;

static inline void store_init(void) {
        cr_assert_eq(secret_init(), 0);
        cr_assert_not_null(mkdtemp(store_path));
        cr_assert_eq(store_create(store_path), 0);
        cr_assert_eq(store_open(store_path, &store), 0);
}

static inline int store_remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        (void)st;
        (void)type;
        (void)ftw;
        return remove(path);
}

static inline void store_fini(void) {
        store_close(&store);
        (void)nftw(store_path, store_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static inline Enrolment *store_enrolment(uid_t uid) {
        Enrolment *enrolment = enrolment_new();

        cr_assert_not_null(enrolment);
        enrolment->uid = uid;
        return enrolment;
}
