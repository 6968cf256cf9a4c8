/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command events: the journal through a filter, as a table or as JSON. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/event_record.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/journal_files.h"
#include "agent/ctl/journal_source.h"
#include "agent/ctl/people.h"
#include "agent/ctl/table.h"
#include "agent/ctl/text.h"
#include "agent/name_key.h"
#include "policy/destination.h"

#define DEFAULT_STATE_DIR "/var/lib/sekisho"

enum {
        FOLLOW_LINES = 10,
        LINES_MAX = 1000000
};

typedef struct Viewer {
        sd_journal *journal;
        EventFilter filter;
        People people;
        Repeats repeats;
        Table *table;   /* NULL: JSON */
        bool collected; /* of other terminals */
        bool follow, has_lines;
        long lines;
        size_t shown;
} Viewer;

static void viewer_clear(Viewer *viewer) {
        if (viewer->journal)
                sd_journal_close(viewer->journal);
        table_free(viewer->table);
        people_clear(&viewer->people);
        repeats_clear(&viewer->repeats);
}

/* what is asked for */

static int parse_kinds(const Options *options, EventFilter *filter) {
        filter->any_kind = options->events.n == 0;
        for (size_t i = 0; i < options->events.n; i++) {
                int kind = event_from_string(options->events.values[i]);

                if (kind <= EVENT_NONE)
                        return fail(_("--event '%s': there is no such event; see sekishoctl(1)"),
                                    options->events.values[i]);
                filter->by_kind[kind] = true;
        }
        return 0;
}

static int parse_lines(const char *text, Viewer *viewer) {
        char *end;

        if (!text) {
                viewer->has_lines = viewer->follow;
                viewer->lines = FOLLOW_LINES;
                return 0;
        }
        errno = 0;
        viewer->lines = strtol(text, &end, 10);
        if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || viewer->lines > LINES_MAX)
                return fail(_("--lines '%s': expected a number from 0 to %d"), text, LINES_MAX);
        viewer->has_lines = true;
        return 0;
}

static int parse_user(const char *text, EventFilter *filter) {
        uid_t uid;
        int r;

        if (!text)
                return 0;
        r = person_uid(text, &uid);
        if (r == -ENOENT)
                return fail(_("--user '%s': there is no such user"), text);
        if (r < 0)
                return fail(_("--user '%s': %s"), text, strerror(-r));
        filter->by_user = true;
        filter->uid = (uint32_t)uid;
        return 0;
}

/* Where this terminal has a secret by which names become tokens, the token of the name counts as well. */
static int parse_name(const Options *options, EventFilter *filter) {
        const char *directory = options->value[OPTION_STATE_DIR], *name = options->value[OPTION_NAME];
        unsigned char key[FILE_NAMES_KEY];
        int r;

        if (directory && !name)
                return fail(_("--state-dir goes with --name"));
        if (!name)
                return 0;
        if (!*name || strchr(name, '/'))
                return fail(_("--name '%s': expected the name of a file, without its directory"), name);
        r = name_key_read(directory ? directory : DEFAULT_STATE_DIR, key);
        if (r == 0)
                file_name_token(key, name, strlen(name), filter->token);
        explicit_bzero(key, sizeof(key));
        if (r < 0 && r != -ENOENT)
                return fail(_("the secret for the names of files cannot be read: %s"), strerror(-r));
        return 0;
}

static int parse_destination(const char *text) {
        const char *why;

        return text && destination_check(text, &why) < 0 ? fail("--destination '%s': %s", text, _(why)) : 0;
}

static int parse(const Options *options, Viewer *viewer) {
        EventFilter *filter = &viewer->filter;

        filter->device = options->value[OPTION_DEVICE];
        filter->rule = options->value[OPTION_RULE];
        filter->person = options->value[OPTION_PERSON];
        filter->destination = options->value[OPTION_DESTINATION];
        filter->untrusted = options->value[OPTION_UNTRUSTED];
        filter->name = options->value[OPTION_NAME];
        viewer->follow = options->value[OPTION_FOLLOW];
        if (parse_kinds(options, filter) != 0 || parse_lines(options->value[OPTION_LINES], viewer) != 0 ||
            parse_user(options->value[OPTION_USER], filter) != 0 || parse_name(options, filter) != 0 ||
            parse_destination(options->value[OPTION_DESTINATION]) != 0 ||
            journal_source_times(options, filter) != 0)
                return EXIT_TROUBLE;
        if (options->value[OPTION_SINCE] && !options->value[OPTION_LINES])
                viewer->has_lines = false;
        if (viewer->follow && options->value[OPTION_UNTIL])
                return fail(_("--follow does not go with --until"));
        return 0;
}

/* showing */

static int show_json(Viewer *viewer, const EventRecord *record) {
        CLEANUP_JSON struct json_object *object = event_record_json(record);

        if (!object)
                return -ENOMEM;
        if (!viewer->follow)
                fputs(viewer->shown == 0 ? "[" : ",\n ", stdout);
        return json_print(object, viewer->follow ? "\n" : "");
}

