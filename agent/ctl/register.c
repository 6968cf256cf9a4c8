/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/register.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "agent/ctl/command.h"
#include "agent/ctl/conditions.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/tell_guard.h"
#include "agent/ctl/text.h"
#include "agent/file.h"
#include "policy/load.h"

/* By its first line sekishoctl knows its own. */
static const char mark[] = "# Written by sekishoctl devices: what is changed here by hand may be lost.\n";

void register_clear(Register *reg) {
        free(reg->directory);
        free(reg->name);
        policy_unref(reg->entries);
        if (reg->lock >= 0)
                close(reg->lock);
        *reg = (Register){.lock = -1};
}

/* reading */

static int fail_loading(const char *path, const PolicyFaults *faults, int error) {
        if (error != -EBADMSG || faults->n == 0)
                return fail("%s: %s", path, strerror(-error));
        return fail("%s:%zu:%zu: %s", faults->items[0].file, faults->items[0].line, faults->items[0].column,
                    faults->items[0].message);
}

static int set_place(Register *reg, const char *path) {
        CLEANUP_FREE char *one = strdup(path);
        CLEANUP_FREE char *two = strdup(path);
        size_t length;

        if (one && two) {
                reg->directory = strdup(dirname(one));
                reg->name = strdup(basename(two));
        }
        if (!reg->directory || !reg->name) {
                (void)fail(_("out of memory"));
                return EXIT_TROUBLE;
        }
        length = strlen(reg->name);
        if (length < 6 || reg->name[0] == '.' || strcmp(reg->name + length - 5, ".yaml") != 0)
                return fail(_("%s: the name of a register ends in .yaml, or no policy reads it"), path);
        return 0;
}

/* 1 if the file says that sekishoctl wrote it, 0 if not, -errno. */
static int is_marked(const char *path) {
        CLEANUP_FILE FILE *file = fopen(path, "re");
        char line[sizeof(mark)];

        if (!file)
                return -errno;
        return fgets(line, sizeof(line), file) && strcmp(line, mark) == 0;
}

/* Whether there is anything in it that is no entry: it would be gone once the file is written. */
static bool has_more(const Policy *policy) {
        bool more = policy->mode != MODE_ENFORCE || policy->zone != ZONE_MYNUMBER || policy->contact ||
                    policy->n_usb_rules > 0 || policy->n_filesystems > 0 || policy->n_network > 0 ||
                    policy->network_default_allow || policy->n_mfa_services > 0 ||
                    policy->n_mfa_factors > 0 || policy->n_mfa_exempt > 0 ||
                    strcmp(policy->removable_origin, "built-in") != 0 ||
                    strcmp(policy->usb_origin, "built-in") != 0 ||
                    strcmp(policy->filesystems_origin, "built-in") != 0;

        for (size_t bus = 0; bus < ELEMENTS(policy->bus_external); bus++)
                more = more || policy->bus_external[bus];
        return more;
}

static int read_entries(Register *reg) {
        CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
        int r = policy_load(reg->path, &reg->entries, &faults);

        if (r < 0)
                return fail_loading(reg->path, &faults, r);
        if (r == 1) /* there is none */
                reg->entries = policy_unref(reg->entries);
        return 0;
}

/* Without a policy around it the register would be all of it, and deny what the built-in default allows. */
static int read_policy(Register *reg) {
        CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
        CLEANUP_POLICY Policy *policy = NULL;
        int r = policy_load(reg->directory, &policy, &faults);

        if (r < 0)
                return fail_loading(reg->directory, &faults, r);
        if (r == 1)
                return fail(
                        _("there is no policy in %s yet, and a register alone would deny everything else"),
                        reg->directory);
        reg->serial = policy->serial;
        return 0;
}

