/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was found, as a page by itself: nothing is loaded from elsewhere, there is no script, and a printed
 * page has room for who has seen it. Names of devices and of files come from outside, and are text here
 * whatever they say.
 */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/inspect.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "agent/ctl/words.h"

static const char style[] =
        "body{font-family:\"Noto Sans CJK JP\",\"Noto Sans JP\",sans-serif;margin:2em;color:#111}"
        "table{border-collapse:collapse;width:100%}"
        "th,td{border:1px solid #777;padding:.3em .5em;text-align:left;vertical-align:top;"
        "overflow-wrap:anywhere}"
        "thead{display:table-header-group}tr{break-inside:avoid}"
        "th{background:#eee}td.result{white-space:nowrap;font-weight:bold}"
        "tr.finding td.result{background:#f6caca}tr.ok td.result{background:#d9f0d9}"
        "tr.cannot-tell td.result{background:#f5ecc0}"
        ".seal{display:inline-block;width:7em;height:7em;border:1px solid #777;margin:1em 1em 0 0;"
        "text-align:center}"
        "@media print{body{margin:0;font-size:9pt}}@page{size:A4;margin:15mm}";

void inspect_html_text(const char *text, FILE *to) {
        CLEANUP_FREE char *safe = text ? text_for_terminal(text) : NULL;

        text_put_html(safe ? safe : "-", to);
}

static void put(const char *tag, const char *text, FILE *to) {
        fprintf(to, "<%s>", tag);
        inspect_html_text(text, to);
        fprintf(to, "</%s>", tag);
}

static void put_fact(const char *name, const char *value, FILE *to) {
        fputs("<tr>", to);
        put("th", name, to);
        put("td", value, to);
        fputs("</tr>\n", to);
}

static void put_facts(const InspectFacts *facts, const Inspection *inspection, FILE *to) {
        const struct json_object *root = facts->status->root;
        char buffer[TIMESPEC_TEXT_MAX], host[HOST_NAME_MAX + 1] = "?", text[160];
        int64_t serial;

        (void)gethostname(host, sizeof(host) - 1);
        fputs("<table class=\"facts\">\n", to);
        put_fact(_("Terminal"), host, to);
        put_fact(_("Time"), timespec_for_person(facts->now, buffer), to);
        put_fact(_("Zone"), word_zone(json_text(root, "zone")), to);
        if (json_number(json_map(root, "policy"), "serial", &serial)) {
                snprintf(text, sizeof(text), "%lld", (long long)serial);
                put_fact(_("Policy serial"), text, to);
        }
        put_fact(_("Version"), json_text(root, "version"), to);
        snprintf(text, sizeof(text), _("%zu in order, %zu findings, %zu that cannot be told"),
                 inspect_count(inspection, INSPECT_OK), inspect_count(inspection, INSPECT_FINDING),
                 inspect_count(inspection, INSPECT_UNKNOWN));
        put_fact(_("Result"), text, to);
        fputs("</table>\n", to);
}

static void put_lines(const Inspection *inspection, FILE *to) {
        const char *const headings[] = {_("No."), _("Clause"), _("Check"), _("Result"), _("Evidence")};

        fputs("<table class=\"lines\">\n<thead><tr>", to);
        for (size_t i = 0; i < ELEMENTS(headings); i++)
                put("th", headings[i], to);
        fputs("</tr></thead>\n<tbody>\n", to);
        for (size_t i = 0; i < inspection->n; i++) {
                const InspectLine *line = &inspection->lines[i];

                fprintf(to, "<tr class=\"%s\" id=\"line-%zu\"><td>%zu</td>",
                        inspect_result_to_string(line->result), i + 1, i + 1);
                put("td", line->clause, to);
                put("td", line->what, to);
                fputs("<td class=\"result\">", to);
                inspect_html_text(inspect_result_for_person(line->result), to);
                fputs("</td>", to);
                put("td", line->evidence, to);
                fputs("</tr>\n", to);
        }
        fputs("</tbody>\n</table>\n", to);
}

void inspect_html(const InspectFacts *facts, const Inspection *inspection, FILE *to) {
        /* Translators: the language of the translation, as in HTML's lang: ja */
        const char *language = C_("language", "en");

        fprintf(to, "<!DOCTYPE html>\n<html lang=\"%s\">\n<head>\n<meta charset=\"UTF-8\">\n", language);
        fputs("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
              "'unsafe-inline'\">\n",
              to);
        put("title", _("Inspection of a terminal"), to);
        fprintf(to, "\n<style>%s</style>\n</head>\n<body>\n", style);
        put("h1", _("Inspection of a terminal"), to);
        fputc('\n', to);
        put_facts(facts, inspection, to);
        put("p", _("Clauses are those of the basic policy on information security."), to);
        fputc('\n', to);
        put_lines(inspection, to);
        fputs("<p>", to);
        for (int i = 0; i < 3; i++) {
                const char *const who[] = {_("Inspected by"), _("Section head"), _("Security officer")};

                fputs("<span class=\"seal\">", to);
                inspect_html_text(who[i], to);
                fputs("</span>", to);
        }
        fputs("</p>\n</body>\n</html>\n", to);
}
