/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/decide_mfa.h"

#include <string.h>
#include <strings.h>

#include "policy/address.h"
#include "policy/hours.h"
#include "policy/monitor.h"
#include "policy/scope.h"

DEFINE_ENUM_STRINGS(MfaVerdict, mfa_verdict, MFA_VERDICT_LIST)
DEFINE_ENUM_STRINGS(MfaReason, mfa_reason, MFA_REASON_LIST)
DEFINE_ENUM_STRINGS(Presence, presence, PRESENCE_LIST)

static const char built_in[] = "built-in";

enum {
        CLOCK_CORRECTION = 3600 /* seconds that an honest clock may be put right by */
};

bool mfa_place_covers(const char *place, const char *rhost) {
        bool here = !rhost || !*rhost;
        const char *slash = strchr(place, '/');
        Address host;

        if (strcmp(place, "local") == 0)
                return here;
        if (strcmp(place, "remote") == 0)
                return !here;
        if (here)
                return false;
        if (address_parse(place, slash ? (size_t)(slash - place) : strlen(place)).bits == 0)
                return strcasecmp(place, rhost) == 0;
        host = address_parse(rhost, strcspn(rhost, "%")); /* without the interface of fe80::1%eth0 */
        return address_in(place, &host);
}

static bool names_service(const MfaRule *rule, const char *service) {
        for (size_t i = 0; i < rule->n_services; i++)
                if (strcmp(rule->services[i], service) == 0)
                        return true;
        return rule->n_services == 0;
}

static bool names_place(const MfaRule *rule, const char *rhost) {
        for (size_t i = 0; i < rule->n_from; i++)
                if (mfa_place_covers(rule->from[i], rhost))
                        return true;
        return rule->n_from == 0;
}

static bool has_uid(const uid_t *uids, size_t n, uid_t uid) {
        for (size_t i = 0; i < n; i++)
                if (uids[i] == uid)
                        return true;
        return false;
}

static bool has_gid(const RuleScope *scope, gid_t gid) {
        for (size_t i = 0; i < scope->n_gids; i++)
                if (scope->gids[i] == gid)
                        return true;
        return false;
}

static bool names_person(const RuleScope *scope, const Subject *subject) {
        if (scope->n_users == 0 && scope->n_groups == 0)
                return true;
        if (!subject)
                return false;
        if (has_uid(scope->uids, scope->n_uids, subject->uid) || has_gid(scope, subject->gid))
                return true;
        for (size_t i = 0; i < subject->n_groups; i++)
                if (has_gid(scope, subject->groups[i]))
                        return true;
        return false;
}

static bool rule_fits(const MfaRule *rule, const MfaQuestion *question) {
        const RuleScope *scope = &rule->scope;
        const PolicyTime *now = &question->now;

        return names_service(rule, question->service) && names_place(rule, question->rhost) &&
               names_person(scope, question->subject) &&
               hours_cover(&scope->hours, now->weekday, now->minute) &&
               !(scope->expires != 0 && now->expiry_now >= scope->expires);
}

static unsigned factors_of_all(const Policy *policy) {
        unsigned factors = 0;

        for (size_t i = 0; i < policy->n_mfa_factors; i++)
                factors |= FACTOR_BIT(policy->mfa_factors[i]);
        return factors;
}

/* How long one factor does, for who has nothing enrolled. */
typedef struct Grace {
        time_t end; /* 0: there is none */
        bool holds;
} Grace;

static const Grace no_grace = {0};

static Grace grace_of(const Policy *policy, const MfaQuestion *question) {
        time_t now = question->now.expiry_now;
        time_t from = question->first_seen ? question->first_seen : now;
        Grace grace = {.end = policy->mfa_grace_until};

        if (policy->mfa_grace_days != 0) {
                time_t end = from + (time_t)policy->mfa_grace_days * 86400;

                if (grace.end == 0 || end < grace.end)
                        grace.end = end;
        }
        /* a clock that was set back to before an earlier login is none to go by */
        grace.holds = now < grace.end && (policy->mfa_grace_days == 0 || now >= from) &&
                      now >= question->last_seen - CLOCK_CORRECTION;
        return grace;
}

