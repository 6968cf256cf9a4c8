/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/decide_mfa.h"
#include "tests/unit/policy/policy_text.h"

#define PASSWORD    FACTOR_BIT(FACTOR_PASSWORD)
#define TOTP        FACTOR_BIT(FACTOR_TOTP)
#define CARD        FACTOR_BIT(FACTOR_CARD)
#define FINGERPRINT FACTOR_BIT(FACTOR_FINGERPRINT)
#define RECOVERY    FACTOR_BIT(FACTOR_RECOVERY)
#define SUBSTITUTE  FACTOR_BIT(FACTOR_SUBSTITUTE)

static const PolicyTime noon = {.weekday = 1, .minute = 720, .expiry_now = 1800000000};
static const PolicyTime night = {.weekday = 1, .minute = 1400, .expiry_now = 1800000000};

static const char text[] = HEAD "mfa:\n"
                                "  services: {login: required, cron: off}\n"
                                "  factors: [password, card, fingerprint]\n"
                                "  exempt: [uid1009]\n"
                                "  break-glass: [{user: uid1008, factors: [password, recovery]}]\n"
                                "  rules:\n"
                                "    - {name: gone, expires: 2020-01-01, login: off}\n"
                                "    - {name: hoshu, services: [sshd], from: [10.20.0.0/16], users: "
                                "[uid1001], hours: \"08:30-17:15\",\n"
                                "       login: required, factors: [password, totp]}\n"
                                "    - {name: remote, services: [sshd], from: [remote], login: deny}\n"
                                "    - {name: group, services: [su], groups: [gid50], login: off}\n";

typedef struct MfaCase {
        const char *label, *service, *rhost;
        uid_t uid; /* 0: there is no such user */
        gid_t group;
        const PolicyTime *now;
        unsigned proven;
        MfaVerdict verdict;
        MfaReason reason;
        const char *rule;
        unsigned wanted;
} MfaCase;

static void expect_case(const Policy *policy, const MfaCase *c) {
        Subject subject = {.uid = c->uid, .gid = 1000, .groups = &c->group, .n_groups = 1};
        MfaQuestion question = {.service = c->service,
                                .rhost = c->rhost,
                                .subject = c->uid ? &subject : NULL,
                                .now = c->now ? *c->now : noon,
                                .proven = c->proven};
        MfaDecision decision;

        memset(&decision, 0xff, sizeof(decision)); /* whatever was there before */
        decide_mfa(policy, &question, &decision);
        cr_expect_str_eq(mfa_verdict_to_string(decision.verdict), mfa_verdict_to_string(c->verdict), "%s",
                         c->label);
        cr_expect_str_eq(mfa_reason_to_string(decision.reason), mfa_reason_to_string(c->reason), "%s: %s",
                         c->label, mfa_reason_to_string(decision.reason));
        cr_expect_str_eq(decision.rule, c->rule, "%s: %s", c->label, decision.rule);
        cr_expect_not_null(decision.origin);
        cr_expect_eq(decision.wanted, c->wanted, "%s: %#x", c->label, decision.wanted);
}

