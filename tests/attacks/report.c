/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c: lines for people, an object for programs. All text is this program's own: nothing needs
 * escaping. */
#include <stdio.h>
#include <string.h>

#include "tests/attacks/harness.h"

const char *verdict_to_string(Verdict verdict) {
        switch (verdict) {
        case VERDICT_NOT_RUN:
                return "not-run";
        case VERDICT_HELD:
                return "held";
        case VERDICT_LEAKED:
                return "leaked";
        case VERDICT_IMPOSSIBLE:
                return "impossible";
        case VERDICT_HUNG:
                return "hung";
        case VERDICT_FAILED:
                return "failed";
        }
        return "unknown";
}

static const char *error_name(int error) {
        const char *name = error ? strerrorname_np(error) : NULL;

        return name ? name : "-";
}

static const struct {
        Evidence evidence;
        const char *name;
} evidences[] = {
        {EVIDENCE_SUCCESS, "success"},
        {EVIDENCE_TREE, "tree"},
        {EVIDENCE_MARKER, "marker"},
        {EVIDENCE_BLOCK, "block"},
};

static void write_evidence(FILE *f, unsigned evidence, const char *quote) {
        const char *comma = "";

        for (size_t i = 0; i < ELEMENTS(evidences); i++)
                if (evidence & (unsigned)evidences[i].evidence) {
                        fprintf(f, "%s%s%s%s", comma, quote, evidences[i].name, quote);
                        comma = ",";
                }
}

static void write_line(FILE *f, const Trial *t) {
        fprintf(f, "%s %s %s", verdict_to_string(t->verdict), t->attempt.attack->name, error_name(t->error));
        if (t->evidence) {
                fputs(" by ", f);
                write_evidence(f, t->evidence, "");
        }
        if (*t->detail)
                fprintf(f, " (%s)", t->detail);
        fputc('\n', f);
}

static void write_object(FILE *f, const Trial *t) {
        fprintf(f, "{\"name\":\"%s\",\"verdict\":\"%s\",\"error\":\"%s\",\"evidence\":[",
                t->attempt.attack->name, verdict_to_string(t->verdict), error_name(t->error));
        write_evidence(f, t->evidence, "\"");
        fprintf(f, "],\"detail\":\"%s\"}", t->detail);
}

void report_write(FILE *f, const Trial *trials, size_t n, bool json, size_t elsewhere) {
        size_t counts[VERDICT_FAILED + 1] = {0};
        const char *comma = "";

        if (json)
                fputs("{\"attacks\":[", f);
        for (size_t i = 0; i < n; i++) {
                if (trials[i].verdict == VERDICT_NOT_RUN)
                        continue;
                counts[trials[i].verdict]++;
                if (json) {
                        fputs(comma, f);
                        write_object(f, &trials[i]);
                        comma = ",\n";
                } else {
                        write_line(f, &trials[i]);
                }
        }
        if (json)
                fprintf(f,
                        "],\n\"elsewhere\":%zu,\"held\":%zu,\"leaked\":%zu,\"impossible\":%zu,"
                        "\"hung\":%zu,\"failed\":%zu}\n",
                        elsewhere, counts[VERDICT_HELD], counts[VERDICT_LEAKED], counts[VERDICT_IMPOSSIBLE],
                        counts[VERDICT_HUNG], counts[VERDICT_FAILED]);
        else
                fprintf(f, "%zu held, %zu leaked, %zu impossible, %zu hung, %zu failed\n",
                        counts[VERDICT_HELD], counts[VERDICT_LEAKED], counts[VERDICT_IMPOSSIBLE],
                        counts[VERDICT_HUNG], counts[VERDICT_FAILED]);
}

static const struct {
        Needs need;
        const char *name;
} needs[] = {
        {NEEDS_ROOT, "root"},       {NEEDS_NODE, "node"}, {NEEDS_UNMOUNTED, "unmounted"},
        {NEEDS_MACHINE, "machine"}, {NEEDS_USER, "user"}, {LEAVES_NO_TRACE, "no-trace"},
};

void report_list(FILE *f, bool json) {
        const char *comma = json ? "[" : "";
        const Attack *attack;

        for (size_t i = 0; (attack = catalogue(i)); i++) {
                const char *between = "";

                fprintf(f, json ? "%s{\"name\":\"%s\",\"needs\":[" : "%s%s ", comma, attack->name);
                for (size_t k = 0; k < ELEMENTS(needs); k++)
                        if (attack->needs & (unsigned)needs[k].need) {
                                fprintf(f, json ? "%s\"%s\"" : "%s%s", between, needs[k].name);
                                between = ",";
                        }
                if (attack->prepare)
                        fprintf(f, json ? "%s\"prepared\"" : "%sprepared", between);
                fputs(json ? "]}" : "\n", f);
                comma = json ? ",\n" : "";
        }
        if (json)
                fputs("]\n", f);
}