/* What is there to say once it is known which factors count, and how many kinds. */
static void judge(const MfaQuestion *question, Grace grace, MfaDecision *ret) {
        unsigned proven = question->proven & ret->accepted, kinds = factor_kinds_count(proven);

        if (factor_kinds_count(ret->accepted) < ret->kinds_needed) {
                ret->reason = MFA_NO_FACTORS;
                return;
        }
        if (kinds >= ret->kinds_needed) {
                ret->verdict = MFA_ALLOW;
                ret->reason = ret->kinds_needed < 2 ? MFA_EXEMPT : MFA_FACTORS_PROVEN;
                return;
        }
        if (grace.end != 0 &&
            factor_kinds_count(ret->accepted & question->enrolled & ~FACTOR_BIT(FACTOR_PASSWORD)) == 0) {
                ret->grace_end = grace.end;
                ret->grace_open = grace.holds;
                ret->grace_over = !grace.holds;
        }
        if (ret->grace_open && kinds > 0) {
                ret->verdict = MFA_ALLOW;
                ret->reason = MFA_GRACE;
                return;
        }
        ret->verdict = MFA_MORE;
        ret->reason = MFA_FACTORS_MISSING;
        for (unsigned factor = 0; factor <= FACTOR_SUBSTITUTE; factor++)
                if ((ret->accepted & FACTOR_BIT(factor)) &&
                    factor_kinds_count(proven | FACTOR_BIT(factor)) > kinds)
                        ret->wanted |= FACTOR_BIT(factor);
}

/* Codes stand in for possession wherever possession counts; they are there only if root issued them. */
static unsigned with_stand_ins(unsigned factors) {
        for (unsigned factor = 0; factor <= FACTOR_SUBSTITUTE; factor++)
                if ((factors & FACTOR_BIT(factor)) && factor_kind((Factor)factor) == KIND_POSSESSION)
                        return factors | FACTOR_BIT(FACTOR_RECOVERY) | FACTOR_BIT(FACTOR_SUBSTITUTE);
        return factors;
}

static void judge_need(const Policy *policy, const MfaQuestion *question, LoginNeed need, unsigned factors,
                       MfaDecision *ret) {
        switch (need) {
        case LOGIN_DENY:
                ret->reason = MFA_RULE_DENIES;
                return;
        case LOGIN_OFF:
                ret->kinds_needed = 0;
                ret->verdict = MFA_ALLOW;
                ret->reason = MFA_NOT_REQUIRED;
                return;
        case LOGIN_REQUIRED:
                ret->kinds_needed = 2;
                ret->accepted = with_stand_ins(factors ? factors : factors_of_all(policy));
                judge(question, grace_of(policy, question), ret);
                return;
        }
        ret->reason = MFA_INVALID_QUESTION;
}

static bool judge_break_glass(const Policy *policy, const MfaQuestion *question, MfaDecision *ret) {
        if (!question->subject)
                return false;
        for (size_t i = 0; i < policy->n_mfa_break_glass; i++) {
                const MfaBreakGlass *account = &policy->mfa_break_glass[i];

                if (!account->uid_known || account->uid != question->subject->uid)
                        continue;
                ret->break_glass = true;
                ret->kinds_needed = 2;
                ret->accepted = account->factors;
                ret->rule = "mfa.break-glass";
                ret->origin = account->origin;
                judge(question, no_grace, ret);
                return true;
        }
        return false;
}

static bool judge_exempt(const Policy *policy, const MfaQuestion *question, MfaDecision *ret) {
        if (!question->subject ||
            !has_uid(policy->mfa_exempt_uids, policy->n_mfa_exempt_uids, question->subject->uid))
                return false;
        ret->rule = "mfa.exempt";
        ret->kinds_needed = 1;
        ret->accepted = FACTORS_ALL;
        judge(question, no_grace, ret);
        return true;
}