Test(decide_mfa, takes_the_first_that_fits) {
        CLEANUP_POLICY Policy *policy = policy_of(text);
        const unsigned possession = CARD | RECOVERY | SUBSTITUTE;
        const MfaCase cases[] = {
                {"nothing proven", "login", NULL, 1001, 0, NULL, 0, MFA_MORE, MFA_FACTORS_MISSING,
                 "mfa.services", PASSWORD | FINGERPRINT | possession},
                {"one kind", "login", NULL, 1001, 0, NULL, PASSWORD, MFA_MORE, MFA_FACTORS_MISSING,
                 "mfa.services", FINGERPRINT | possession},
                {"two of one kind", "login", NULL, 1001, 0, NULL, CARD | RECOVERY, MFA_MORE,
                 MFA_FACTORS_MISSING, "mfa.services", PASSWORD | FINGERPRINT},
                {"two kinds", "login", NULL, 1001, 0, NULL, PASSWORD | CARD, MFA_ALLOW, MFA_FACTORS_PROVEN,
                 "mfa.services", 0},
                {"without knowledge", "login", NULL, 1001, 0, NULL, FINGERPRINT | CARD, MFA_ALLOW,
                 MFA_FACTORS_PROVEN, "mfa.services", 0},
                {"a stand-in", "login", NULL, 1001, 0, NULL, PASSWORD | SUBSTITUTE, MFA_ALLOW,
                 MFA_FACTORS_PROVEN, "mfa.services", 0},
                {"what is not accepted", "login", NULL, 1001, 0, NULL, PASSWORD | TOTP, MFA_MORE,
                 MFA_FACTORS_MISSING, "mfa.services", FINGERPRINT | possession},
                {"nobody's account", "login", NULL, 0, 0, NULL, PASSWORD, MFA_MORE, MFA_FACTORS_MISSING,
                 "mfa.services", FINGERPRINT | possession},
                {"off", "cron", NULL, 1001, 0, NULL, 0, MFA_ALLOW, MFA_NOT_REQUIRED, "mfa.services", 0},
                {"not named", "gdm-password", NULL, 1001, 0, NULL, PASSWORD, MFA_MORE, MFA_FACTORS_MISSING,
                 "mfa.default", FINGERPRINT | possession},
                {"exempt, unproven", "login", NULL, 1009, 0, NULL, 0, MFA_MORE, MFA_FACTORS_MISSING,
                 "mfa.exempt", FACTORS_ALL},
                {"exempt", "login", NULL, 1009, 0, NULL, PASSWORD, MFA_ALLOW, MFA_EXEMPT, "mfa.exempt", 0},
                {"break-glass by its own factor", "sshd", "192.0.2.1", 1008, 0, NULL, PASSWORD | RECOVERY,
                 MFA_ALLOW, MFA_FACTORS_PROVEN, "mfa.break-glass", 0},
                {"break-glass by another", "login", NULL, 1008, 0, NULL, PASSWORD | CARD, MFA_MORE,
                 MFA_FACTORS_MISSING, "mfa.break-glass", RECOVERY},
                {"break-glass where nobody needs anything", "cron", NULL, 1008, 0, NULL, 0, MFA_ALLOW,
                 MFA_NOT_REQUIRED, "mfa.services", 0},
                {"rule by place, person and hours", "sshd", "10.20.3.4", 1001, 0, NULL, PASSWORD | TOTP,
                 MFA_ALLOW, MFA_FACTORS_PROVEN, "hoshu", 0},
                {"mapped address", "sshd", "::ffff:10.20.3.4", 1001, 0, NULL, PASSWORD, MFA_MORE,
                 MFA_FACTORS_MISSING, "hoshu", TOTP | RECOVERY | SUBSTITUTE},
                {"other place", "sshd", "10.21.3.4", 1001, 0, NULL, PASSWORD | TOTP, MFA_DENY,
                 MFA_RULE_DENIES, "remote", 0},
                {"other hours", "sshd", "10.20.3.4", 1001, 0, &night, PASSWORD | TOTP, MFA_DENY,
                 MFA_RULE_DENIES, "remote", 0},
                {"other person", "sshd", "10.20.3.4", 1002, 0, NULL, PASSWORD | CARD, MFA_DENY,
                 MFA_RULE_DENIES, "remote", 0},
                {"from here", "sshd", "", 1002, 0, NULL, PASSWORD | CARD, MFA_ALLOW, MFA_FACTORS_PROVEN,
                 "mfa.default", 0},
                {"group", "su", NULL, 1002, 50, NULL, 0, MFA_ALLOW, MFA_NOT_REQUIRED, "group", 0},
                {"no group", "su", NULL, 1002, 51, NULL, PASSWORD, MFA_MORE, MFA_FACTORS_MISSING,
                 "mfa.default", FINGERPRINT | possession},
                {"no service", "", NULL, 1001, 0, NULL, FACTORS_ALL, MFA_DENY, MFA_INVALID_QUESTION,
                 "invalid-question", 0},
                {"no such factor", "login", NULL, 1001, 0, NULL, ~0U, MFA_DENY, MFA_INVALID_QUESTION,
                 "invalid-question", 0},
        };

        policy_number_users(policy);
        for (size_t i = 0; i < ELEMENTS(cases); i++)
                expect_case(policy, &cases[i]);
}

