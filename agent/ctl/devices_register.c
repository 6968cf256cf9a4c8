/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands devices add, devices remove and devices list: the register of approved media. */
#include <errno.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/conditions.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/plugged.h"
#include "agent/ctl/register.h"
#include "agent/ctl/table.h"
#include "agent/ctl/target.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "policy/decide.h"
#include "policy/expiry.h"
#include "policy/hours.h"

/* the entry that the options describe */

/* "a,b" as a list. 0, or 2 after one line on stderr. */
static int take_names(const char *option, const char *text, char ***ret, size_t *ret_n) {
        size_t n = 1, i = 0;
        char **names;

        if (!text)
                return 0;
        for (const char *c = text; *c; c++)
                n += *c == ',';
        names = calloc(n, sizeof(*names));
        if (!names)
                return fail(_("out of memory"));
        *ret = names;
        for (const char *at = text; i < n; i++) {
                size_t length = strcspn(at, ",");

                if (length == 0)
                        return fail(
                                _("--%s '%s': a name is missing; expected names with commas between them"),
                                option, text);
                names[i] = strndup(at, length);
                if (!names[i])
                        return fail(_("out of memory"));
                *ret_n = i + 1;
                at += length + (at[length] == ',');
        }
        return 0;
}

static int take_scope(const Options *options, RuleScope *scope) {
        const char *hours = options->value[OPTION_HOURS], *expires = options->value[OPTION_EXPIRES], *why;

        if (take_names("users", options->value[OPTION_USERS], &scope->users, &scope->n_users) != 0 ||
            take_names("groups", options->value[OPTION_GROUPS], &scope->groups, &scope->n_groups) != 0)
                return EXIT_TROUBLE;
        if (hours && hours_parse(hours, &scope->hours, &why) < 0)
                return fail("--hours '%s': %s", hours, _(why));
        if (expires && expiry_parse(expires, &scope->expires, &why) < 0)
                return fail("--expires '%s': %s", expires, _(why));
        return 0;
}

static int take_words(const Options *options, DeviceRule *rule) {
        const char *access = options->value[OPTION_ACCESS], *encrypted = options->value[OPTION_ENCRYPTED];
        int value = access ? access_from_string(access) : ACCESS_WRITE;

        if (value < 0 || value == ACCESS_DENY)
                return fail(_("--access '%s': expected read-only or write"), access);
        rule->access = (Access)value;
        if (encrypted && strcmp(encrypted, "required") != 0)
                return fail(_("--encrypted '%s': expected required"), encrypted);
        rule->encrypted = encrypted;
        return 0;
}

static bool copy(const char *text, char **ret) {
        *ret = text ? strdup(text) : NULL;
        return !text || *ret;
}

/* What tells this one medium apart from all others. */
static int take_match(const Options *options, const DeviceIdentity *id, DeviceMatch *match) {
        CLEANUP_FREE char *name = target_device_name(id);

        if (!id->serial && !options->value[OPTION_WITHOUT_SERIAL])
                return fail(_("%s has no serial number, so every device of its model would be approved; say "
                              "--without-serial if that is what you want"),
                            name ? name : "?");
        if (!id->serial && !id->vendor && !id->product)
                return fail(_("%s says nothing of itself by which it could be known again"),
                            name ? name : "?");
        if (id->serial && options->value[OPTION_WITHOUT_SERIAL])
                return fail(_("%s has a serial number: leave --without-serial out"), name ? name : "?");
        match->bus_set = true;
        match->bus = id->bus;
        if (!copy(id->vendor, &match->vendor) || !copy(id->product, &match->product) ||
            !copy(id->serial, &match->serial))
                return fail(_("out of memory"));
        return 0;
}

static int describe(const Options *options, const DeviceIdentity *id, DeviceRule *rule) {
        if (!copy(options->arguments[0], &rule->name) || !copy(options->value[OPTION_HOLDER], &rule->holder))
                return fail(_("out of memory"));
        if (take_words(options, rule) != 0 || take_scope(options, &rule->scope) != 0)
                return EXIT_TROUBLE;
        return take_match(options, id, &rule->match);
}

/* devices add */

/* Whether the entry will have a say: of the rules that match the first decides. */
static int check_decides(const Policy *policy, const DeviceIdentity *id, const char *name) {
        PolicyTime now;
        Decision decision;

        if (policy_time_from_wall((time_t)(timespec_now() / USEC_PER_SEC), &now) < 0)
                return fail(_("no calendar holds the present time"));
        decide_device(policy, id, &now, &decision);
        if (!decision.external)
                return fail(_("%s is the terminal's own: nothing needs to be approved"),
                            id->name ? id->name : "?");
        if (strcmp(decision.rule, name) != 0)
                return fail(_("the rule '%s' (%s) comes first and decides about this device"), decision.rule,
                            decision.origin);
        if (decision.reason == REASON_RULE_EXPIRED)
                return fail(_("an approval with that end has expired already"));
        return 0;
}

