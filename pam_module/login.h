/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * login.h: one PAM call as the module sees it, and the state that lasts from call to call of a transaction.
 */
#pragma once

#include <security/pam_modules.h>

#include "pam_module/account.h"
#include "pam_module/store.h"
#include "pam_module/verify.h"
#include "policy/build.h"
#include "policy/decide_mfa.h"
#include "policy/event.h"

#define POLICY_PATH "/etc/sekisho/policy.d"

/* The module's arguments in the PAM configuration. */
typedef struct LoginOptions {
        const char *store, *policy, *runtime; /* borrowed from PAM */
        bool password_by_stack;               /* the stack denies where a password is wrong: take its word */
} LoginOptions;

typedef struct Login {
        pam_handle_t *pamh;
        int flags;
        LoginOptions options;
        const char *service, *rhost, *terminal, *user; /* PAM's items, borrowed; NULL or text */
        Account account;
        Policy *policy;
        Store store;
        unsigned enrolled; /* of a known account */
        time_t first_seen;
        Moment now;
        PolicyTime policy_time; /* of now */
        unsigned proven;
        MfaDecision decision;
        bool accounting; /* in the account phase: whoever it is has been let through before */
        const char *why; /* what went wrong, in English, for the journal; NULL: nothing */
} Login;

void login_clear(Login *login);
#define CLEANUP_LOGIN CLEANUP(login_clear)

/* Everything that deciding takes: arguments, items, account, policy, enrolment. 0, or -errno with the cause
 * in WHY. */
int login_prepare(Login *login, int argc, const char **argv);

/* Asks the policy, with what is proven by now. */
void login_decide(Login *login);

/* Asks the guard, where the login hangs on it, and takes its answer into the decision. */
void login_ask_guard(Login *login);

/* The verification of FACTOR for the person who logs in. */
Verification login_verification(Login *login, Factor factor);

/* One record in the journal. EVENT_LOGIN_ALLOWED, EVENT_LOGIN_DENIED or EVENT_FACTOR_FAILED, the last with
 * the factor and how it went. A record that cannot be written goes to syslog. */
void login_record(const Login *login, EventKind kind, int factor, const char *how);

/* What a transaction has shown so far: PAM keeps it until pam_end(). It is bound to the account. */
typedef struct LoginState {
        bool allowed;
        unsigned proven;
        uid_t uid;
} LoginState;

/* Replaces the state. 0 or -errno; on failure there is none. */
int login_state_set(const Login *login, bool allowed);
/* The state of this account in this transaction; zeroed if there is none. */
LoginState login_state_get(const Login *login);
/* Whether this transaction was denied, whoever it was about. */
bool login_state_denied(pam_handle_t *pamh);

/* The calls of PAM (authenticate.c): PAM_SUCCESS, or a code that denies, after a record. */
int login_authenticate(Login *login, int argc, const char **argv);
int login_account(Login *login, int argc, const char **argv);
