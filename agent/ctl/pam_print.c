/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What pam check found, for people. */
#include <inttypes.h>
#include <string.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/pam.h"
#include "agent/ctl/text.h"

static bool is(const struct json_object *object, const char *key, const char *word) {
        const char *text = json_text(object, key);

        return text && strcmp(text, word) == 0;
}

static void print_place(const struct json_object *object) {
        int64_t line = 0;

        text_print(json_text(object, "file"), stdout);
        if (json_number(object, "line", &line))
                printf(":%" PRId64, line);
}

static void print_path(const struct json_object *stack) {
        const struct json_object *path = json_list(stack, "path");

        for (size_t i = 0; path && i < json_object_array_length(path); i++) {
                const struct json_object *step = json_object_array_get_idx(path, i);
                CLEANUP_FREE char *module = text_for_terminal(
                        json_text(step, "module") ? json_text(step, "module") : _("(a line in error)"));

                fputs("    ", stdout);
                print_place(step);
                printf(_(": %s returns %s -> %s\n"), module ? module : "?", json_text(step, "returns"),
                       json_text(step, "action"));
        }
        printf(_("    the program is told: %s\n"), json_text(stack, "result"));
}

static void print_stack(const struct json_object *stack) {
        const char *type = json_text(stack, "type");

        if (is(stack, "verdict", "open")) {
                printf(_("  %s: a way in that pam_sekisho has not agreed to:\n"), type);
                print_path(stack);
        } else if (is(stack, "verdict", "accepted")) {
                printf(_("  %s: accepted, since root is past a login already:\n"), type);
                print_path(stack);
        } else if (is(stack, "verdict", "unknown"))
                printf(_("  %s: too much to try: nothing is proven\n"), type);
        else if (is(stack, "verdict", "not-called"))
                printf(_("  %s: pam_sekisho is not called; no session of a person begins there\n"), type);
}

static void print_service(const struct json_object *service) {
        const struct json_object *stacks = json_list(service, "stacks");

        text_print(json_text(service, "service"), stdout);
        if (is(service, "verdict", "off"))
                fputs(_(": off by the policy\n"), stdout);
        else if (is(service, "verdict", "proven"))
                fputs(_(": proven: nobody gets in without pam_sekisho\n"), stdout);
        else if (is(service, "verdict", "refused"))
                fputs(_(": PAM refuses this configuration, and lets nobody in\n"), stdout);
        else if (is(service, "verdict", "unknown"))
                fputs(_(": what PAM makes of this configuration cannot be told\n"), stdout);
        else
                fputs(_(": OPEN\n"), stdout);
        for (size_t i = 0; stacks && i < json_object_array_length(stacks); i++)
                print_stack(json_object_array_get_idx(stacks, i));
}

static void print_finding(const struct json_object *finding, bool note) {
        if (json_text(finding, "file")) {
                print_place(finding);
                fputs(": ", stdout);
        }
        if (note)
                fputs(_("note: "), stdout);
        text_print(json_text(finding, "message"), stdout);
        putchar('\n');
}

void pam_print(const PamCheck *check) {
        for (size_t i = 0; i < json_object_array_length(check->services); i++)
                print_service(json_object_array_get_idx(check->services, i));
        for (size_t i = 0; i < json_object_array_length(check->findings); i++)
                print_finding(json_object_array_get_idx(check->findings, i), false);
        for (size_t i = 0; i < json_object_array_length(check->notes); i++)
                print_finding(json_object_array_get_idx(check->notes, i), true);
}
