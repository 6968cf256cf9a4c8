/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/explain.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "agent/ctl/command.h"
#include "agent/ctl/conditions.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/status_file.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "policy/build.h"
#include "policy/keyring.h"
#include "policy/load.h"
#include "policy/monitor.h"

int explain_load(const char *path, bool given, Policy **ret) {
        CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
        int r;

        /* without any policy the agent enforces the built-in default; a path that is given has to be there
         */
        if (access(path, R_OK) < 0 && (given || errno != ENOENT)) {
                fail("%s: %s", path, strerror(errno));
                return -ENOENT;
        }
        r = strcmp(path, LAST_GOOD_PATH) == 0 ? policy_load_with_keys(path, KEYRING_DIRECTORY, ret, &faults)
                                              : policy_load(path, ret, &faults);
        if (r == -EBADMSG)
                fail(_("%s: the policy has faults; see sekishoctl policy check"), path);
        else if (r < 0)
                fail("%s: %s", path, strerror(-r));
        return r;
}

static int load(const Options *options, Explain *explain) {
        const char *given = options->value[OPTION_POLICY];
        int r;

        explain->path = given ? given : DEFAULT_POLICY_PATH;
        r = explain_load(explain->path, given, &explain->policy);
        if (r < 0)
                return EXIT_TROUBLE;
        explain->builtin = r == 1;
        explain->policy->lsm_missing = status_file_lacks_lsm(options->value[OPTION_RUNTIME_DIR]);
        policy_set_machine_locked(explain->policy,
                                  status_file_is_locked_down(options->value[OPTION_RUNTIME_DIR]));
        r = policy_resolve(explain->policy, &policy_resolver_nss);
        return r < 0 ? fail(_("users and groups could not be looked up: %s"), strerror(-r)) : 0;
}

int explain_begin(const Options *options, Explain *ret) {
        CLEANUP_EXPLAIN Explain explain = {.json = options->value[OPTION_JSON], .at = timespec_now()};
        const char *at = options->value[OPTION_AT], *why;

        if (at && timespec_parse(at, explain.at, TIMESPEC_START, &explain.at, &why) < 0)
                return fail("--at '%s': %s", at, _(why));
        if (policy_time_from_wall((time_t)(explain.at / USEC_PER_SEC), &explain.time) < 0)
                return fail(_("--at '%s': no calendar holds that time"), at ? at : "now");
        if (load(options, &explain) != 0)
                return EXIT_TROUBLE;
        *ret = explain;
        explain.policy = NULL;
        return 0;
}

void explain_clear(Explain *explain) {
        if (explain->policy)
                policy_unref(explain->policy);
        explain->policy = NULL;
}

/* people */

/* Why, behind the sentence that says what. */
static const char *explain_reason(const Explanation *explanation) {
        if (explanation->why)
                return explanation->why;
        if (explanation->allowed && explanation->reason == REASON_DEFAULT)
                return _("No rule names it, so the default holds.");
        return _(reason_for_person(explanation->reason));
}

static char *sentences(const Explanation *explanation) {
        /* Translators: two sentences, one after the other. */
        return text_format(_("%s %s"), explanation->sentence ? explanation->sentence : "",
                           explain_reason(explanation));
}

void explain_print_sentences(const Explanation *explanation) {
        CLEANUP_FREE char *text = sentences(explanation);

        text_print(text, stdout);
        putchar('\n');
}

const char *explain_origin(const Explanation *explanation) {
        if (!explanation->origin || strcmp(explanation->origin, "built-in") == 0)
                return _("built-in");
        return explanation->origin;
}

static void print_line(const char *label, const char *value) {
        size_t width = text_width(label);

        printf("  %s%*s", label, width < 12 ? (int)(12 - width) : 1, "");
        text_print(value, stdout);
        putchar('\n');
}

static const NetworkRule *network_rule(const Explain *explain, const char *name) {
        for (size_t i = 0; name && i < explain->policy->n_network; i++)
                if (strcmp(explain->policy->network[i].name, name) == 0)
                        return &explain->policy->network[i];
        return NULL;
}

static void print_way(const NetworkRule *rule) {
        if (rule->program)
                print_line(_("Program"), rule->program);
        if (rule->interface)
                print_line(_("Interface"), rule->interface);
}

