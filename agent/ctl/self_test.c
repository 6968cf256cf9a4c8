/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent says of its last self-test, for people. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/inspect.h"
#include "agent/ctl/status.h"
#include "agent/ctl/table.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "agent/ctl/words.h"

static const char *or_unknown(const char *text) {
        return text ? text : "?";
}

char *self_test_words(const struct json_object *probe) {
        const char *name = or_unknown(json_text(probe, "name")), *on = json_text(probe, "on"),
                   *what = word_text(json_text(probe, "what")),
                   *error = word_text(json_text(probe, "error"));

        return text_format("%s%s%s%s%s%s%s%s", name, on ? " (" : "", on ? on : "", on ? ")" : "",
                           what ? ": " : "", what ? what : "", error ? ": " : "", error ? error : "");
}

static const char *state_word(const char *state) {
        if (state && strcmp(state, "passed") == 0)
                return _("passed");
        if (state && strcmp(state, "not-probed") == 0)
                return _("not probed");
        return _("FAILED");
}

void self_test_print(const struct json_object *root, FILE *to) {
        const struct json_object *test = json_map(root, "self_test");
        struct json_object *probes = json_list(test, "probes");
        const char *const headings[] = {_("SELF-TEST"), _("RESULT"), _("WHY")};
        CLEANUP_TABLE Table *table = table_new(headings, ELEMENTS(headings));

        for (size_t i = 0; probes && table && i < json_object_array_length(probes); i++) {
                const struct json_object *probe = json_object_array_get_idx(probes, i);
                CLEANUP_FREE char *why = self_test_words(probe);
                const char *name = or_unknown(json_text(probe, "name")), *rest = why;
                const char *cells[] = {name, state_word(json_text(probe, "state")), NULL};

                if (rest && strncmp(rest, name, strlen(name)) == 0)
                        rest += strlen(name) + strspn(rest + strlen(name), ": ");
                cells[2] = rest;
                (void)table_add(table, cells);
        }
        if (!table || table_rows(table) == 0)
                return;
        fputc('\n', to);
        table_print(table, to);
}

/* All that the probes of STATE say, in one line; NULL if there is none. */
static char *all_of(struct json_object *probes, const char *state) {
        CLEANUP_FREE char *text = NULL;

        for (size_t i = 0; probes && i < json_object_array_length(probes); i++) {
                const struct json_object *probe = json_object_array_get_idx(probes, i);
                const char *own = json_text(probe, "state");
                CLEANUP_FREE char *words = NULL, *longer = NULL;

                if (strcmp(or_unknown(own), state) != 0)
                        continue;
                words = self_test_words(probe);
                longer = text_format("%s%s%s", text ? text : "", text ? "; " : "", or_unknown(words));
                if (!longer)
                        return NULL;
                free(text);
                text = STEAL_PTR(longer);
        }
        return STEAL_PTR(text);
}

void inspect_self_test(const struct json_object *root, Inspection *ret) {
        const struct json_object *test = json_map(root, "self_test");
        const char *what = _("What nobody may write to was tried, and refused"),
                   *state = or_unknown(json_text(test, "state"));
        struct json_object *probes = json_list(test, "probes");
        char buffer[TIMESPEC_TEXT_MAX];
        int64_t at = 0;

        (void)json_number(test, "time", &at);
        if (strcmp(state, "passed") == 0) {
                inspect_add(ret, "self-test", "6(7)", what, INSPECT_OK, _("last at %s"),
                            at > 0 ? timespec_for_person((uint64_t)at * USEC_PER_SEC, buffer) : "?");
        } else if (strcmp(state, "failed") == 0) {
                CLEANUP_FREE char *text = all_of(probes, "failed");

                inspect_add(ret, "self-test", "6(7)", what, INSPECT_FINDING, "%s", or_unknown(text));
        } else {
                CLEANUP_FREE char *text = all_of(probes, "not-probed");

                inspect_add(ret, "self-test", "6(7)", what, INSPECT_UNKNOWN, "%s", or_unknown(text));
        }
}
