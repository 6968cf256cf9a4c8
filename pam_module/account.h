/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * account.h: who a name is on this machine, by NSS.
 */
#pragma once

#include <stdbool.h>

#include "policy/object.h"

typedef struct Account {
        bool known;
        char *name; /* as NSS spells it; NULL if there is no such account */
        Subject subject;
        gid_t *groups; /* what SUBJECT points to */
} Account;

/* 0 with RET, also if there is no such account; -errno if that could not be found out. */
int account_look_up(const char *name, Account *ret);
/* 0 with RET; -ENOENT if there is none, or if its name is another uid's; -errno. */
int account_look_up_uid(uid_t uid, Account *ret);
void account_clear(Account *account);
#define CLEANUP_ACCOUNT CLEANUP(account_clear)