static void judge_service(const Policy *policy, const MfaQuestion *question, MfaDecision *ret) {
        for (size_t i = 0; i < policy->n_mfa_services; i++)
                if (strcmp(policy->mfa_services[i].name, question->service) == 0) {
                        ret->rule = "mfa.services";
                        judge_need(policy, question,
                                   policy->mfa_services[i].required ? LOGIN_REQUIRED : LOGIN_OFF, 0, ret);
                        return;
                }
        ret->rule = "mfa.default";
        judge_need(policy, question, policy->mfa_default, 0, ret);
}

static void judge_login(const Policy *policy, const MfaQuestion *question, MfaDecision *ret) {
        *ret = (MfaDecision){.reason = MFA_INVALID_QUESTION,
                             .kinds_needed = 2,
                             .rule = "invalid-question",
                             .origin = built_in};
        if (!policy || !question->service || !*question->service || (question->proven & ~FACTORS_ALL))
                return;
        /* where nobody is asked for anything (cron, systemd-user), an account for emergencies is not either
         */
        if (mfa_guards_service(policy, question->service) && judge_break_glass(policy, question, ret))
                return;
        for (size_t i = 0; i < policy->n_mfa_rules; i++) {
                const MfaRule *rule = &policy->mfa_rules[i];

                if (!rule_fits(rule, question))
                        continue;
                ret->rule = rule->name;
                ret->origin = rule->origin;
                judge_need(policy, question, rule->login, rule->factors, ret);
                return;
        }
        if (!judge_exempt(policy, question, ret))
                judge_service(policy, question, ret);
}

static bool fits_everybody(const MfaRule *rule) {
        return rule->n_from == 0 && rule->scope.n_users == 0 && rule->scope.n_groups == 0 &&
               !rule->scope.hours.set && rule->scope.expires == 0;
}

bool mfa_guards_service(const Policy *policy, const char *service) {
        for (size_t i = 0; i < policy->n_mfa_rules; i++) {
                const MfaRule *rule = &policy->mfa_rules[i];

                if (!names_service(rule, service))
                        continue;
                if (rule->login != LOGIN_OFF)
                        return true;
                if (fits_everybody(rule))
                        return false;
        }
        for (size_t i = 0; i < policy->n_mfa_services; i++)
                if (strcmp(policy->mfa_services[i].name, service) == 0)
                        return policy->mfa_services[i].required;
        return policy->mfa_default != LOGIN_OFF;
}

bool mfa_asks_guard(const MfaDecision *decision) {
        return decision->kinds_needed > 0 && !decision->break_glass;
}

void decide_mfa(const Policy *policy, const MfaQuestion *question, MfaDecision *ret) {
        judge_login(policy, question, ret);
        if (!policy || !policy_is_locked_down(policy) || !mfa_asks_guard(ret) || ret->verdict == MFA_DENY)
                return;
        ret->verdict = MFA_DENY;
        ret->reason = MFA_LOCKDOWN;
        ret->grace_open = false;
        ret->wanted = 0;
}

static bool presence_suffices(const Policy *policy, Presence presence, time_t now) {
        switch (presence) {
        case PRESENCE_IN_FORCE:
                return true;
        case PRESENCE_NOT_IN_FORCE:
                return !policy->mfa_require_guard || policy_is_monitor(policy, now);
        case PRESENCE_NONE:
                return !policy->mfa_require_guard;
        case PRESENCE_LOCKDOWN:
                return false;
        }
        return false;
}

void decide_guard(const Policy *policy, Presence presence, time_t now, MfaDecision *decision) {
        if (!mfa_asks_guard(decision) || presence_suffices(policy, presence, now))
                return;
        decision->verdict = MFA_DENY;
        decision->reason = presence == PRESENCE_LOCKDOWN ? MFA_LOCKDOWN : MFA_NO_GUARD;
}
