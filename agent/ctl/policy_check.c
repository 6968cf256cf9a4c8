/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command policy check: every fault of policy files, and what in good ones may surprise. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/ctl/check_network.h"
#include "agent/ctl/command.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/json.h"
#include "agent/ctl/text.h"
#include "agent/ctl/words.h"
#include "policy/build.h"
#include "policy/load.h"
#include "policy/monitor.h"

/* What is said of all paths together, as JSON; people get the same out of it. */
typedef struct Answer {
        struct json_object *faults, *warnings, *policies;
        const Policy *policy; /* whose warnings are being collected */
        const char *path;
} Answer;

static void answer_clear(Answer *answer) {
        json_object_put(answer->faults);
        json_object_put(answer->warnings);
        json_object_put(answer->policies);
}

static __attribute__((format(printf, 4, 5))) void warn(Answer *answer, const char *rule, const char *origin,
                                                       const char *format, ...) {
        struct json_object *warning = json_object_new_object();
        CLEANUP_FREE char *message = NULL;
        va_list arguments;

        va_start(arguments, format);
        if (vasprintf(&message, format, arguments) < 0)
                message = NULL;
        va_end(arguments);
        json_put_text(warning, "rule", rule);
        json_put_text(warning, "origin", origin ? origin : answer->path);
        json_put_text(warning, "message", message);
        json_object_array_add(answer->warnings, warning);
}

static const char *origin_of(const Policy *policy, const char *rule) {
        for (size_t i = 0; i < policy->n_devices; i++)
                if (strcmp(policy->devices[i].name, rule) == 0)
                        return policy->devices[i].origin;
        for (size_t i = 0; i < policy->n_filesystems; i++)
                if (strcmp(policy->filesystems[i].name, rule) == 0)
                        return policy->filesystems[i].origin;
        for (size_t i = 0; i < policy->n_network; i++)
                if (strcmp(policy->network[i].name, rule) == 0)
                        return policy->network[i].origin;
        return NULL;
}

static void on_missing(void *userdata, const char *rule, const char *kind, const char *name) {
        Answer *answer = userdata;

        warn(answer, rule, origin_of(answer->policy, rule),
             strcmp(kind, "group") == 0 ? _("there is no group \"%s\" on this machine")
                                        : _("there is no user \"%s\" on this machine"),
             name);
}

static void warn_if_expired(Answer *answer, const char *rule, const char *origin, time_t expires) {
        if (expires != 0 && expires <= time(NULL))
                warn(answer, rule, origin, _("the rule has expired"));
}

static int warn_of_monitored(void *userdata, const Monitored *monitored) {
        if (monitored->until == 0)
                warn(userdata, monitored->name, monitored->origin,
                     _("only recorded, not refused, without an end (monitor-until)"));
        return 0;
}

static bool is_over(const MonitorSpan *span) {
        return span->on && !monitor_is_on(span, time(NULL));
}

static void on_finding(void *userdata, const char *rule, const char *origin, const char *message) {
        warn(userdata, rule, origin, "%s", message);
}

static void collect_warnings(Answer *answer, Policy *policy, bool builtin) {
        PolicyResolver resolver = policy_resolver_nss;
        int r;

        answer->policy = policy;
        resolver.missing = on_missing;
        resolver.userdata = answer;
        if (builtin)
                warn(answer, NULL, NULL,
                     _("no policy file (*.yaml) is there: the built-in default would hold"));
        r = policy_resolve(policy, &resolver);
        if (r < 0)
                warn(answer, NULL, NULL, _("users and groups could not be looked up: %s"), strerror(-r));
        (void)policy_foreach_monitored(policy, time(NULL), warn_of_monitored, answer);
        if (is_over(&(MonitorSpan){.on = policy->mode == MODE_MONITOR, .until = policy->monitor_until}))
                warn(answer, "mode", policy->mode_origin,
                     _("monitor-until has passed: the policy is enforced"));
        for (size_t i = 0; i < policy->n_devices; i++)
                warn_if_expired(answer, policy->devices[i].name, policy->devices[i].origin,
                                policy->devices[i].scope.expires);
        for (size_t i = 0; i < policy->n_usb_rules; i++)
                warn_if_expired(answer, policy->usb_rules[i].name, policy->usb_rules[i].origin,
                                policy->usb_rules[i].expires);
        for (size_t i = 0; i < policy->n_filesystems; i++)
                warn_if_expired(answer, policy->filesystems[i].name, policy->filesystems[i].origin,
                                policy->filesystems[i].scope.expires);
        for (size_t i = 0; i < policy->n_network; i++)
                warn_if_expired(answer, policy->network[i].name, policy->network[i].origin,
                                policy->network[i].scope.expires);
        if (check_network(policy, &(CheckNetworkSink){.tell = on_finding, .userdata = answer}) < 0)
                warn(answer, NULL, NULL, "%s", _("out of memory"));
}