Test(decide_mfa, denies_where_a_policy_says_nothing_and_is_off_where_there_is_none) {
        CLEANUP_POLICY Policy *silent = policy_of(HEAD), *built_in = NULL;
        MfaQuestion question = {.service = "login", .now = noon, .proven = FACTORS_ALL};
        MfaDecision decision;

        decide_mfa(silent, &question, &decision);
        cr_expect_eq(decision.verdict, MFA_DENY);
        cr_expect_eq(decision.reason, MFA_NO_FACTORS);
        decide_mfa(NULL, &question, &decision);
        cr_expect_eq(decision.verdict, MFA_DENY);
        cr_assert_eq(policy_default(&built_in), 0);
        decide_mfa(built_in, &question, &decision);
        cr_expect_eq(decision.verdict, MFA_ALLOW);
        cr_expect_eq(decision.reason, MFA_NOT_REQUIRED);
}

Test(decide_mfa, lets_enrolment_wait_for_a_while) {
        static const struct {
                const char *grace;
                unsigned enrolled, proven;
                time_t first_seen;
                MfaVerdict verdict;
        } cases[] = {
                {"{}", 0, PASSWORD, 0, MFA_MORE},
                {"{until: 2099-01-01}", 0, PASSWORD, 0, MFA_ALLOW},
                {"{until: 2099-01-01}", 0, 0, 0, MFA_MORE},
                {"{until: 2099-01-01}", TOTP, PASSWORD, 0, MFA_MORE},
                {"{until: 2099-01-01}", RECOVERY, PASSWORD, 0, MFA_MORE},
                {"{until: 2099-01-01}", CARD, PASSWORD, 0, MFA_ALLOW}, /* a card does not count here */
                {"{until: 2020-01-01}", 0, PASSWORD, 0, MFA_MORE},
                {"{days: 2}", 0, PASSWORD, 0, MFA_ALLOW},
                {"{days: 2}", 0, PASSWORD, 1800000000 - 2 * 86400 + 1, MFA_ALLOW},
                {"{days: 2}", 0, PASSWORD, 1800000000 - 2 * 86400, MFA_MORE},
                {"{days: 2}", 0, PASSWORD, 1800000001, MFA_MORE}, /* the clock was set back */
                {"{until: 2099-01-01, days: 2}", 0, PASSWORD, 1800000000 - 3 * 86400, MFA_MORE},
                {"{until: 2020-01-01, days: 2}", 0, PASSWORD, 0, MFA_MORE},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_FREE char *with_grace = NULL;
                MfaQuestion question = {.service = "login",
                                        .now = noon,
                                        .proven = cases[i].proven,
                                        .enrolled = cases[i].enrolled,
                                        .first_seen = cases[i].first_seen};
                MfaDecision decision;
                Policy *policy;

                cr_assert_gt(asprintf(&with_grace, HEAD "mfa: {factors: [password, totp], grace: %s}\n",
                                      cases[i].grace),
                             0);
                policy = policy_of(with_grace);
                decide_mfa(policy, &question, &decision);
                cr_expect_eq(decision.verdict, cases[i].verdict, "case %zu", i);
                policy_unref(policy);
        }
}