static int show_row(Viewer *viewer, const EventRecord *record) {
        CLEANUP_EVENT_ROW EventRow row = {0};
        int r = event_record_row(record, people_name, &viewer->people, &row);

        return r < 0 ? r : table_add(viewer->table, (const char *const *)row.cells);
}

/* Shows the entry the journal stands on, if it was asked for. An entry that is damaged is passed over. */
static int consider(Viewer *viewer) {
        CLEANUP_EVENT_RECORD EventRecord record = {0};
        ChainDigest digest = {.n = 0};
        int r = journal_source_read(viewer->journal, &record, viewer->collected ? &digest : NULL);

        if (r == -EBADMSG || r == -EADDRNOTAVAIL)
                return 0;
        if (r < 0)
                return r;
        if (!event_filter_matches(&viewer->filter, &record))
                return 0;
        r = viewer->collected ? repeats_take(&viewer->repeats, &record, &digest) : 0;
        if (r != 0)
                return r < 0 ? r : 0;
        r = viewer->table ? show_row(viewer, &record) : show_json(viewer, &record);
        viewer->shown++;
        return r;
}

/* Goes back from the end until LINES entries are wanted. 1: the journal stands on the first to show; 0: it
 * stands before it. */
static int go_back(Viewer *viewer) {
        int r = viewer->filter.until == UINT64_MAX
                        ? sd_journal_seek_tail(viewer->journal)
                        : sd_journal_seek_realtime_usec(viewer->journal, viewer->filter.until + 1);

        for (long found = 0; r >= 0;) {
                CLEANUP_EVENT_RECORD EventRecord record = {0};

                r = sd_journal_previous(viewer->journal);
                if (r == 0)
                        return sd_journal_seek_head(viewer->journal);
                if (viewer->lines == 0)
                        return 0;
                if (r > 0)
                        r = journal_source_read(viewer->journal, &record, NULL);
                if (r == -EBADMSG || r == -EADDRNOTAVAIL)
                        r = 0;
                if (r == 0 && record.n > 0 && record.realtime < viewer->filter.since)
                        return 1;
                if (r == 0 && event_filter_matches(&viewer->filter, &record) && ++found == viewer->lines)
                        return 1;
        }
        return r;
}

static int seek(Viewer *viewer) {
        if (viewer->has_lines)
                return go_back(viewer);
        if (viewer->filter.since > 0)
                return sd_journal_seek_realtime_usec(viewer->journal, viewer->filter.since);
        return sd_journal_seek_head(viewer->journal);
}

static int show_rest(Viewer *viewer) {
        int r;

        while ((r = sd_journal_next(viewer->journal)) > 0)
                if ((r = consider(viewer)) < 0)
                        return r;
        return r;
}

static int follow(Viewer *viewer) {
        int r = 0;

        while (r >= 0 && !ferror(stdout)) {
                if (viewer->table && table_rows(viewer->table) > 0)
                        table_print(viewer->table, stdout);
                fflush(stdout);
                r = sd_journal_wait(viewer->journal, UINT64_MAX);
                if (r >= 0)
                        r = show_rest(viewer);
        }
        return r;
}

static int view(Viewer *viewer) {
        int r = seek(viewer);

        if (r > 0)
                r = consider(viewer);
        if (r >= 0 && !(viewer->has_lines && viewer->lines == 0))
                r = show_rest(viewer);
        if (r >= 0 && viewer->follow)
                return follow(viewer);
        if (!viewer->table)
                fputs(viewer->shown == 0 ? "[]\n" : "]\n", stdout);
        else if (table_rows(viewer->table) > 0)
                table_print(viewer->table, stdout);
        else
                printf("%s\n", _("No such events."));
        return r;
}

int command_events(const Options *options) {
        const char *const headings[EVENT_COLUMNS] = {_("TIME"),   _("EVENT"), _("USER"),  _("WHAT"),
                                                     _("DEVICE"), _("RULE"),  _("TIMES"), _("TERMINAL")};
        CLEANUP(viewer_clear) Viewer viewer = {0};
        int r;

        viewer.collected = options->value[OPTION_DIRECTORY] || options->value[OPTION_FILE];
        if (parse(options, &viewer) != 0 ||
            journal_source_open(options, &viewer.filter, &viewer.journal) != 0)
                return EXIT_TROUBLE;
        if (!options->value[OPTION_JSON]) {
                viewer.table = table_new(headings, viewer.collected ? EVENT_COLUMNS : EVENT_COLUMNS - 1);
                if (!viewer.table)
                        return fail(_("out of memory"));
        }
        r = view(&viewer);
        return r < 0 ? fail(_("cannot read the journal: %s"), strerror(-r)) : EXIT_YES;
}
