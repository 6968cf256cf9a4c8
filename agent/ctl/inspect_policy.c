/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the policy allows, judged: the register of media, exceptions, logins, and who can read it. */
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/inspect.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "agent/ctl/words.h"
#include "policy/monitor.h"

enum {
        NAMES_MAX = 10, /* that are written out */
        REVIEW_DAYS = 365
};
#define DAY_USEC (UINT64_C(86400) * USEC_PER_SEC)

/* Names, as many as people read. */
typedef struct Names {
        char *text;
        size_t size, n;
        FILE *to;
} Names;

static void names_open(Names *names) {
        *names = (Names){0};
        names->to = open_memstream(&names->text, &names->size);
}

static void names_add(Names *names, const char *name) {
        if (names->to && names->n < NAMES_MAX)
                fprintf(names->to, "%s%s", names->n > 0 ? ", " : "", name);
        else if (names->to && names->n == NAMES_MAX)
                fputs(" ...", names->to);
        names->n++;
}

/* A finding that lists them, or that there are none of TOTAL. */
static void names_judge(Names *names, const char *id, const char *clause, const char *what, size_t total,
                        Inspection *ret) {
        bool ok = names->to && fclose(names->to) == 0;

        if (!ok)
                ret->incomplete = true;
        else if (names->n > 0)
                inspect_add(ret, id, clause, what, INSPECT_FINDING, _("%zu of %zu: %s"), names->n, total,
                            names->text);
        else
                inspect_add(ret, id, clause, what, INSPECT_OK, _("all of %zu"), total);
        free(names->text);
}

static int add_monitored(void *userdata, const Monitored *monitored) {
        char buffer[TIMESPEC_TEXT_MAX];
        CLEANUP_FREE char *text = NULL;
        int r = monitored->until != 0
                        ? asprintf(&text, _("%s (until %s)"), monitored->name,
                                   timespec_for_person((uint64_t)monitored->until * USEC_PER_SEC, buffer))
                        : asprintf(&text, _("%s (without an end)"), monitored->name);

        names_add(userdata, r < 0 ? monitored->name : text);
        return 0;
}

/* What is tried out refuses nothing, whatever it says. */
static void check_monitored(const Policy *policy, uint64_t now, Inspection *ret) {
        size_t total =
                3 + policy->n_devices + policy->n_filesystems + policy->n_usb_rules + policy->n_network;
        Names names;

        names_open(&names);
        (void)policy_foreach_monitored(policy, (time_t)(now / USEC_PER_SEC), add_monitored, &names);
        names_judge(&names, "monitor", "6(7)",
                    _("What the policy refuses is refused, and not only recorded"), total, ret);
}

static bool carries_between_zones(const Policy *policy) {
        return policy->zone == ZONE_MYNUMBER || policy->zone == ZONE_LGWAN;
}

/* What is closed unless a rule names it. In the zone of the internet that is the site's own choice. */
static void check_default(const Policy *policy, const char *id, const char *what, Access access,
                          const char *origin, Inspection *ret) {
        inspect_add(ret, id, "6(3)①", what,
                    access == ACCESS_WRITE && carries_between_zones(policy) ? INSPECT_FINDING : INSPECT_OK,
                    _("default %s (%s)"), word_access(access_to_string(access)), origin ? origin : "?");
}

static void check_usb(const Policy *policy, Inspection *ret) {
        static const uint8_t classes[] = {USB_CLASS_COMMUNICATIONS_, USB_CLASS_CDC_DATA_,
                                          USB_CLASS_STILL_IMAGE_, USB_CLASS_WIRELESS_};
        Names names;

        names_open(&names);
        for (size_t i = 0; i < ELEMENTS(classes); i++)
                if (policy->usb_class_allow[classes[i]] && carries_between_zones(policy))
                        names_add(&names, usb_class_to_string(classes[i]));
        names_judge(&names, "usb", "6(3)①",
                    _("Phones, cameras and network adapters are kept out of the USB ports"),
                    ELEMENTS(classes), ret);
}

/* rules for media */

static bool is_write(const DeviceRule *rule) {
        return rule->access == ACCESS_WRITE;
}

static bool is_over(const RuleScope *scope, uint64_t now) {
        return scope->expires != 0 && (uint64_t)scope->expires * USEC_PER_SEC <= now;
}

typedef enum MediaLack {
        LACKS_HOLDER,
        LACKS_SERIAL,
        LACKS_END,
        LACKS_PERSONS
} MediaLack;

