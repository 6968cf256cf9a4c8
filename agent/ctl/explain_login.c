/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command policy explain login: what a login needs, and whether it has it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/explain.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/people.h"
#include "agent/ctl/text.h"
#include "policy/decide_mfa.h"

static const char *why(MfaReason reason) {
        switch (reason) {
        case MFA_RULE_DENIES:
                return _("Nobody whom that is about logs in there.");
        case MFA_NO_FACTORS:
                return _("Factors are required, and the policy does not name two kinds of them.");
        case MFA_FACTORS_MISSING:
        case MFA_FACTORS_PROVEN:
                return _("Two factors of different kinds are required.");
        case MFA_NOT_REQUIRED:
                return _("The policy requires nothing there.");
        case MFA_EXEMPT:
                return _("One factor is enough for this person.");
        case MFA_GRACE:
                return _("Nothing is enrolled yet, and there is still time for that.");
        case MFA_NO_GUARD:
                return _("The terminal is not guarded now.");
        case MFA_LOCKDOWN:
                return _("Nobody logs in until the lockdown is lifted.");
        case MFA_NO_DECISION:
        case MFA_INVALID_QUESTION:
                break;
        }
        return _("Not enough is known to decide.");
}

/* "password, totp" as a new string. */
static char *factor_list(unsigned factors) {
        char *text = strdup("");

        for (unsigned factor = 0; text && factor <= FACTOR_SUBSTITUTE; factor++)
                if (factors & FACTOR_BIT(factor)) {
                        CLEANUP_FREE char *before = text;

                        text = text_format("%s%s%s", before, *before ? ", " : "",
                                           factor_to_string((Factor)factor));
                }
        return text;
}

static char *make_sentence(const char *user, const MfaQuestion *question, const MfaDecision *decision) {
        CLEANUP_FREE char *accepted = factor_list(decision->accepted),
                          *wanted = factor_list(decision->wanted);

        if (!accepted || !wanted)
                return NULL;
        if (decision->verdict == MFA_DENY)
                return text_format(_("%s may not log in by %s."), user, question->service);
        if (decision->verdict == MFA_ALLOW && decision->kinds_needed == 0)
                return text_format(_("%s may log in by %s without proving a factor to Sekisho."), user,
                                   question->service);
        if (decision->verdict == MFA_ALLOW)
                return text_format(_("%s may log in by %s with what has been proven."), user,
                                   question->service);
        if (question->proven)
                return text_format(_("%s may log in by %s after proving one more, of: %s."), user,
                                   question->service, wanted);
        if (decision->kinds_needed < 2)
                return text_format(_("%s may log in by %s after proving a factor."), user,
                                   question->service);
        return text_format(_("%s may log in by %s after proving two, of: %s."), user, question->service,
                           accepted);
}

static void put_factors(struct json_object *object, const char *key, unsigned factors) {
        struct json_object *list = json_object_new_array();

        for (unsigned factor = 0; factor <= FACTOR_SUBSTITUTE; factor++)
                if (factors & FACTOR_BIT(factor))
                        json_append_text(list, factor_to_string((Factor)factor));
        json_object_object_add(object, key, list);
}

static int print_json(const Explain *explain, const Explanation *explanation, const char *user,
                      const MfaQuestion *question, const MfaDecision *decision) {
        CLEANUP_JSON struct json_object *object = explain_json(explain, explanation);

        json_put_text(object, "verdict", mfa_verdict_to_string(decision->verdict));
        json_put_text(object, "user", user);
        json_put_flag(object, "user_known", question->subject);
        json_put_text(object, "service", question->service);
        json_put_text(object, "from", *question->rhost ? question->rhost : "local");
        json_put_number(object, "kinds_needed", decision->kinds_needed);
        put_factors(object, "accepted", decision->accepted);
        put_factors(object, "proven", question->proven);
        put_factors(object, "wanted", decision->wanted);
        json_put_flag(object, "break_glass", decision->break_glass);
        json_put_flag(object, "grace", decision->grace_open);
        json_put_flag(object, "asks_guard", explain->policy->mfa_require_guard && mfa_asks_guard(decision));
        return json_print(object, "\n");
}

static int parse_factors(const char *option, const char *text, unsigned *ret) {
        unsigned factors = 0;

        for (; text && *text; text += strspn(text, ",")) {
                size_t length = strcspn(text, ",");
                CLEANUP_FREE char *word = strndup(text, length);
                int factor = word ? factor_from_string(word) : -1;

                if (factor < 0)
                        return fail(_("%s '%s': there is no such factor"), option, word ? word : "");
                factors |= FACTOR_BIT(factor);
                text += length;
        }
        *ret = factors;
        return 0;
}

/* Somebody whom the machine does not know is no failure: that is who tries names. */
static int find_person(const char *user, MfaQuestion *question, Subject *subject, gid_t **ret_groups) {
        int r = person_subject(user, subject, ret_groups);

        if (r == 0)
                question->subject = subject;
        return r == 0 || r == -ENOENT ? 0 : fail(_("--user '%s': %s"), user, strerror(-r));
}

int command_explain_login(const Options *options) {
        const char *user = options->value[OPTION_USER], *from = options->value[OPTION_FROM];
        MfaQuestion question = {.service = options->value[OPTION_SERVICE], .rhost = from ? from : ""};
        CLEANUP_EXPLAIN Explain explain = {0};
        CLEANUP_FREE gid_t *groups = NULL;
        CLEANUP_FREE char *sentence = NULL;
        Explanation explanation;
        MfaDecision decision;
        Subject subject;

        if (!user)
                return fail(_("who logs in? give --user NAME"));
        if (!question.service || !*question.service)
                return fail(_("by which service? give --service NAME"));
        if (strcmp(question.rhost, "local") == 0)
                question.rhost = "";
        if (parse_factors("--factors", options->value[OPTION_FACTORS], &question.proven) != 0 ||
            parse_factors("--enrolled", options->value[OPTION_ENROLLED], &question.enrolled) != 0 ||
            find_person(user, &question, &subject, &groups) != 0 || explain_begin(options, &explain) != 0)
                return EXIT_TROUBLE;
        question.now = explain.time;
        decide_mfa(explain.policy, &question, &decision);
        sentence = make_sentence(user, &question, &decision);
        explanation =
                (Explanation){.allowed = decision.verdict == MFA_ALLOW ||
                                         (decision.verdict == MFA_MORE && !options->value[OPTION_FACTORS]),
                              .sentence = sentence,
                              .word = mfa_reason_to_string(decision.reason),
                              .why = why(decision.reason),
                              .rule = decision.rule,
                              .origin = decision.origin};
        if (!explain.json)
                explain_print(&explain, &explanation);
        else if (print_json(&explain, &explanation, user, &question, &decision) < 0)
                return fail(_("out of memory"));
        return explanation.allowed ? EXIT_YES : EXIT_NO;
}