Test(decide_mfa, says_when_enrolment_has_waited_long_enough) {
        static const struct {
                const char *grace;
                time_t first_seen, last_seen, end;
                bool open, over;
        } cases[] = {
                {"{}", 0, 0, 0, false, false},
                {"{days: 2}", 0, 0, 1800000000 + 2 * 86400, true, false},
                {"{days: 2}", 1800000000 - 60, 1800000000 - 60, 1800000000 - 60 + 2 * 86400, true, false},
                {"{days: 2}", 1800000000 - 2 * 86400, 1800000000 - 60, 1800000000, false, true},
                {"{days: 2, until: 2099-01-01}", 0, 0, 1800000000 + 2 * 86400, true, false},
                /* a clock that was put right, and one that was set back */
                {"{days: 2}", 1800000000 - 60, 1800000000 + 3600, 1800000000 - 60 + 2 * 86400, true, false},
                {"{days: 2}", 1800000000 - 60, 1800000000 + 3601, 1800000000 - 60 + 2 * 86400, false, true},
                {"{days: 2, until: 2099-01-01}", 1800000000 - 60, 1800000000 + 86400,
                 1800000000 - 60 + 2 * 86400, false, true},
        };
        static const unsigned enrolled[] = {0, TOTP};

        for (size_t i = 0; i < ELEMENTS(cases) * ELEMENTS(enrolled); i++) {
                CLEANUP_FREE char *with_grace = NULL;
                unsigned has = enrolled[i % ELEMENTS(enrolled)];
                const typeof(cases[0]) *c = &cases[i / ELEMENTS(enrolled)];
                MfaQuestion question = {.service = "login",
                                        .now = noon,
                                        .proven = PASSWORD,
                                        .enrolled = has,
                                        .first_seen = c->first_seen,
                                        .last_seen = c->last_seen};
                MfaDecision decision;
                Policy *policy;

                cr_assert_gt(asprintf(&with_grace, HEAD "mfa: {factors: [password, totp], grace: %s}\n",
                                      c->grace),
                             0);
                policy = policy_of(with_grace);
                decide_mfa(policy, &question, &decision);
                cr_expect_eq(decision.grace_end, has ? 0 : c->end, "case %zu", i);
                cr_expect_eq(decision.grace_open, !has && c->open, "case %zu", i);
                cr_expect_eq(decision.grace_over, !has && c->over, "case %zu", i);
                policy_unref(policy);
        }
}

Test(decide_mfa, knows_places) {
        static const struct {
                const char *place, *rhost;
                bool covers;
        } cases[] = {
                {"local", NULL, true},
                {"local", "", true},
                {"local", "10.0.0.1", false},
                {"remote", "10.0.0.1", true},
                {"remote", "", false},
                {"10.0.0.0/8", "10.255.0.1", true},
                {"10.0.0.0/8", "11.0.0.1", false},
                {"0.0.0.0/0", "11.0.0.1", true},
                {"0.0.0.0/0", "fd00::1", false},
                {"0.0.0.0/0", "", false},
                {"10.0.0.1", "10.0.0.1", true},
                {"10.0.0.1", "10.0.0.1.evil.example", false},
                {"fe80::/10", "fe80::1%eth0", true},
                {"fd00::1", "FD00::0001", true},
                {"host.example.jp", "HOST.example.jp", true},
                {"host.example.jp", "host.example.jp.evil", false},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++)
                cr_expect_eq(mfa_place_covers(cases[i].place, cases[i].rhost), cases[i].covers, "%s %s",
                             cases[i].place, cases[i].rhost);
}

Test(factor, kinds_are_counted_once) {
        cr_expect_eq(factor_kinds_count(0), 0);
        cr_expect_eq(factor_kinds_count(TOTP | CARD | RECOVERY | SUBSTITUTE), 1);
        cr_expect_eq(factor_kinds_count(FACTORS_ALL), 3);
        cr_expect_eq(factor_kinds_count(FACTOR_BIT(FACTOR_PASSWORD) | FACTOR_BIT(FACTOR_CARD_PIN)), 1);
        cr_expect_eq(factor_kinds_count(CARD | FACTOR_BIT(FACTOR_CARD_PIN)), 2);
        cr_expect_eq(factor_kind((Factor)99), KIND_NONE);
}

