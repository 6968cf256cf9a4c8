/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status for people, and the commands status and devices. */
#include "agent/ctl/status.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/retention.h"
#include "agent/ctl/table.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "agent/ctl/words.h"

enum {
        LABEL_WIDTH = 12,
        INDENT = 2
};

static void print_label(const char *label, FILE *to) {
        size_t width = text_width(label);

        fprintf(to, "%s%*s", label, width < LABEL_WIDTH ? (int)(LABEL_WIDTH - width) : 1, "");
}

static void print_line(const char *label, const char *value, FILE *to) {
        print_label(label, to);
        text_print(value, to);
        fputc('\n', to);
}

/* "2026-11-21 08:30:00" of a number of seconds; "?" if it is not there. */
static const char *when(const struct json_object *object, const char *key,
                        char buffer[static TIMESPEC_TEXT_MAX]) {
        int64_t seconds;

        if (!json_number(object, key, &seconds) || seconds < 0 || seconds > INT64_C(253402300799))
                return "?";
        return timespec_for_person((uint64_t)seconds * USEC_PER_SEC, buffer);
}

static void print_guard(const StatusFile *status, FILE *to) {
        const char *mode = json_text(status->root, "mode"), *version = json_text(status->root, "version");
        char buffer[TIMESPEC_TEXT_MAX];
        int64_t pid = 0;

        print_label(_("Guard"), to);
        if (!status->alive) {
                fprintf(to, "%s\n", _("not running"));
                if (status->root)
                        fprintf(to, "%*s%s\n", LABEL_WIDTH, "", _("what follows is the last it said"));
                return;
        }
        if (!status->root) {
                fprintf(to, "%s\n", _("running, but has not yet said what it enforces"));
                return;
        }
        fputs(mode && strcmp(mode, "enforce") == 0   ? _("in force")
              : mode && strcmp(mode, "monitor") == 0 ? _("watches only, refuses nothing")
                                                     : _("in an unknown mode"),
              to);
        fprintf(to, _(", since %s, version "), when(status->root, "started", buffer));
        text_print(version, to);
        if (json_number(status->root, "pid", &pid))
                fprintf(to, _(", process %" PRId64), pid);
        fputc('\n', to);
}

static void print_refusal(const struct json_object *refused, const char *path, FILE *to) {
        struct json_object *faults = json_list(refused, "faults");
        char buffer[TIMESPEC_TEXT_MAX];

        fprintf(to, "%*s", LABEL_WIDTH, "");
        fprintf(to, _("a newer one was refused at %s:\n"), when(refused, "time", buffer));
        for (size_t i = 0; faults && i < json_object_array_length(faults); i++) {
                struct json_object *fault = json_object_array_get_idx(faults, i);

                fprintf(to, "%*s", LABEL_WIDTH + INDENT, "");
                text_print(json_object_is_type(fault, json_type_string) ? json_object_get_string(fault)
                                                                        : NULL,
                           to);
                fputc('\n', to);
        }
        if (path) {
                /* these are in the words of the agent's log; the command says them in the reader's language
                 */
                fprintf(to, "%*s", LABEL_WIDTH + INDENT, "");
                fputs(_("see also: sekishoctl policy check "), to);
                text_print(path, to);
                fputc('\n', to);
        }
}

/* With the age of what is signed: nothing else tells of a terminal that gets no new policy any more. */
static void print_signature(const struct json_object *policy, FILE *to) {
        const char *key = json_text(policy, "key");
        char buffer[TIMESPEC_TEXT_MAX];
        int64_t at = 0;

        if (key) {
                fprintf(to, "%*s", LABEL_WIDTH, "");
                fprintf(to, _("signed with the key %s"), key);
                if (json_number(policy, "signed", &at) && at > 0)
                        fprintf(to, _(", on %s, %" PRId64 " days ago"), when(policy, "signed", buffer),
                                ((int64_t)(timespec_now() / USEC_PER_SEC) - at) / 86400);
                fputc('\n', to);
        }
        if (json_number(policy, "expires", &at)) {
                fprintf(to, "%*s", LABEL_WIDTH, "");
                fprintf(to, _("expires %s\n"), when(policy, "expires", buffer));
        }
}

static void print_policy(const struct json_object *policy, FILE *to) {
        const struct json_object *refused = json_map(policy, "refused");
        char buffer[TIMESPEC_TEXT_MAX];
        int64_t serial;

        print_label(_("Policy"), to);
        if (json_is_true(policy, "builtin"))
                fputs(_("built-in default, since there is none at "), to);
        else if (json_number(policy, "serial", &serial))
                fprintf(to, _("serial %" PRId64 ", from "), serial);
        text_print(json_text(policy, "path"), to);
        fprintf(to, _(", loaded %s\n"), when(policy, "loaded", buffer));
        print_signature(policy, to);
        if (refused)
                print_refusal(refused, json_text(policy, "path"), to);
}