static void add_policy(Answer *answer, const Policy *policy) {
        struct json_object *object = json_object_new_object();

        json_put_text(object, "path", answer->path);
        json_put_number(object, "version", policy->version);
        json_object_object_add(object, "serial", json_object_new_uint64(policy->serial));
        json_put_text(object, "zone", policy_zone_to_string(policy->zone));
        json_put_text(object, "mode", policy_mode_to_string(policy->mode));
        json_put_number(object, "devices", (int64_t)policy->n_devices);
        json_put_number(object, "usb", (int64_t)policy->n_usb_rules);
        json_put_number(object, "filesystems", (int64_t)policy->n_filesystems);
        json_put_number(object, "network", (int64_t)policy->n_network);
        json_object_array_add(answer->policies, object);
}

static void add_faults(Answer *answer, const PolicyFaults *faults) {
        for (size_t i = 0; i < faults->n; i++) {
                struct json_object *fault = json_object_new_object();

                json_put_text(fault, "file", faults->items[i].file);
                json_put_number(fault, "line", (int64_t)faults->items[i].line);
                json_put_number(fault, "column", (int64_t)faults->items[i].column);
                json_put_text(fault, "message", faults->items[i].message);
                json_object_array_add(answer->faults, fault);
        }
}

/* 0, or 2 after one line on stderr. */
static int check(Answer *answer, const char *path) {
        CLEANUP(policy_faults_clear) PolicyFaults faults = {.translate = word_text};
        CLEANUP_POLICY Policy *policy = NULL;
        int r;

        answer->path = path;
        r = policy_load(path, &policy, &faults);
        if (r == -EBADMSG) {
                add_faults(answer, &faults);
                return 0;
        }
        if (r < 0)
                return fail("%s: %s", path, strerror(-r));
        collect_warnings(answer, policy, r == 1);
        add_policy(answer, policy);
        return 0;
}

static int64_t number(const struct json_object *object, const char *key) {
        int64_t value = 0;

        (void)json_number(object, key, &value);
        return value;
}

static void print_fault(const struct json_object *fault) {
        text_print(json_text(fault, "file"), stdout);
        if (number(fault, "line") > 0)
                printf(":%" PRId64 ":%" PRId64, number(fault, "line"), number(fault, "column"));
        fputs(": ", stdout);
        text_print(json_text(fault, "message"), stdout);
        putchar('\n');
}

static void print_policy(const struct json_object *policy) {
        text_print(json_text(policy, "path"), stdout);
        printf(_(": ok: version %" PRId64 ", serial %" PRId64 ", zone %s, mode %s, %" PRId64
                 " devices, %" PRId64 " USB rules, %" PRId64 " file systems, %" PRId64 " destinations\n"),
               number(policy, "version"), number(policy, "serial"), word_zone(json_text(policy, "zone")),
               word_mode(json_text(policy, "mode")), number(policy, "devices"), number(policy, "usb"),
               number(policy, "filesystems"), number(policy, "network"));
}

static void print_warning(const struct json_object *warning) {
        text_print(json_text(warning, "origin"), stdout);
        fputs(_(": warning: "), stdout);
        if (json_text(warning, "rule")) {
                text_print(json_text(warning, "rule"), stdout);
                fputs(": ", stdout);
        }
        text_print(json_text(warning, "message"), stdout);
        putchar('\n');
}

static void each(struct json_object *array, void (*print)(const struct json_object *item)) {
        for (size_t i = 0; i < json_object_array_length(array); i++)
                print(json_object_array_get_idx(array, i));
}

static int print_json(const Answer *answer, bool ok) {
        CLEANUP_JSON struct json_object *object = json_object_new_object();

        json_put_flag(object, "ok", ok);
        json_object_object_add(object, "faults", json_object_get(answer->faults));
        json_object_object_add(object, "warnings", json_object_get(answer->warnings));
        json_object_object_add(object, "policies", json_object_get(answer->policies));
        return json_print(object, "\n");
}

int command_policy_check(const Options *options) {
        CLEANUP(answer_clear)
        Answer answer = {.faults = json_object_new_array(),
                         .warnings = json_object_new_array(),
                         .policies = json_object_new_array()};
        bool ok;

        /* the loader takes a path that is not there for "no policy": here it is a slip of the pen */
        for (size_t i = 0; i < options->n_arguments; i++)
                if (access(options->arguments[i], R_OK) < 0)
                        return fail("%s: %s", options->arguments[i], strerror(errno));
        for (size_t i = 0; i < options->n_arguments; i++)
                if (check(&answer, options->arguments[i]) != 0)
                        return EXIT_TROUBLE;
        ok = json_object_array_length(answer.faults) == 0;
        if (!options->value[OPTION_JSON]) {
                each(answer.faults, print_fault);
                each(answer.policies, print_policy);
                each(answer.warnings, print_warning);
        } else if (print_json(&answer, ok) < 0)
                return fail(_("out of memory"));
        return ok ? EXIT_YES : EXIT_NO;
}