Test(decide_mfa, lets_nobody_but_emergencies_in_without_a_guard) {
        static const char require[] = "  require-guard: true\n", leave[] = "  require-guard: false\n";
        static const struct {
                const char *head, *guard, *service;
                uid_t uid;
                Presence presence;
                MfaReason reason; /* MFA_NO_DECISION: let in */
        } cases[] = {
                {"", require, "login", 1001, PRESENCE_IN_FORCE, MFA_NO_DECISION},
                {"", require, "login", 1001, PRESENCE_NONE, MFA_NO_GUARD},
                {"", require, "login", 1001, PRESENCE_NOT_IN_FORCE, MFA_NO_GUARD},
                {"", require, "login", 1001, (Presence)77, MFA_NO_GUARD},
                {"", require, "login", 1001, PRESENCE_LOCKDOWN, MFA_LOCKDOWN},
                {"", require, "login", 1009, PRESENCE_NONE, MFA_NO_GUARD},
                {"", require, "login", 1008, PRESENCE_NONE, MFA_NO_DECISION},
                {"", require, "login", 1008, PRESENCE_LOCKDOWN, MFA_NO_DECISION},
                {"", require, "cron", 1001, PRESENCE_LOCKDOWN, MFA_NO_DECISION},
                {"", leave, "login", 1001, PRESENCE_NONE, MFA_NO_DECISION},
                {"", leave, "login", 1001, PRESENCE_LOCKDOWN, MFA_LOCKDOWN},
                {"", leave, "login", 1001, (Presence)77, MFA_NO_GUARD},
                {"mode: monitor\n", require, "login", 1001, PRESENCE_NOT_IN_FORCE, MFA_NO_DECISION},
                {"mode: monitor\n", require, "login", 1001, PRESENCE_NONE, MFA_NO_GUARD},
                {"", "", "login", 1001, PRESENCE_NONE, MFA_NO_GUARD},
                {"zone: mynumber\n", "", "login", 1001, PRESENCE_NONE, MFA_NO_GUARD},
                {"zone: lgwan\n", "", "login", 1001, PRESENCE_NONE, MFA_NO_DECISION},
                {"zone: lgwan\n", require, "login", 1001, PRESENCE_NONE, MFA_NO_GUARD},
        };

        for (size_t i = 0; i < ELEMENTS(cases); i++) {
                CLEANUP_FREE char *whole = NULL;
                Subject subject = {.uid = cases[i].uid};
                MfaQuestion question = {.service = cases[i].service,
                                        .subject = &subject,
                                        .now = noon,
                                        .proven = PASSWORD | CARD | RECOVERY};
                MfaDecision decision;

                cr_assert_gt(
                        asprintf(&whole, HEAD "%s%s%s", cases[i].head, text + strlen(HEAD), cases[i].guard),
                        0);
                CLEANUP_POLICY Policy *policy = policy_of(whole);

                policy_number_users(policy);
                decide_mfa(policy, &question, &decision);
                cr_assert_eq(decision.verdict, MFA_ALLOW, "%zu", i);
                decide_guard(policy, cases[i].presence, question.now.expiry_now, &decision);
                cr_expect_eq(decision.verdict, cases[i].reason == MFA_NO_DECISION ? MFA_ALLOW : MFA_DENY,
                             "%zu", i);
                if (cases[i].reason != MFA_NO_DECISION)
                        cr_expect_str_eq(mfa_reason_to_string(decision.reason),
                                         mfa_reason_to_string(cases[i].reason), "%zu", i);
        }
}

Test(decide_mfa, guards_what_is_not_off_for_everybody) {
        CLEANUP_POLICY Policy *policy =
                policy_of(HEAD "mfa:\n"
                               "  services: {login: required, cron: off, atd: off, sudo: off}\n"
                               "  factors: [password, card]\n"
                               "  rules:\n"
                               "    - {name: some, services: [gdm], users: [uid1001], login: off}\n"
                               "    - {name: night, services: [xdm], hours: \"20:00-06:00\", login: off}\n"
                               "    - {name: here, services: [kdm], from: [local], login: off}\n"
                               "    - {name: late, services: [sdm], expires: 2099-01-01, login: off}\n"
                               "    - {name: nobody, services: [sudo], groups: [gid50], login: deny}\n"
                               "    - {name: all, services: [ppp], login: off}\n"
                               "    - {name: too late, services: [ppp], login: required}\n");
        static const struct {
                const char *service;
                bool guarded;
        } cases[] = {{"login", true}, {"cron", false}, {"atd", false}, {"not-named", true}, {"gdm", true},
                     {"xdm", true},   {"kdm", true},   {"sdm", true},  {"sudo", true},      {"ppp", false}};

        for (size_t i = 0; i < ELEMENTS(cases); i++)
                cr_expect_eq(mfa_guards_service(policy, cases[i].service), cases[i].guarded, "%s",
                             cases[i].service);
}
