/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands grants list and grants show: the book of media that left the terminal. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/grants.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/sheet.h"
#include "agent/ctl/table.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "policy/scope.h"

enum {
        CELL_MAX = 512,
        COLUMNS = 20
};

/* The columns of the book, in order; the heading is for people. */
static const struct {
        const char *key, *heading;
        enum {
                TEXT,
                NUMBER,
                TIME,
                STATE,
                CAUSE
        } kind;
} columns[COLUMNS] = {
        {"id", N_("Number"), NUMBER},
        {"state", N_("State"), STATE},
        {"requester", N_("Requester"), TEXT},
        {"approver", N_("Approver"), TEXT},
        {"user", N_("User"), TEXT},
        {"device", N_("Medium"), TEXT},
        {"serial", N_("Serial number"), TEXT},
        {"data-class", N_("Data class"), TEXT},
        {"purpose", N_("Purpose"), TEXT},
        {"reason", N_("Reason of grant"), TEXT},
        {"carrier", N_("Carrier"), TEXT},
        {"begun", N_("Begun"), TIME},
        {"until", N_("Planned end"), TIME},
        {"ended", N_("Ended"), TIME},
        {"cause", N_("Why it ended"), CAUSE},
        {"writes", N_("Files written"), NUMBER},
        {"outcome", N_("Return or erasure"), CAUSE},
        {"closer", N_("Confirmed by"), TEXT},
        {"closed", N_("Confirmed at"), TIME},
        {"challenge", N_("Challenge"), TEXT},
};

/* What a column says of PERMIT: BUFFER, or borrowed. */
static const char *cell(const struct json_object *permit, size_t column, char buffer[static CELL_MAX]) {
        const char *key = columns[column].key, *text = json_text(permit, key);
        int64_t number = 0;

        switch (columns[column].kind) {
        case STATE:
                return grants_state_text(text);
        case CAUSE:
                return grants_cause_text(text);
        case NUMBER:
                (void)json_number(permit, key, &number);
                (void)snprintf(buffer, CELL_MAX, "%" PRId64, number);
                return buffer;
        case TIME:
                if (!json_number(permit, key, &number) || number <= 0)
                        return "";
                return timespec_for_person((uint64_t)number * USEC_PER_SEC, buffer);
        case TEXT:
                break;
        }
        return text ? text : "";
}

static const char *state_of(const struct json_object *permit) {
        const char *state = json_text(permit, "state");

        return state ? state : "";
}

void grants_print(const struct json_object *permit) {
        char buffer[CELL_MAX];
        int64_t id = 0;

        for (size_t i = 0; i < COLUMNS; i++) {
                const char *text = cell(permit, i, buffer);

                if (!*text || (strcmp(columns[i].key, "writes") == 0 && strcmp(text, "0") == 0))
                        continue;
                fprintf(stdout, "%s: ", _(columns[i].heading));
                text_print(text, stdout);
                putchar('\n');
        }
        (void)json_number(permit, "id", &id);
        if (strcmp(state_of(permit), "asked") == 0)
                printf(_("Another administrator has to approve it: sekishoctl grant approve %" PRId64 "\n"),
                       id);
        else if (strcmp(state_of(permit), "challenged") == 0)
                puts(_("Read the challenge out to the helpdesk, and give the answer to: sekishoctl grant "
                       "redeem CODE"));
        else if (strcmp(state_of(permit), "ended") == 0)
                printf(_("When the medium is back: sekishoctl grants close %" PRId64
                         " --returned (or --erased)\n"),
                       id);
}

static int print_csv(struct json_object *permits) {
        char buffer[CELL_MAX];
        int r = fputs("\xef\xbb\xbf", stdout) < 0 ? -1 : 0; /* else Excel takes it for Shift_JIS */

        for (size_t i = 0; i < COLUMNS && r >= 0; i++) {
                r = sheet_put_csv(_(columns[i].heading), stdout);
                fputs(i + 1 < COLUMNS ? "," : "\r\n", stdout);
        }
        for (size_t row = 0; row < json_object_array_length(permits) && r >= 0; row++)
                for (size_t i = 0; i < COLUMNS && r >= 0; i++) {
                        r = sheet_put_csv(cell(json_object_array_get_idx(permits, row), i, buffer), stdout);
                        fputs(i + 1 < COLUMNS ? "," : "\r\n", stdout);
                }
        return r;
}

static int print_table(struct json_object *permits) {
        static const size_t shown[] = {0, 1, 4, 5, 6, 2, 3, 11, 12};
        const char *headings[ELEMENTS(shown)], *cells[ELEMENTS(shown)];
        char buffers[ELEMENTS(shown)][CELL_MAX];
        CLEANUP(scope_table_free) Table *table = NULL;

        for (size_t i = 0; i < ELEMENTS(shown); i++)
                headings[i] = _(columns[shown[i]].heading);
        table = table_new(headings, ELEMENTS(shown));
        if (!table)
                return -1;
        for (size_t row = 0; row < json_object_array_length(permits); row++) {
                for (size_t i = 0; i < ELEMENTS(shown); i++)
                        cells[i] = cell(json_object_array_get_idx(permits, row), shown[i], buffers[i]);
                if (table_add(table, cells) < 0)
                        return -1;
        }
        table_print(table, stdout);
        return 0;
}

int command_grants_list(const Options *options) {
        CLEANUP_JSON struct json_object *book = NULL;
        struct json_object *permits;
        bool json = options->value[OPTION_JSON], csv = options->value[OPTION_CSV];
        int r;

        if (json && csv)
                return fail(_("--json and --csv exclude each other"));
        r = grants_ask(GRANT_LIST, NULL, 0, &book);
        if (r != 0)
                return r;
        permits = json_list(book, "permits");
        if (!permits)
                return fail(_("the guard says something that is no book of grants"));
        if (json)
                r = json_print(permits, "\n");
        else if (csv)
                r = print_csv(permits);
        else if (json_object_array_length(permits) == 0)
                puts(_("There are no grants."));
        else
                r = print_table(permits);
        return r < 0 ? fail(_("out of memory")) : EXIT_YES;
}

int command_grants_show(const Options *options) {
        CLEANUP_JSON struct json_object *book = NULL;
        struct json_object *permits;
        int r = grants_ask(GRANT_LIST, NULL, 0, &book);

        if (r != 0)
                return r;
        permits = json_list(book, "permits");
        for (size_t i = 0; permits && i < json_object_array_length(permits); i++) {
                struct json_object *permit = json_object_array_get_idx(permits, i);
                char buffer[CELL_MAX];

                if (strcmp(cell(permit, 0, buffer), options->arguments[0]) != 0)
                        continue;
                if (options->value[OPTION_JSON])
                        return json_print(permit, "\n") < 0 ? fail(_("out of memory")) : EXIT_YES;
                grants_print(permit);
                return EXIT_YES;
        }
        return fail(_("there is no such grant"));
}