static void print_mechanisms(const struct json_object *root, FILE *to) {
        struct json_object *mechanisms = json_map(root, "mechanisms");
        const char *const headings[] = {_("MEANS"), _("STATE")};
        CLEANUP_TABLE Table *table = table_new(headings, ELEMENTS(headings));

        if (!mechanisms || !table)
                return;
        json_object_object_foreach(mechanisms, name, value) {
                bool text = json_object_is_type(value, json_type_string);
                CLEANUP_FREE char *state = word_state(text ? json_object_get_string(value) : NULL);
                const char *cells[] = {name, state};

                (void)table_add(table, cells);
        }
        fputc('\n', to);
        table_print(table, to);
}

static const char *guard_of(const struct json_object *superblock) {
        const char *guard = json_text(superblock, "guard");

        return guard ? guard : "?";
}

static void print_superblocks(const struct json_object *root, FILE *to) {
        struct json_object *list = json_list(root, "superblocks");
        const char *const headings[] = {_("MOUNTED AT"), _("TYPE"), _("ACCESS"), _("GUARD"), _("RULE")};
        CLEANUP_TABLE Table *table = table_new(headings, ELEMENTS(headings));

        for (size_t i = 0; list && table && i < json_object_array_length(list); i++) {
                const struct json_object *sb = json_object_array_get_idx(list, i);
                const char *cells[] = {json_text(sb, "mount"), json_text(sb, "fstype"),
                                       word_access(json_text(sb, "access")), word_guard(guard_of(sb)),
                                       json_text(sb, "rule")};

                if (strcmp(guard_of(sb), "none") != 0)
                        (void)table_add(table, cells);
        }
        if (!table || table_rows(table) == 0) {
                fprintf(to, "\n%s\n", _("No file system is guarded."));
                return;
        }
        fputc('\n', to);
        table_print(table, to);
}

/* "0951:1666"; NULL if neither is known. */
static const char *model(const struct json_object *device, char *buffer, size_t size) {
        const char *vendor = json_text(device, "vendor"), *product = json_text(device, "product");

        if (!vendor && !product)
                return NULL;
        snprintf(buffer, size, "%s:%s", vendor ? vendor : "-", product ? product : "-");
        return buffer;
}

static const char *access_of(const struct json_object *device, char *buffer, size_t size) {
        const char *access = word_access(json_text(device, "access"));

        if (!json_is_true(device, "enforced"))
                snprintf(buffer, size, _("%s (NOT ENFORCED)"), access ? access : "?");
        else if (json_is_true(device, "monitor") && strcmp(json_text(device, "access"), "write") != 0)
                snprintf(buffer, size, _("%s (only watched)"), access ? access : "?");
        else if (json_is_true(device, "conditional"))
                snprintf(buffer, size, _("%s (for some)"), access ? access : "?");
        else
                return access;
        return buffer;
}

static void add_devices(const struct json_object *root, bool external, Table *table) {
        struct json_object *list = json_list(root, "devices");

        for (size_t i = 0; list && i < json_object_array_length(list); i++) {
                const struct json_object *device = json_object_array_get_idx(list, i);
                char type[256], access[128];
                const char *cells[] = {json_text(device, "name"),
                                       json_text(device, "bus"),
                                       model(device, type, sizeof(type)),
                                       json_text(device, "serial"),
                                       access_of(device, access, sizeof(access)),
                                       json_text(device, "rule")};
                bool internal;

                /* one that does not say counts as external */
                internal = json_flag(device, "external", &internal) && !internal;
                if (internal != external)
                        (void)table_add(table, cells);
        }
}

void status_print_devices(const struct json_object *root, bool all, FILE *to) {
        const char *const headings[] = {_("NAME"),   _("BUS"),    _("VENDOR:PRODUCT"),
                                        _("SERIAL"), _("ACCESS"), _("RULE")};
        CLEANUP_TABLE Table *table = table_new(headings, ELEMENTS(headings));

        if (!table)
                return;
        add_devices(root, true, table);
        if (all)
                add_devices(root, false, table);
        if (table_rows(table) == 0)
                fprintf(to, "%s\n", _("No external device is plugged in."));
        else
                table_print(table, to);
}

/* Those that are refused, and those that are devices: of what the terminal has within itself there may be
 * many. */
static void print_interfaces(const struct json_object *root, FILE *to) {
        struct json_object *list = json_list(root, "interfaces");
        const char *const headings[] = {_("NETWORK INTERFACE"), _("KIND"), _("DRIVER"), _("VERDICT"),
                                        _("RULE")};
        CLEANUP_TABLE Table *table = table_new(headings, ELEMENTS(headings));

        for (size_t i = 0; list && table && i < json_object_array_length(list); i++) {
                const struct json_object *interface = json_object_array_get_idx(list, i);
                const char *verdict = json_text(interface, "verdict"), *kind = json_text(interface, "kind");
                const char *cells[] = {json_text(interface, "name"), kind, json_text(interface, "driver"),
                                       json_text(interface, "error") ? _("NOT ENFORCED")
                                                                     : word_access(verdict),
                                       json_text(interface, "rule")};
                bool allowed = verdict && strcmp(verdict, "allow") == 0;

                if (!allowed || !kind || strcmp(kind, "virtual") != 0)
                        (void)table_add(table, cells);
        }
        if (!table || table_rows(table) == 0)
                return;
        fputc('\n', to);
        table_print(table, to);
}

