/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is asked of a person who logs in, and in which order. Whatever is not foreseen denies. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "pam_module/conversation.h"
#include "pam_module/factor.h"
#include "pam_module/grace.h"
#include "pam_module/handover.h"

enum {
        FAIL_DELAY_USEC = 2000000,
        ROUNDS_MAX = FACTORS_N
};

/* In the order in which they are tried: what the person only has to put there comes before typing. */
static const FactorModule *const modules[] = {&factor_fido2, &factor_fingerprint, &factor_card,
                                              &factor_code};

/* Nobody knows then which accounts are for emergencies: not even they get in. */
static void tell_no_policy(Login *login) {
        if (!login->policy && login->faults.n > 0)
                (void)conversation_tell(login->pamh, login->flags,
                                        _("The policy of this terminal is not in order: nobody can log in. "
                                          "An administrator has to start it in emergency mode."));
}

/* Where it is not for the person to mend, whom to ask. Not before something is known of who that is. */
static void tell_contact(Login *login) {
        CLEANUP_FREE char *text = NULL;

        if (!login->policy || !login->policy->contact || (login->proven == 0 && !login->accounting) ||
            (!login->why && login->decision.verdict != MFA_DENY))
                return;
        if (asprintf(&text, _("Contact: %s"), login->policy->contact) > 0)
                (void)conversation_tell(login->pamh, login->flags, text);
}

static int deny(Login *login, int code) {
        (void)login_state_set(login, false);
        (void)pam_fail_delay(login->pamh, FAIL_DELAY_USEC);
        tell_no_policy(login);
        tell_contact(login);
        grace_tell_over(login);
        login_record(login, EVENT_LOGIN_DENIED, -1, NULL);
        return code;
}

/* What pam_unix said in this transaction. It keeps that for its own setcred, under this name, since
 * Linux-PAM 0.7x (modules/pam_unix/pam_unix_auth.c); nothing else tells a module how the ones before it
 * went. */
static bool unix_has_verified(const Login *login) {
        const int *answer = NULL;

        return pam_get_data(login->pamh, "unix_setcred_return", (const void **)&answer) == PAM_SUCCESS &&
               answer && *answer == PAM_SUCCESS;
}

/* Whether a password was verified. Who takes any password for right, in a stack where a wrong one does not
 * deny ("sufficient"), takes none. Empty ones count for nothing, whatever pam_unix thinks of them. */
bool login_has_password(const Login *login) {
        const char *password = NULL;

        return pam_get_item(login->pamh, PAM_AUTHTOK, (const void **)&password) == PAM_SUCCESS && password &&
               *password && (login->options.password_by_stack || unix_has_verified(login));
}

static Proof prove(Login *login, unsigned wanted) {
        for (size_t i = 0; i < ELEMENTS(modules); i++) {
                unsigned can = modules[i]->factors & wanted;
                Factor factor = FACTOR_PASSWORD;
                Proof proof;

                if (can == 0 || !(modules[i]->asks_anybody || (can & login->enrolled)))
                        continue;
                proof = modules[i]->prove(login, can, &factor);
                if (proof == PROOF_ABSENT)
                        continue;
                if (proof == PROOF_PROVEN && (can & FACTOR_BIT(factor)))
                        login->proven |= FACTOR_BIT(factor);
                else
                        login_record(login, EVENT_FACTOR_FAILED, (int)factor, proof_to_string(proof));
                return proof;
        }
        return PROOF_NOT_ENROLLED;
}

static int code_of(Proof proof) {
        switch (proof) {
        case PROOF_BROKEN:
                return PAM_AUTHINFO_UNAVAIL;
        case PROOF_WAIT:
                return PAM_MAXTRIES;
        case PROOF_REFUSED:
        case PROOF_REPLAYED:
        case PROOF_EXPIRED:
        case PROOF_CLONED:
        case PROOF_NOT_ENROLLED:
        case PROOF_ABSENT:
        case PROOF_PROVEN: /* of something else than was asked for */
                return PAM_AUTH_ERR;
        }
        return PAM_AUTH_ERR;
}

static void tell_lockdown(const Login *login) {
        if (login->decision.reason == MFA_LOCKDOWN)
                (void)conversation_tell(login->pamh, login->flags,
                                        _("This terminal is locked down: nobody can log in."));
}