static void print_rule(const Explain *explain, const Explanation *explanation) {
        const RuleScope *scope = conditions_of_rule(explain->policy, explanation->rule);
        CLEANUP_FREE char *conditions = scope ? conditions_for_person(scope) : NULL;
        CLEANUP_FREE char *rule = NULL;

        if (asprintf(&rule, "%s (%s)", explanation->rule, explain_origin(explanation)) < 0)
                rule = NULL;
        print_line(_("Rule"), rule);
        if (conditions)
                print_line(_("Conditions"), conditions);
        if (network_rule(explain, explanation->rule))
                print_way(network_rule(explain, explanation->rule));
}

static void print_until(const char *mode, time_t until) {
        char buffer[TIMESPEC_TEXT_MAX];
        CLEANUP_FREE char *text =
                until != 0 ? text_format(_("%s (until %s)"), mode,
                                         timespec_for_person((uint64_t)until * USEC_PER_SEC, buffer))
                           : NULL;

        print_line(_("Mode"), text ? text : mode);
}

static void print_policy(const Explain *explain) {
        CLEANUP_FREE char *text = NULL;
        int r = explain->builtin
                        ? asprintf(&text, _("built-in default, since there is none at %s"), explain->path)
                        : asprintf(&text, _("serial %" PRIu64 ", %s"), explain->policy->serial,
                                   explain->path);

        print_line(_("Policy"), r < 0 ? NULL : text);
        if (policy_is_monitor(explain->policy, explain->time.expiry_now))
                print_until(_("monitor: what is refused is only recorded, and goes ahead"),
                            explain->policy->monitor_until);
        if (explain->policy->contact)
                print_line(_("Contact"), explain->policy->contact);
}

void explain_print(const Explain *explain, const Explanation *explanation) {
        char at[TIMESPEC_TEXT_MAX];

        explain_print_sentences(explanation);
        print_rule(explain, explanation);
        if (explanation->monitor)
                print_line(_("Rule only"), _("tried out: what it refuses is only recorded, and goes ahead"));
        print_policy(explain);
        print_line(_("As of"), timespec_for_person(explain->at, at));
}

/* programs */

static struct json_object *policy_json(const Explain *explain) {
        struct json_object *object = json_object_new_object();

        json_put_text(object, "path", explain->path);
        json_put_flag(object, "builtin", explain->builtin);
        json_object_object_add(object, "serial", json_object_new_uint64(explain->policy->serial));
        json_put_text(object, "mode",
                      policy_mode_to_string(policy_is_monitor(explain->policy, explain->time.expiry_now)
                                                    ? MODE_MONITOR
                                                    : MODE_ENFORCE));
        json_put_text(object, "zone", policy_zone_to_string(explain->policy->zone));
        json_put_text(object, "contact", explain->policy->contact);
        return object;
}

struct json_object *explain_json(const Explain *explain, const Explanation *explanation) {
        const RuleScope *scope = conditions_of_rule(explain->policy, explanation->rule);
        struct json_object *object = json_object_new_object();
        CLEANUP_FREE char *sentence = sentences(explanation);
        char at[TIMESPEC_TEXT_MAX];

        json_put_flag(object, "allowed", explanation->allowed);
        json_put_text(object, "sentence", sentence);
        json_put_text(object, "reason",
                      explanation->word ? explanation->word : reason_to_string(explanation->reason));
        json_put_text(object, "rule", explanation->rule);
        json_put_text(object, "origin", explanation->origin);
        json_put_flag(object, "monitor", explanation->monitor);
        json_object_object_add(object, "conditions", scope ? conditions_json(scope) : NULL);
        json_object_object_add(object, "policy", policy_json(explain));
        json_put_text(object, "at", timespec_iso(explain->at, at));
        return object;
}

struct json_object *explain_device_json(const DeviceIdentity *device) {
        struct json_object *object = json_object_new_object();

        json_put_text(object, "name", device->name);
        json_put_text(object, "bus", device_bus_to_string(device->bus));
        json_put_text(object, "vendor", device->vendor);
        json_put_text(object, "product", device->product);
        json_put_text(object, "serial", device->serial);
        json_put_text(object, "vendor_name", device->vendor_name);
        json_put_text(object, "product_name", device->product_name);
        return object;
}