static int prepare_change(Register *reg) {
        int r;

        reg->lock = open(reg->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (reg->lock < 0 || flock(reg->lock, LOCK_EX) < 0)
                return fail("%s: %s", reg->directory, strerror(errno));
        r = is_marked(reg->path);
        if (r < 0 && r != -ENOENT)
                return fail("%s: %s", reg->path, strerror(-r));
        if (r == 0)
                return fail(_("%s was not written by sekishoctl, which would lose what is in it: give it "
                              "another name"),
                            reg->path);
        return 0;
}

int register_open(const Options *options, bool to_change, Register *ret) {
        const char *given = options->value[OPTION_REGISTER];
        CLEANUP_REGISTER Register reg = {.path = given ? given : DEFAULT_REGISTER_PATH, .lock = -1};

        if (set_place(&reg, reg.path) != 0 || (to_change && prepare_change(&reg) != 0) ||
            read_entries(&reg) != 0 || (to_change && read_policy(&reg) != 0))
                return EXIT_TROUBLE;
        if (to_change && reg.entries && has_more(reg.entries))
                return fail(_("%s has more in it than entries of the register: move that to another file"),
                            reg.path);
        *ret = reg;
        reg = (Register){.lock = -1};
        return 0;
}

const DeviceRule *register_find(const Register *reg, const char *name) {
        for (size_t i = 0; reg->entries && i < reg->entries->n_devices; i++)
                if (strcmp(reg->entries->devices[i].name, name) == 0)
                        return &reg->entries->devices[i];
        return NULL;
}

/* writing */

/* TEXT in double quotes, as YAML has them. What the grammar refuses it refuses when it is read. */
static void print_quoted(const char *text, FILE *to) {
        fputc('"', to);
        for (; *text; text++) {
                unsigned char c = (unsigned char)*text;

                if (c == '"' || c == '\\')
                        fprintf(to, "\\%c", c);
                else if (c < ' ' || c == 0x7f)
                        fprintf(to, "\\x%02x", c);
                else
                        fputc(c, to);
        }
        fputc('"', to);
}

static void print_text(const char *key, const char *text, FILE *to) {
        if (!text)
                return;
        fprintf(to, "      %s: ", key);
        print_quoted(text, to);
        fputc('\n', to);
}

static void print_names(const char *key, char *const *names, size_t n, FILE *to) {
        if (n == 0)
                return;
        fprintf(to, "      %s: [", key);
        for (size_t i = 0; i < n; i++) {
                fputs(i > 0 ? ", " : "", to);
                print_quoted(names[i], to);
        }
        fputs("]\n", to);
}

static void print_attribute(const char *key, const char *value, const char **separator, FILE *to) {
        if (!value)
                return;
        fprintf(to, "%s%s: ", *separator, key);
        print_quoted(value, to);
        *separator = ", ";
}

static void print_match(const DeviceMatch *match, FILE *to) {
        const char *separator = "";

        fputs("      match: {", to);
        print_attribute("vendor", match->vendor, &separator, to);
        print_attribute("product", match->product, &separator, to);
        print_attribute("serial", match->serial, &separator, to);
        if (match->bus_set)
                fprintf(to, "%sbus: %s", separator, device_bus_to_string(match->bus));
        fputs("}\n", to);
}

/* A day for its last second, else the minute. */
static void print_expires(time_t expires, FILE *to) {
        time_t last = expires - 1;
        char text[32];
        struct tm tm;

        if (expires == 0)
                return;
        if (localtime_r(&last, &tm) && tm.tm_hour == 23 && tm.tm_min == 59)
                strftime(text, sizeof(text), "%Y-%m-%d", &tm);
        else if (localtime_r(&expires, &tm))
                strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &tm);
        else
                return;
        print_text("expires", text, to);
}

static void print_entry(const DeviceRule *rule, FILE *to) {
        fputs("    - name: ", to);
        print_quoted(rule->name, to);
        fputc('\n', to);
        print_text("holder", rule->holder, to);
        print_match(&rule->match, to);
        fprintf(to, "      access: %s\n", access_to_string(rule->access));
        if (rule->encrypted)
                fputs("      encrypted: required\n", to);
        print_names("users", rule->scope.users, rule->scope.n_users, to);
        print_names("groups", rule->scope.groups, rule->scope.n_groups, to);
        if (rule->scope.hours.set) {
                fputs("      hours: \"", to);
                conditions_print_hours(&rule->scope.hours, to);
                fputs("\"\n", to);
        }
        print_expires(rule->scope.expires, to);
}

