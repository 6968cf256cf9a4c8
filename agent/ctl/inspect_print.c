/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was found, for people at a terminal and for programs. */
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/inspect.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"

enum {
        RESULT_WIDTH = 14,
        CLAUSE_WIDTH = 9
};

const char *inspect_result_for_person(InspectResult result) {
        switch (result) {
        case INSPECT_OK:
                return C_("inspection", "ok");
        case INSPECT_FINDING:
                return C_("inspection", "FINDING");
        case INSPECT_UNKNOWN:
                return C_("inspection", "cannot tell");
        }
        return "?";
}

static void print_cell(const char *text, size_t width, FILE *to) {
        size_t is = text_width(text);

        fprintf(to, "%s%*s", text, is < width ? (int)(width - is) : 1, "");
}

void inspect_print(const InspectFacts *facts, const Inspection *inspection, FILE *to) {
        char buffer[TIMESPEC_TEXT_MAX], host[HOST_NAME_MAX + 1] = "?";

        (void)gethostname(host, sizeof(host) - 1);
        fprintf(to, _("Inspection of %s at %s\n\n"), host, timespec_for_person(facts->now, buffer));
        for (size_t i = 0; i < inspection->n; i++) {
                const InspectLine *line = &inspection->lines[i];

                print_cell(inspect_result_for_person(line->result), RESULT_WIDTH, to);
                print_cell(line->clause, CLAUSE_WIDTH, to);
                fprintf(to, "%s\n%*s", line->what, RESULT_WIDTH + CLAUSE_WIDTH, "");
                text_print(line->evidence, to);
                fputc('\n', to);
        }
        fprintf(to, _("\n%zu in order, %zu findings, %zu that cannot be told\n"),
                inspect_count(inspection, INSPECT_OK), inspect_count(inspection, INSPECT_FINDING),
                inspect_count(inspection, INSPECT_UNKNOWN));
}

struct json_object *inspect_json(const InspectFacts *facts, const Inspection *inspection) {
        struct json_object *object = json_object_new_object(), *lines = json_object_new_array();
        char buffer[TIMESPEC_TEXT_MAX], host[HOST_NAME_MAX + 1] = "?";

        (void)gethostname(host, sizeof(host) - 1);
        json_put_flag(object, "ok", inspect_count(inspection, INSPECT_FINDING) == 0);
        json_put_text(object, "time", timespec_iso(facts->now, buffer));
        json_put_text(object, "host", host);
        json_put_number(object, "in_order", (int64_t)inspect_count(inspection, INSPECT_OK));
        json_put_number(object, "findings", (int64_t)inspect_count(inspection, INSPECT_FINDING));
        json_put_number(object, "cannot_tell", (int64_t)inspect_count(inspection, INSPECT_UNKNOWN));
        for (size_t i = 0; i < inspection->n; i++) {
                const InspectLine *line = &inspection->lines[i];
                struct json_object *item = json_object_new_object();

                json_put_text(item, "check", line->id);
                json_put_text(item, "clause", line->clause);
                json_put_text(item, "what", line->what);
                json_put_text(item, "result", inspect_result_to_string(line->result));
                json_put_text(item, "evidence", line->evidence);
                json_object_array_add(lines, item);
        }
        json_object_object_add(object, "lines", lines);
        return object;
}
