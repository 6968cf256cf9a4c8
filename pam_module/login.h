/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * login.h: one PAM call as the module sees it, and the state that lasts from call to call of a transaction.
 */
#pragma once

#include <security/pam_modules.h>

#include "pam_module/account.h"
#include "pam_module/store.h"
#include "pam_module/token.h"
#include "pam_module/verify.h"
#include "policy/build.h"
#include "policy/decide_mfa.h"
#include "policy/event.h"
#include "policy/last_good.h"

#define POLICY_PATH      "/etc/sekisho/policy.d"
#define STATE_PATH       "/var/lib/sekisho" /* of the agent */
#define LOGIN_STATE_NAME "sekisho-login"    /* of pam_set_data() */

/* What is loaded where somebody has a factor of that kind (device_module.h). */
#define DEVICE_KIND_LIST(X)                                                                                 \
        X(DEVICE_FIDO2, "fido2")                                                                            \
        X(DEVICE_CARD, "card")
DECLARE_ENUM(DeviceKind, device_kind, DEVICE_KIND_LIST);

enum {
        DEVICE_KINDS = DEVICE_CARD + 1
};

/* The module's arguments in the PAM configuration. */
typedef struct LoginOptions {
        const char *store, *policy, *runtime, *state; /* borrowed from PAM */
        bool password_by_stack; /* the stack denies where a password is wrong: take its word */
} LoginOptions;

typedef struct Login {
        pam_handle_t *pamh;
        int flags;
        LoginOptions options;
        const char *service, *rhost, *terminal, *user; /* PAM's items, borrowed; NULL or text */
        Account account;
        Policy *policy;
        PolicySource source;
        PolicyFaults faults; /* of the configured policy */
        Store store;
        bool shared;                 /* several people use the account in turn */
        char person[STORE_KEY_SIZE]; /* who it is, or says to be, and has an enrolment; "" if not known */
        char key[STORE_KEY_SIZE];    /* of that enrolment; or of none that there can be */
        unsigned enrolled;           /* of a known account */
        time_t first_seen, last_seen;
        Moment now;
        PolicyTime policy_time; /* of now */
        unsigned proven;
        char token[TOKEN_SIZE]; /* what it was proven with that can be taken away; set by factors */
        MfaDecision decision;
        void *devices[DEVICE_KINDS]; /* modules that were loaded (device_module.h) */
        bool accounting;             /* in the account phase: whoever it is has been let through before */
        const char *why;             /* what went wrong, in English, for the journal; NULL: nothing */
} Login;

void login_clear(Login *login);
#define CLEANUP_LOGIN CLEANUP(login_clear)

/* The arguments alone. 0, or -EINVAL with the cause in WHY. */
int login_take_arguments(Login *login, int argc, const char **argv);

/* PAM's items. 0, or -errno with the cause in WHY. */
int login_take_items(Login *login);

/* Everything that deciding takes: arguments, items, account, policy, enrolment. 0, or -errno with the cause
 * in WHY. */
int login_prepare(Login *login, int argc, const char **argv);

/* Whether a password was verified in this transaction. */
bool login_has_password(const Login *login);

/* Asks the policy, with what is proven by now. */
void login_decide(Login *login);

/* Asks the guard, where the login hangs on it, and takes its answer into the decision. */
void login_ask_guard(Login *login);

/* The verification of FACTOR for the person who logs in. */
Verification login_verification(Login *login, Factor factor);

/* One record in the journal. EVENT_LOGIN_ALLOWED, EVENT_LOGIN_DENIED or EVENT_FACTOR_FAILED, the last with
 * the factor and how it went. A record that cannot be written goes to syslog. */
void login_record(const Login *login, EventKind kind, int factor, const char *how);

/* One record that the configured policy is not good, and which one this login goes by, if there is one. */
void login_record_faults(const Login *login);

/* What a transaction has shown so far: PAM keeps it until pam_end(). It is bound to the account. */
typedef struct LoginState {
        bool allowed;
        bool told; /* the guard knows of the session */
        bool shared;
        unsigned proven;
        uid_t uid;
        char person[STORE_KEY_SIZE];
        char token[TOKEN_SIZE];
} LoginState;

/* Replaces the state. 0 or -errno; on failure there is none. */
int login_state_set(const Login *login, bool allowed);
/* The same with a state from elsewhere. */
int login_state_put(pam_handle_t *pamh, const LoginState *state);
/* The state of this account in this transaction; zeroed if there is none. */
LoginState login_state_get(const Login *login);
/* Whether this transaction was denied, whoever it was about. */
bool login_state_denied(pam_handle_t *pamh);

/* locker.c: the same where the program is a person's own, and can read nothing: the guard decides. */
int login_by_guard(Login *login, int argc, const char **argv);

/* The calls of PAM (authenticate.c): PAM_SUCCESS, or a code that denies, after a record. */
int login_authenticate(Login *login, int argc, const char **argv);
/* session.c: what the guard is told of a login, so that records name who has logged in, and with what. */
int login_open_session(Login *login, int argc, const char **argv);
int login_close_session(Login *login);
/* notice.c: says to whoever logs in that what the policy refuses is only recorded, and until when. For
 * services that the policy guards. Asks for nothing and fails silently. */
void login_tell_monitor(Login *login);
/* A locker has let the person in again: it may be another one. */
void login_tell_unlock(Login *login);
int login_account(Login *login, int argc, const char **argv);