/* Asks until the policy is content. PAM_SUCCESS or a code that denies. */
static int satisfy(Login *login) {
        for (int i = 0; i < ROUNDS_MAX; i++) {
                unsigned before = login->proven;
                Proof proof;

                login_decide(login);
                if (login->decision.verdict == MFA_ALLOW)
                        return PAM_SUCCESS;
                if (login->decision.verdict != MFA_MORE) {
                        tell_lockdown(login);
                        return PAM_PERM_DENIED;
                }
                proof = prove(login, login->decision.wanted);
                if (proof != PROOF_PROVEN || login->proven == before)
                        return code_of(proof);
        }
        return PAM_AUTH_ERR;
}

static int allow(Login *login) {
        int r;

        if (!login->account.known)
                return deny(login, PAM_USER_UNKNOWN);
        if (login->decision.reason == MFA_GRACE) {
                if ((r = grace_note(login)) < 0) {
                        login->why = store_error(r);
                        return deny(login, PAM_AUTHINFO_UNAVAIL);
                }
                grace_tell(login);
        }
        if (login_state_set(login, true) < 0) {
                login->why = "out of memory";
                return deny(login, PAM_BUF_ERR);
        }
        login_record(login, EVENT_LOGIN_ALLOWED, -1, NULL);
        if (login->decision.break_glass)
                login_record(login, EVENT_BREAK_GLASS_USED, -1, NULL);
        return PAM_SUCCESS;
}

int login_authenticate(Login *login, int argc, const char **argv) {
        int code;

        if (geteuid() != 0)
                return login_by_guard(login, argc, argv);
        /* what an earlier try in this transaction has shown is forgotten first */
        if (login_state_set(login, false) < 0) {
                login->why = "out of memory";
                return deny(login, PAM_BUF_ERR);
        }
        if (login_prepare(login, argc, argv) < 0)
                return deny(login, PAM_AUTHINFO_UNAVAIL);
        if (login_has_password(login))
                login->proven |= FACTOR_BIT(FACTOR_PASSWORD);
        code = satisfy(login);
        return code == PAM_SUCCESS ? allow(login) : deny(login, code);
}

/* Whether what this module can prove by itself is enough. A password that it did not see is nothing to it.
 */
static bool can_satisfy(const Login *login) {
        unsigned can = 0;

        for (size_t i = 0; i < ELEMENTS(modules); i++)
                can |= modules[i]->factors;
        return factor_kinds_count(login->decision.accepted & (login->proven | (can & login->enrolled))) >=
               login->decision.kinds_needed;
}

/* The session of who comes from another host may be opened by another process. That it is not known to the
 * guard then is for the session to say. */
static void hand_over(const Login *login) {
        LoginState state;

        if (!login->rhost || !login->rhost[0])
                return;
        state = login_state_get(login);
        if (state.allowed && state.person[0])
                (void)handover_leave(login, &state);
}

/* The terminal has to be guarded for what begins now. */
static int admit(Login *login) {
        login_ask_guard(login);
        if (login->decision.verdict != MFA_ALLOW) {
                tell_lockdown(login);
                if (login->decision.reason != MFA_LOCKDOWN)
                        (void)conversation_tell(login->pamh, login->flags,
                                                _("This terminal is not guarded: nobody can log in."));
                return deny(login, PAM_PERM_DENIED);
        }
        if (login_state_set(login, true) < 0) {
                login->why = "out of memory";
                return deny(login, PAM_BUF_ERR);
        }
        hand_over(login);
        return PAM_SUCCESS;
}

int login_account(Login *login, int argc, const char **argv) {
        LoginState state;
        int code;

        login->accounting = true;
        if (geteuid() != 0) /* a locker of a person's own: nobody else hangs on its word */
                return login_state_denied(login->pamh) ? PAM_PERM_DENIED : PAM_IGNORE;
        if (login_prepare(login, argc, argv) < 0)
                return deny(login, PAM_PERM_DENIED);
        state = login_state_get(login);
        if (state.allowed && (!login->shared || strcmp(state.person, login->person) == 0)) {
                login->proven = state.proven;
                memcpy(login->token, state.token, sizeof(login->token));
        }
        login_decide(login);
        if (login->decision.verdict == MFA_ALLOW)
                return admit(login);
        if (login->decision.verdict == MFA_DENY) {
                tell_lockdown(login);
                return deny(login, PAM_PERM_DENIED);
        }
        /* keys of ssh, a "sufficient" line before ours, a program that does not authenticate */
        if (!can_satisfy(login)) {
                login->why = "the authentication of pam_sekisho was passed by";
                return deny(login, PAM_PERM_DENIED);
        }
        code = satisfy(login);
        if (code != PAM_SUCCESS)
                return deny(login, PAM_PERM_DENIED);
        code = allow(login);
        return code == PAM_SUCCESS ? admit(login) : code;
}
