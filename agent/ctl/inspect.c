/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command inspect: whether this terminal is as the policy and the clauses behind it ask, with evidence.
 */
#include "agent/ctl/inspect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/text.h"
#include "agent/file.h"

DEFINE_ENUM_STRINGS(InspectResult, inspect_result, INSPECT_RESULT_LIST)

void inspect_add(Inspection *inspection, const char *id, const char *clause, const char *what,
                 InspectResult result, const char *format, ...) {
        InspectLine line = {.id = id, .clause = clause, .what = what, .result = result};
        va_list arguments;

        if (inspection->n == INSPECT_LINES_MAX) {
                inspection->incomplete = true;
                return;
        }
        va_start(arguments, format);
        if (vasprintf(&line.evidence, format, arguments) < 0) {
                line.evidence = NULL;
                inspection->incomplete = true;
        }
        va_end(arguments);
        inspection->lines[inspection->n++] = line;
}

size_t inspect_count(const Inspection *inspection, InspectResult result) {
        size_t n = 0;

        for (size_t i = 0; i < inspection->n; i++)
                n += inspection->lines[i].result == result;
        return n;
}

void inspect_clear(Inspection *inspection) {
        for (size_t i = 0; i < inspection->n; i++)
                free(inspection->lines[i].evidence);
        *inspection = (Inspection){0};
}

/* For root alone: it names media and people. 0, or 2 after one line on stderr. */
static int write_html(const char *path, const InspectFacts *facts, const Inspection *inspection) {
        CLEANUP_FREE char *text = NULL;
        size_t size = 0;
        FILE *to = open_memstream(&text, &size);
        int r;

        if (!to)
                return fail(_("out of memory"));
        inspect_html(facts, inspection, to);
        if (fclose(to) != 0)
                return fail(_("out of memory"));
        r = file_replace(path, text, size, 0600);
        return r < 0 ? fail("%s: %s", path, strerror(-r)) : 0;
}

static int tell(const Options *options, const InspectFacts *facts, const Inspection *inspection) {
        const char *html = options->value[OPTION_OUTPUT];

        if (inspection->incomplete)
                return fail(_("out of memory"));
        if (html && write_html(html, facts, inspection) != 0)
                return EXIT_TROUBLE;
        if (options->value[OPTION_JSON]) {
                CLEANUP_JSON struct json_object *object = inspect_json(facts, inspection);

                if (!object || json_print(object, "\n") < 0)
                        return fail(_("out of memory"));
        } else if (!html)
                inspect_print(facts, inspection, stdout);
        return inspect_count(inspection, INSPECT_FINDING) > 0 ? EXIT_NO : EXIT_YES;
}

int command_inspect(const Options *options) {
        CLEANUP(inspect_gathered_clear) InspectGathered gathered = {0};
        CLEANUP(inspect_clear) Inspection inspection = {0};

        if (inspect_gather(options, &gathered) != 0)
                return EXIT_TROUBLE;
        inspect_guard(&gathered.facts, &inspection);
        inspect_policy(&gathered.facts, &inspection);
        inspect_machine(&gathered.facts, &inspection);
        return tell(options, &gathered.facts, &inspection);
}