static bool lacks(const DeviceRule *rule, MediaLack what) {
        switch (what) {
        case LACKS_HOLDER:
                return !rule->holder;
        case LACKS_SERIAL:
                return !rule->match.serial;
        case LACKS_END:
                return rule->scope.expires == 0;
        case LACKS_PERSONS:
                return rule->scope.n_users == 0 && rule->scope.n_groups == 0;
        }
        return true;
}

static void check_media(const Policy *policy, uint64_t now, MediaLack lack, const char *id,
                        const char *clause, const char *what, Inspection *ret) {
        size_t total = 0;
        Names names;

        names_open(&names);
        for (size_t i = 0; i < policy->n_devices; i++) {
                const DeviceRule *rule = &policy->devices[i];

                if (!is_write(rule) || is_over(&rule->scope, now))
                        continue;
                total++;
                if (lacks(rule, lack))
                        names_add(&names, rule->name);
        }
        names_judge(&names, id, clause, what, total, ret);
}

/* They approve nothing any more, and nobody has taken them out. */
static void check_expired(const Policy *policy, uint64_t now, Inspection *ret) {
        Names names;

        names_open(&names);
        for (size_t i = 0; i < policy->n_devices; i++)
                if (is_over(&policy->devices[i].scope, now))
                        names_add(&names, policy->devices[i].name);
        for (size_t i = 0; i < policy->n_filesystems; i++)
                if (is_over(&policy->filesystems[i].scope, now))
                        names_add(&names, policy->filesystems[i].name);
        for (size_t i = 0; i < policy->n_usb_rules; i++)
                if (policy->usb_rules[i].expires != 0 &&
                    (uint64_t)policy->usb_rules[i].expires * USEC_PER_SEC <= now)
                        names_add(&names, policy->usb_rules[i].name);
        names_judge(&names, "expired", "6(4)", _("No approval has run out without having been taken back"),
                    policy->n_devices + policy->n_filesystems + policy->n_usb_rules, ret);
}

static void check_register(const Policy *policy, uint64_t now, Inspection *ret) {
        check_media(policy, now, LACKS_HOLDER, "holder", "6(4)", _("Every approved medium has a holder"),
                    ret);
        check_media(policy, now, LACKS_SERIAL, "serial", "6(4)",
                    _("Every approved medium is told from others by its serial number"), ret);
        check_media(policy, now, LACKS_PERSONS, "persons", "6(3)①",
                    _("Every approval to write says for whom"), ret);
        check_media(policy, now, LACKS_END, "end", "6(8)", _("Every approval to write has an end"), ret);
        check_expired(policy, now, ret);
}

/* logins */

static void check_factors(const Policy *policy, Inspection *ret) {
        unsigned factors = 0;
        Names off;

        for (size_t i = 0; i < policy->n_mfa_factors; i++)
                factors |= FACTOR_BIT(policy->mfa_factors[i]);
        inspect_add(ret, "mfa", "6(3)①", _("Logins ask for two factors of different kinds"),
                    factor_kinds_count(factors) >= 2 && policy->mfa_default != LOGIN_OFF ? INSPECT_OK
                                                                                         : INSPECT_FINDING,
                    _("factors of %u kinds; services that are not named: %s"), factor_kinds_count(factors),
                    login_need_to_string(policy->mfa_default));
        names_open(&off);
        for (size_t i = 0; i < policy->n_mfa_services; i++)
                if (!policy->mfa_services[i].required)
                        names_add(&off, policy->mfa_services[i].name);
        for (size_t i = 0; i < policy->n_mfa_rules; i++)
                if (policy->mfa_rules[i].login == LOGIN_OFF)
                        names_add(&off, policy->mfa_rules[i].name);
        names_judge(&off, "mfa-off", "6(3)①", _("No service and no rule does without the second factor"),
                    policy->n_mfa_services + policy->n_mfa_rules, ret);
}

static bool grace_is_open(const Policy *policy, uint64_t now) {
        if (policy->mfa_grace_until != 0)
                return (uint64_t)policy->mfa_grace_until * USEC_PER_SEC > now;
        return policy->mfa_grace_days != 0;
}

