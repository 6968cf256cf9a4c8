/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The records of logins. */
#include <inttypes.h>
#include <security/pam_ext.h>
#include <string.h>
#include <syslog.h>

#include "pam_module/login.h"
#include "pam_module/record.h"

/* Whoever mistakes the prompts types a password for a name: only names of accounts are written. */
static const char *name_of(const Login *login) {
        return login->account.known ? login->account.name : "(unknown)";
}

static void add_message(LoginRecord *record, const Login *login, EventKind kind, const char *how) {
        char factors[FACTORS_TEXT_SIZE];
        const char *service = login->service ? login->service : "?";

        if (kind == EVENT_LOGIN_ALLOWED)
                record_add(record, "MESSAGE", "Login of %s by %s allowed with %s (%s)", name_of(login),
                           service, *factors_text(login->proven, factors) ? factors : "no factor",
                           mfa_reason_to_string(login->decision.reason));
        else if (kind == EVENT_BREAK_GLASS_USED)
                record_add(record, "MESSAGE", "The account for emergencies %s was used by %s, with %s",
                           name_of(login), service, factors_text(login->proven, factors));
        else if (kind == EVENT_FACTOR_FAILED)
                record_add(record, "MESSAGE", "%s failed to prove a factor for %s: %s", name_of(login),
                           service, how);
        else
                record_add(record, "MESSAGE", "Login of %s by %s denied: %s", name_of(login), service,
                           login->why ? login->why : mfa_reason_to_string(login->decision.reason));
}

static void add_login(LoginRecord *record, const Login *login) {
        char factors[FACTORS_TEXT_SIZE];

        record_add_text(record, FIELD_USER, name_of(login));
        record_add_text(record, FIELD_PERSON, login->person[0] ? login->person : NULL);
        record_add_text(record, FIELD_SERVICE, login->service);
        record_add_text(record, FIELD_REMOTE_HOST, login->rhost);
        record_add_text(record, FIELD_TERMINAL, login->terminal);
        record_add_text(record, FIELD_FACTORS, factors_text(login->proven, factors));
        record_add_text(record, FIELD_RULE, login->decision.rule);
        record_add_text(record, FIELD_RULE_ORIGIN, login->decision.origin);
        record_add_text(record, FIELD_REASON, mfa_reason_to_string(login->decision.reason));
        record_add_text(record, FIELD_ERROR, login->why);
        if (login->source == SOURCE_LAST_GOOD)
                record_add(record, FIELD_CAUSE, "last-good-policy");
        if (login->account.known)
                record_add(record, FIELD_UID, "%" PRIu32, (uint32_t)login->account.subject.uid);
        if (login->policy)
                record_add(record, FIELD_POLICY_SERIAL, "%" PRIu64, login->policy->serial);
}

void login_record(const Login *login, EventKind kind, int factor, const char *how) {
        LoginRecord record = {.length = 0};

        record_begin(&record, kind, "pam_sekisho");
        add_message(&record, login, kind, how);
        record_add(&record, FIELD_VERDICT, "%s",
                   kind == EVENT_LOGIN_ALLOWED || kind == EVENT_BREAK_GLASS_USED ? "allow" : "deny");
        add_login(&record, login);
        if (factor >= 0)
                record_add_text(&record, FIELD_FACTOR, factor_to_string((Factor)factor));
        record_add_text(&record, FIELD_RESULT, how);
        if (record_send(&record, login->options.store) < 0)
                pam_syslog(login->pamh, event_priority(kind), "%s of %s: %s", event_to_string(kind),
                           name_of(login),
                           login->why ? login->why : mfa_reason_to_string(login->decision.reason));
}

void login_record_faults(const Login *login) {
        LoginRecord record = {.length = 0};
        const PolicyFault *fault = login->faults.n > 0 ? login->faults.items : NULL;

        record_begin(&record, EVENT_POLICY_REFUSED, "pam_sekisho");
        if (login->policy)
                record_add(&record, "MESSAGE",
                           "The policy at %s was refused; the login of %s by %s goes by the last good one, "
                           "serial %" PRIu64,
                           login->options.policy, name_of(login), login->service, login->policy->serial);
        else
                record_add(&record, "MESSAGE",
                           "The policy at %s was refused, and there is no last good one: nobody can log in",
                           login->options.policy);
        record_add_text(&record, FIELD_PATH, login->options.policy);
        record_add_text(&record, FIELD_SERVICE, login->service);
        record_add_text(&record, FIELD_USER, name_of(login));
        if (fault)
                record_add(&record, FIELD_ERROR, "%s:%zu:%zu: %s", fault->file, fault->line, fault->column,
                           fault->message);
        if (login->policy)
                record_add(&record, FIELD_POLICY_SERIAL, "%" PRIu64, login->policy->serial);
        if (record_send(&record, login->options.store) < 0)
                pam_syslog(login->pamh, event_priority(EVENT_POLICY_REFUSED), "%s: %s",
                           event_to_string(EVENT_POLICY_REFUSED), login->options.policy);
}