static void print_counters(const struct json_object *root, FILE *to) {
        const struct json_object *counters = json_map(root, "counters");
        int64_t denied = 0, records = 0, lost = 0, audit_lost = 0;

        if (!counters)
                return;
        (void)json_number(counters, "denied", &denied);
        (void)json_number(counters, "records", &records);
        (void)json_number(counters, "lost", &lost);
        print_label(_("Records"), to);
        fprintf(to, _("%" PRId64 " refusals, %" PRId64 " records written, %" PRId64 " lost in detail\n"),
                denied, records, lost);
        if (json_number(counters, "audit_lost", &audit_lost) && audit_lost > 0) {
                fprintf(to, "%*s", LABEL_WIDTH, "");
                fprintf(to,
                        _("the kernel dropped %" PRId64 " audit messages: some attempts are not known\n"),
                        audit_lost);
        }
}

void status_print(const StatusFile *status, const struct json_object *findings, FILE *to) {
        print_guard(status, to);
        for (size_t i = 0; i < json_object_array_length(findings); i++) {
                print_label(i == 0 ? _("Findings") : "", to);
                text_print(json_object_get_string(json_object_array_get_idx(findings, i)), to);
                fputc('\n', to);
        }
        if (!status->root)
                return;
        print_line(_("Zone"), word_zone(json_text(status->root, "zone")), to);
        if (json_map(status->root, "policy"))
                print_policy(json_map(status->root, "policy"), to);
        if (json_text(status->root, "contact"))
                print_line(_("Contact"), json_text(status->root, "contact"), to);
        print_counters(status->root, to);
        print_mechanisms(status->root, to);
        self_test_print(status->root, to);
        fputc('\n', to);
        status_print_devices(status->root, false, to);
        print_superblocks(status->root, to);
        print_interfaces(status->root, to);
}

/* The agent's own words, with what is made of them. */
static int print_status_json(const StatusFile *status, struct json_object *findings) {
        CLEANUP_JSON struct json_object *answer = json_object_new_object();

        json_put_flag(answer, "ok", json_object_array_length(findings) == 0);
        json_put_flag(answer, "alive", status->alive);
        json_object_object_add(answer, "findings", json_object_get(findings));
        if (status->root) {
                json_object_object_foreach(status->root, key,
                                           value) if (!json_object_object_get_ex(answer, key, NULL))
                        json_object_object_add(answer, key, json_object_get(value));
        }
        return json_print(answer, "\n");
}

/* By the journal of this terminal, which is no part of what the agent says. */
static void find_retention(const struct json_object *root, struct json_object *findings) {
        CLEANUP_FREE char *words = NULL;
        int64_t days = 0;

        if (json_number(root, "keep_days", &days) && days > 0 && days < INT32_MAX)
                words = retention_words_here((unsigned)days);
        if (words)
                json_append_text(findings, words);
}

int command_status(const Options *options) {
        CLEANUP_STATUS_FILE StatusFile status = {0};
        CLEANUP_JSON struct json_object *findings = NULL;

        if (status_file_open(options->value[OPTION_RUNTIME_DIR], "Status", &status) != 0)
                return EXIT_TROUBLE;
        findings = status_findings(&status);
        find_retention(status.root, findings);
        if (!options->value[OPTION_JSON])
                status_print(&status, findings, stdout);
        else if (print_status_json(&status, findings) < 0)
                return fail(_("out of memory"));
        return json_object_array_length(findings) == 0 ? EXIT_YES : EXIT_NO;
}

static int print_devices_json(const struct json_object *root, bool all) {
        CLEANUP_JSON struct json_object *answer = json_object_new_array();
        struct json_object *list = json_list(root, "devices");

        for (int internal = 0; internal <= (all ? 1 : 0); internal++)
                for (size_t i = 0; list && i < json_object_array_length(list); i++) {
                        struct json_object *device = json_object_array_get_idx(list, i);
                        bool external = true;

                        (void)json_flag(device, "external", &external);
                        if (external != (internal != 0))
                                json_object_array_add(answer, json_object_get(device));
                }
        return json_print(answer, "\n");
}

int command_devices(const Options *options) {
        CLEANUP_STATUS_FILE StatusFile status = {0};
        bool all = options->value[OPTION_ALL];

        if (status_file_open(options->value[OPTION_RUNTIME_DIR], all ? "Status" : "Devices", &status) != 0)
                return EXIT_TROUBLE;
        if (!options->value[OPTION_JSON])
                status_print_devices(status.root, all, stdout);
        else if (print_devices_json(status.root, all) < 0)
                return fail(_("out of memory"));
        if (status.alive)
                return EXIT_YES;
        (void)fail(status.root ? _("the guard is not running; this is the last it knew")
                               : _("the guard is not running; nothing is known of devices"));
        return EXIT_NO;
}