static void check_exceptions(const Policy *policy, uint64_t now, Inspection *ret) {
        Names exempt;

        names_open(&exempt);
        for (size_t i = 0; i < policy->n_mfa_exempt; i++)
                names_add(&exempt, policy->mfa_exempt[i]);
        names_judge(&exempt, "mfa-exempt", "6(3)①", _("Nobody is exempt from the second factor"),
                    policy->n_mfa_exempt, ret);
        inspect_add(ret, "mfa-grace", "6(3)①", _("Nobody logs in before having been enrolled"),
                    grace_is_open(policy, now) ? INSPECT_FINDING : INSPECT_OK, "%s",
                    grace_is_open(policy, now) ? _("a time of grace is running")
                                               : _("no time of grace is running"));
        inspect_add(ret, "require-guard", "6(3)①", _("Nobody logs in while no guard is in force"),
                    policy->mfa_require_guard || !carries_between_zones(policy) ? INSPECT_OK
                                                                                : INSPECT_FINDING,
                    "mfa.require-guard: %s", policy->mfa_require_guard ? "true" : "false");
        inspect_add(ret, "break-glass", "6(7)", _("There is an account for emergencies"),
                    policy->n_mfa_break_glass > 0 ? INSPECT_OK : INSPECT_FINDING, _("%zu accounts"),
                    policy->n_mfa_break_glass);
}

/* files */

static void check_age(const InspectFacts *facts, Inspection *ret) {
        const char *what = _("The policy has been reviewed within a year");
        char buffer[TIMESPEC_TEXT_MAX];

        if (facts->builtin || facts->policy_changed == 0)
                inspect_add(ret, "age", "8", what, INSPECT_UNKNOWN, "%s", _("it has no files"));
        else
                inspect_add(ret, "age", "8", what,
                            facts->now < facts->policy_changed + REVIEW_DAYS * DAY_USEC ? INSPECT_OK
                                                                                        : INSPECT_FINDING,
                            _("changed last at %s"), timespec_for_person(facts->policy_changed, buffer));
}

static void check_exposed(const InspectFacts *facts, Inspection *ret) {
        const char *what = _("Policy, register and enrolments can be read by root alone");
        size_t n = facts->exposed ? json_object_array_length(facts->exposed) : 0;
        Names names;

        if (!facts->exposed) {
                inspect_add(ret, "files", "9, 10", what, INSPECT_UNKNOWN, "%s",
                            _("they cannot be looked at"));
                return;
        }
        if (n == 0) {
                inspect_add(ret, "files", "9, 10", what, INSPECT_OK, "%s",
                            _("owners and modes of files and directories"));
                return;
        }
        names_open(&names);
        for (size_t i = 0; i < n; i++)
                names_add(&names, json_object_get_string(json_object_array_get_idx(facts->exposed, i)));
        names_judge(&names, "files", "9, 10", what, n, ret);
}

static void check_pam(const InspectFacts *facts, Inspection *ret) {
        const char *what = _("Every login passes pam_sekisho, which is proven from the PAM configuration");
        size_t n = facts->pam_findings ? json_object_array_length(facts->pam_findings) : 0;
        const char *first =
                n > 0 ? json_text(json_object_array_get_idx(facts->pam_findings, 0), "message") : NULL;

        if (facts->pam < 0)
                inspect_add(ret, "pam", "6(3)①", what, INSPECT_UNKNOWN, "%s", _("see sekishoctl pam check"));
        else if (facts->pam > 0)
                inspect_add(ret, "pam", "6(3)①", what, INSPECT_OK, "%s", _("see sekishoctl pam check"));
        else
                inspect_add(ret, "pam", "6(3)①", what, INSPECT_FINDING,
                            _("%zu findings, see sekishoctl pam check: %s"), n, first ? first : "?");
}

void inspect_policy(const InspectFacts *facts, Inspection *ret) {
        const Policy *policy = facts->policy;

        inspect_add(ret, "policy-files", "6(3)①", _("The policy can be read and has no faults"),
                    policy && !facts->builtin ? INSPECT_OK : INSPECT_FINDING, "%s",
                    !policy          ? facts->policy_error ? facts->policy_error : "?"
                    : facts->builtin ? _("there is none: the built-in default is in force")
                                     : word_zone(policy_zone_to_string(policy->zone)));
        check_age(facts, ret);
        check_exposed(facts, ret);
        check_pam(facts, ret);
        if (!policy)
                return;
        check_default(policy, "removable", _("Media are not written to unless a rule names them"),
                      policy->removable_default, policy->removable_origin, ret);
        check_default(policy, "shares",
                      _("Network and user-space file systems are not written to unless a rule names them"),
                      policy->filesystems_default, policy->filesystems_origin, ret);
        check_usb(policy, ret);
        check_monitored(policy, facts->now, ret);
        check_register(policy, facts->now, ret);
        check_factors(policy, ret);
        check_exceptions(policy, facts->now, ret);
        inspect_add(ret, "contact", "6(5)", _("Who is blocked is told whom to ask"),
                    policy->contact ? INSPECT_OK : INSPECT_FINDING, "%s",
                    policy->contact ? policy->contact : _("the policy names no contact"));
}
