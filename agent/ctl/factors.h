/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * factors.h: what the commands that change what people log in with have in common: whose enrolment, held
 * from reading to writing, and the record of who changed it.
 */
#pragma once

#include "agent/ctl/options.h"
#include "pam_module/account.h"
#include "pam_module/store.h"
#include "policy/event.h"

typedef struct FactorsEdit {
        Account account;
        const char *person;       /* whose factors for it: --person, or the account's own name. Borrowed */
        char key[STORE_KEY_SIZE]; /* in the store */
        char *directory;          /* the store's */
        Store store;
        Enrolment *enrolment;
        char by[ISSUER_SIZE]; /* who runs the command: who logged in, or --by */
} FactorsEdit;

/* Opens the enrolment of the command's first argument, making the store if CREATE. 0, or 2 after one line on
 * stderr. */
int factors_open(const Options *options, bool create, FactorsEdit *ret);

/* The same with nothing in it, whatever there is: for what cannot be read any more. */
int factors_open_anew(const Options *options, FactorsEdit *ret);

/* The same to look at. */
int factors_open_to_read(const Options *options, FactorsEdit *ret);

/* Writes it, and a record of KIND about FACTOR. 0, or 2 after one line on stderr. */
int factors_save(FactorsEdit *edit, EventKind kind, Factor factor, time_t until);
void factors_close(FactorsEdit *edit);
#define CLEANUP_FACTORS CLEANUP(factors_close)

/* The store that OPTIONS name. A new string, NULL without memory. */
char *factors_directory(const Options *options);