static char *sentence_added(const DeviceRule *rule, const DeviceIdentity *id) {
        CLEANUP_FREE char *device = target_device_name(id);

        if (!rule->match.serial)
                return text_format(
                        _("'%s': ANY device like %s is approved now, since it has no serial number."),
                        rule->name, device ? device : "?");
        return text_format(_("'%s': %s is in the register."), rule->name, device ? device : "?");
}

int command_devices_add(const Options *options) {
        CLEANUP(device_identity_clear) DeviceIdentity id = {0};
        CLEANUP(device_rule_clear) DeviceRule rule = {0};
        CLEANUP_REGISTER Register reg = {.lock = -1};
        CLEANUP_POLICY Policy *policy = NULL;
        CLEANUP_FREE char *text = NULL;
        CLEANUP_FREE char *sentence = NULL;

        if (plugged_find(options, &id) != 0 || describe(options, &id, &rule) != 0 ||
            register_open(options, true, &reg) != 0)
                return EXIT_TROUBLE;
        if (register_find(&reg, rule.name))
                return fail(_("'%s' is in the register already"), rule.name);
        if (register_prepare(&reg, NULL, &rule, &text, &policy) != 0 ||
            check_decides(policy, &id, options->arguments[0]) != 0 || register_write(&reg, text) != 0)
                return EXIT_TROUBLE;
        sentence = sentence_added(&rule, &id);
        return register_tell(&reg, options, policy->serial, sentence, &rule);
}

/* devices remove */

int command_devices_remove(const Options *options) {
        const char *name = options->arguments[0];
        CLEANUP_REGISTER Register reg = {.lock = -1};
        CLEANUP_POLICY Policy *policy = NULL;
        CLEANUP_FREE char *text = NULL;
        CLEANUP_FREE char *sentence = NULL;
        const DeviceRule *rule;

        if (register_open(options, true, &reg) != 0)
                return EXIT_TROUBLE;
        rule = register_find(&reg, name);
        if (!rule)
                return fail(_("'%s' is not in the register; see sekishoctl devices list"), name);
        if (register_prepare(&reg, rule, NULL, &text, &policy) != 0 || register_write(&reg, text) != 0)
                return EXIT_TROUBLE;
        sentence = text_format(_("'%s' is no longer in the register."), name);
        return register_tell(&reg, options, policy->serial, sentence, rule);
}

/* devices list */

static int list_json(const Register *reg) {
        CLEANUP_JSON struct json_object *list = json_object_new_array();

        for (size_t i = 0; reg->entries && i < reg->entries->n_devices; i++)
                json_object_array_add(list, register_json(&reg->entries->devices[i]));
        return json_print(list, "\n") < 0 ? fail(_("out of memory")) : EXIT_YES;
}

static char *device_of(const DeviceMatch *match) {
        const char *bus = match->bus_set ? device_bus_to_string(match->bus) : "";

        if (!match->vendor && !match->product)
                return text_format("%s", bus);
        return text_format("%s %s:%s", bus, match->vendor ? match->vendor : "-",
                           match->product ? match->product : "-");
}

static int add_row(Table *table, const DeviceRule *rule) {
        CLEANUP_FREE char *conditions = conditions_for_person(&rule->scope);
        CLEANUP_FREE char *device = device_of(&rule->match);
        CLEANUP_FREE char *access =
                text_format("%s%s", access_to_string(rule->access), rule->encrypted ? _(", encrypted") : "");
        const char *cells[] = {rule->name, rule->holder,
                               device,     rule->match.serial ? rule->match.serial : _("any"),
                               access,     conditions};

        return table_add(table, cells);
}

int command_devices_list(const Options *options) {
        const char *const headings[] = {_("NAME"),   _("HOLDER"), _("DEVICE"),
                                        _("SERIAL"), _("ACCESS"), _("CONDITIONS")};
        CLEANUP_REGISTER Register reg = {.lock = -1};
        CLEANUP_TABLE Table *table = NULL;

        if (register_open(options, false, &reg) != 0)
                return EXIT_TROUBLE;
        if (options->value[OPTION_JSON])
                return list_json(&reg);
        if (!reg.entries || reg.entries->n_devices == 0) {
                puts(_("The register is empty."));
                return EXIT_YES;
        }
        table = table_new(headings, ELEMENTS(headings));
        for (size_t i = 0; table && i < reg.entries->n_devices; i++)
                if (add_row(table, &reg.entries->devices[i]) < 0)
                        return fail(_("out of memory"));
        if (!table)
                return fail(_("out of memory"));
        table_print(table, stdout);
        return EXIT_YES;
}