static char *make_text(const Register *reg, const DeviceRule *removed, const DeviceRule *added) {
        size_t n = reg->entries ? reg->entries->n_devices : 0, size = 0;
        char *text = NULL;
        FILE *to = open_memstream(&text, &size);

        if (!to)
                return NULL;
        fprintf(to, "%sversion: 1\nserial: %" PRIu64 "\nremovable:\n  devices:%s\n", mark, reg->serial + 1,
                n - (removed ? 1 : 0) == 0 && !added ? " []" : "");
        for (size_t i = 0; i < n; i++)
                if (&reg->entries->devices[i] != removed)
                        print_entry(&reg->entries->devices[i], to);
        if (added)
                print_entry(added, to);
        if (fclose(to) != 0) {
                free(text);
                return NULL;
        }
        return text;
}

int register_prepare(const Register *reg, const DeviceRule *removed, const DeviceRule *added,
                     char **ret_text, Policy **ret_policy) {
        CLEANUP(policy_faults_clear) PolicyFaults faults = {0};
        CLEANUP_FREE char *text = make_text(reg, removed, added);
        int r;

        if (!text)
                return fail(_("out of memory"));
        r = policy_load_replacing(reg->directory, reg->name, text, strlen(text), ret_policy, &faults);
        if (r < 0)
                return fail_loading(reg->path, &faults, r);
        *ret_text = STEAL_PTR(text);
        return 0;
}

int register_write(const Register *reg, const char *text) {
        int r = file_replace(reg->path, text, strlen(text), 0600);

        return r < 0 ? fail("%s: %s", reg->path, strerror(-r)) : 0;
}

/* telling */

static const char *sentence_of(ReloadOutcome outcome) {
        switch (outcome) {
        case RELOAD_TAKEN:
                return _("The guard goes by it now.");
        case RELOAD_NOT_RUNNING:
                return _("The guard is not running; it will go by it when it starts.");
        case RELOAD_ELSEWHERE:
                return _("The guard has its policy from another place, and does not go by it.");
        case RELOAD_REFUSED:
                return _("The guard has refused the policy and goes by the one before:");
        case RELOAD_NO_ANSWER:
                break;
        }
        return _("The guard was told, and has not said what came of it; see sekishoctl status.");
}

int register_tell(const Register *reg, const Options *options, uint64_t serial, const char *sentence,
                  const DeviceRule *rule) {
        CLEANUP_JSON struct json_object *object = NULL;
        CLEANUP_FREE char *fault = NULL;
        ReloadOutcome outcome;
        bool good;

        if (reload_agent(options->value[OPTION_RUNTIME_DIR], reg->directory, serial, &outcome, &fault) != 0)
                return EXIT_TROUBLE;
        good = outcome == RELOAD_TAKEN || outcome == RELOAD_NOT_RUNNING || outcome == RELOAD_ELSEWHERE;
        if (options->value[OPTION_JSON]) {
                object = json_object_new_object();
                json_put_text(object, "register", reg->path);
                json_object_object_add(object, "serial", json_object_new_uint64(serial));
                json_put_text(object, "guard", reload_outcome_to_string(outcome));
                json_put_text(object, "fault", fault);
                json_object_object_add(object, "entry", register_json(rule));
                if (json_print(object, "\n") < 0)
                        return fail(_("out of memory"));
                return good ? EXIT_YES : EXIT_NO;
        }
        text_print(sentence, stdout);
        printf("\n%s\n", sentence_of(outcome));
        if (fault) {
                text_print(fault, stdout);
                putchar('\n');
        }
        return good ? EXIT_YES : EXIT_NO;
}

struct json_object *register_json(const DeviceRule *rule) {
        struct json_object *object = conditions_json(&rule->scope), *match = json_object_new_object();

        json_put_text(match, "vendor", rule->match.vendor);
        json_put_text(match, "product", rule->match.product);
        json_put_text(match, "serial", rule->match.serial);
        json_put_text(match, "bus", rule->match.bus_set ? device_bus_to_string(rule->match.bus) : NULL);
        json_put_text(object, "name", rule->name);
        json_put_text(object, "holder", rule->holder);
        json_object_object_add(object, "match", match);
        json_put_text(object, "access", access_to_string(rule->access));
        json_put_flag(object, "encrypted", rule->encrypted);
        return object;
}
