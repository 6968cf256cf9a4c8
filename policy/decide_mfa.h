/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * decide_mfa.h: what a login needs. Pure, as decide.h: the answer depends on the arguments alone. A zeroed
 * decision denies.
 */
#pragma once

#include "policy/model.h"

#define MFA_VERDICT_LIST(X)                                                                                 \
        X(MFA_DENY, "deny")                                                                                 \
        X(MFA_MORE, "more") /* not yet: another factor has to be proven */                                  \
        X(MFA_ALLOW, "allow")
DECLARE_ENUM(MfaVerdict, mfa_verdict, MFA_VERDICT_LIST);

#define MFA_REASON_LIST(X)                                                                                  \
        X(MFA_NO_DECISION, "no-decision")                                                                   \
        X(MFA_INVALID_QUESTION, "invalid-question")                                                         \
        X(MFA_RULE_DENIES, "rule-denies")         /* nobody logs in there */                                \
        X(MFA_NO_FACTORS, "no-factors")           /* required, and the policy does not say by what */       \
        X(MFA_FACTORS_MISSING, "factors-missing") /* fewer kinds are proven than needed */                  \
        X(MFA_FACTORS_PROVEN, "factors-proven")                                                             \
        X(MFA_NOT_REQUIRED, "not-required")                                                                 \
        X(MFA_EXEMPT, "exempt")     /* one factor, for this person */                                       \
        X(MFA_GRACE, "grace")       /* one factor, since nothing is enrolled yet */                         \
        X(MFA_NO_GUARD, "no-guard") /* the terminal is not guarded now */                                   \
        X(MFA_LOCKDOWN, "lockdown") /* nobody logs in until it is lifted */
DECLARE_ENUM(MfaReason, mfa_reason, MFA_REASON_LIST);

/* What the guard of this machine says of itself, and how that is told on the bus. */
#define PRESENCE_LIST(X)                                                                                    \
        X(PRESENCE_NONE, "none")                 /* nobody answers */                                       \
        X(PRESENCE_NOT_IN_FORCE, "not-in-force") /* it only watches */                                      \
        X(PRESENCE_IN_FORCE, "in-force")                                                                    \
        X(PRESENCE_LOCKDOWN, "lockdown") /* and nobody is to log in */
DECLARE_ENUM(Presence, presence, PRESENCE_LIST);

typedef struct MfaQuestion {
        const char *service;    /* PAM service */
        const Subject *subject; /* uid and groups; NULL: there is no such user */
        const char *rhost;      /* where the person is; NULL or "": here */
        PolicyTime now;
        unsigned proven;   /* factors proven in this login, a FACTOR_BIT each */
        unsigned enrolled; /* what the person has been given, of possession and inherence */
        time_t first_seen; /* when enrolment was first asked of the person; 0: now */
        time_t last_seen;  /* and when last; 0: never */
} MfaQuestion;

typedef struct MfaDecision {
        MfaVerdict verdict;
        MfaReason reason;
        bool break_glass;
        bool grace_open;       /* one factor may do, for the time being, if nothing is enrolled */
        bool grace_over;       /* it would have done, but the time for that is over */
        time_t grace_end;      /* when it is, or was; 0 if there is no grace for this login */
        unsigned kinds_needed; /* how many kinds of factors: 0, 1 or 2 */
        unsigned accepted;     /* factors that count here */
        unsigned wanted;       /* those of them that would bring another kind */
        const char *rule;      /* borrowed from the policy, or static; never NULL once decided */
        const char *origin;
} MfaDecision;

/* What QUESTION's login needs, and whether it has it. Asked in this order, the first that fits decides:
 * break-glass accounts, rules, exempt users, services, the default. In a lockdown whatever asks for a
 * factor is denied, but to break-glass accounts. RET is always filled. POLICY is resolved
 * (policy_resolve_mfa). */
void decide_mfa(const Policy *policy, const MfaQuestion *question, MfaDecision *ret);

/* Whether somebody, from somewhere, at some time, needs something of this policy for a login by SERVICE, or
 * is refused. Accounts for emergencies aside, which always do. */
bool mfa_guards_service(const Policy *policy, const char *service);

/* Whether the login that DECISION is about hangs on the guard: not where nothing is asked of it, and not
 * that of a break-glass account. */
bool mfa_asks_guard(const MfaDecision *decision);

/* Takes the permission in DECISION back where the guard has to be in force and is not, or where there is a
 * lockdown. A policy that itself only watches at NOW (expiry_now) is content with a guard that does. */
void decide_guard(const Policy *policy, Presence presence, time_t now, MfaDecision *decision);

/* Whether PLACE ("local", "remote", an address, a prefix, a host name) is where RHOST says. An IPv4 address
 * written as IPv6 (::ffff:10.0.0.1) is that IPv4 address. */
bool mfa_place_covers(const char *place, const char *rhost);
