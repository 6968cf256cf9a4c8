/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command policy replay: recorded events through a draft. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/ctl/command.h"
#include "agent/ctl/explain.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/journal_source.h"
#include "agent/ctl/people.h"
#include "agent/ctl/replay.h"
#include "agent/ctl/status_file.h"
#include "agent/ctl/table.h"
#include "agent/ctl/text.h"
#include "agent/ctl/words.h"
#include "policy/build.h"
#include "policy/load.h"
#include "policy/monitor.h"

enum {
        COLUMN_BEFORE = EVENT_RULE, /* the first columns are those of events */
        COLUMN_AFTER,
        COLUMN_RULE,
        COLUMN_TIMES,
        COLUMNS
};

DEFINE_CLEANUP(sd_journal, sd_journal_close);

typedef struct Replayed {
        Policy *draft;
        EventFilter filter;
        People people;
        Table *table; /* NULL: JSON */
        struct json_object *otherwise, *undecided, *by_rule, *by_user, *by_device;
        int64_t records, same, without;
        bool locked; /* the terminal, now */
} Replayed;

static void replayed_clear(Replayed *replayed) {
        policy_unref(replayed->draft);
        people_clear(&replayed->people);
        table_free(replayed->table);
        json_object_put(replayed->otherwise);
        json_object_put(replayed->undecided);
        json_object_put(replayed->by_rule);
        json_object_put(replayed->by_user);
        json_object_put(replayed->by_device);
}

static int person(void *userdata, const char *uid, Subject *ret, gid_t **ret_groups) {
        (void)userdata;
        return person_subject(uid, ret, ret_groups);
}

/* A record may stand for several times. */
static int64_t times(const EventRecord *record) {
        const char *text = event_record_get(record, FIELD_COUNT);
        long long value = text ? strtoll(text, NULL, 10) : 1;

        return value > 0 ? value : 1;
}

static void add_up(struct json_object *sums, const char *key, int64_t count) {
        CLEANUP_FREE char *valid = text_valid(key ? key : "-", strlen(key ? key : "-"));
        struct json_object *sum;
        int64_t records = 0, before = 0;

        if (!valid)
                return;
        if (!json_object_object_get_ex(sums, valid, &sum)) {
                sum = json_object_new_object();
                json_object_object_add(sums, valid, sum);
        }
        (void)json_number(sum, "records", &records);
        (void)json_number(sum, "times", &before);
        json_put_number(sum, "records", records + 1);
        json_put_number(sum, "times", before + count);
}

static int add_row(Replayed *replayed, const EventRecord *record, const Replay *replay) {
        CLEANUP_EVENT_ROW EventRow row = {0};
        const char *cells[COLUMNS];
        char count[24];
        int r = event_record_row(record, people_name, &replayed->people, &row);

        if (r < 0)
                return r;
        for (size_t i = 0; i < COLUMN_BEFORE; i++)
                cells[i] = row.cells[i];
        snprintf(count, sizeof(count), "%" PRId64, times(record));
        cells[COLUMN_BEFORE] = word_access(replay->before);
        cells[COLUMN_AFTER] =
                strcmp(replay->after, "more") == 0 ? _("one factor more") : word_access(replay->after);
        cells[COLUMN_RULE] = replay->rule;
        cells[COLUMN_TIMES] = count;
        add_up(replayed->by_user, row.cells[EVENT_USER], times(record));
        add_up(replayed->by_device, row.cells[EVENT_DEVICE], times(record));
        return table_add(replayed->table, cells);
}

static int add_otherwise(Replayed *replayed, const EventRecord *record, const Replay *replay) {
        struct json_object *object = event_record_json(record);

        if (!object)
                return -ENOMEM;
        json_put_text(object, "before", replay->before);
        json_put_text(object, "after", replay->after);
        json_put_text(object, "rule_after", replay->rule);
        json_put_text(object, "reason_after", replay->reason);
        json_put_flag(object, "monitor_after", replay->monitor);
        json_object_array_add(replayed->otherwise, object);
        add_up(replayed->by_rule, event_record_get(record, FIELD_RULE), times(record));
        return add_row(replayed, record, replay);
}

static void add_undecided(Replayed *replayed, const EventRecord *record, const Replay *replay) {
        struct json_object *object = event_record_json(record);

        json_put_text(object, "missing", _(replay->missing));
        json_object_array_add(replayed->undecided, object);
}

static int replay_one(Replayed *replayed, const EventRecord *record) {
        Replay replay;
        int r;

        if (!event_filter_matches(&replayed->filter, record))
                return 0;
        r = replay_record(replayed->draft, record, person, NULL, &replay);
        if (r < 0)
                return r;
        replayed->records++;
        switch (replay.outcome) {
        case REPLAY_NO_VERDICT:
                replayed->without++;
                return 0;
        case REPLAY_SAME:
                replayed->same++;
                return 0;
        case REPLAY_UNDECIDED:
                add_undecided(replayed, record, &replay);
                return 0;
        case REPLAY_OTHERWISE:
                return add_otherwise(replayed, record, &replay);
        }
        return 0;
}

static int replay_all(Replayed *replayed, sd_journal *journal) {
        int r = replayed->filter.since > 0 ? sd_journal_seek_realtime_usec(journal, replayed->filter.since)
                                           : sd_journal_seek_head(journal);

        while (r >= 0 && (r = sd_journal_next(journal)) > 0) {
                CLEANUP_EVENT_RECORD EventRecord record = {0};

                r = journal_source_read(journal, &record, NULL);
                if (r == -EBADMSG || r == -EADDRNOTAVAIL) {
                        r = 0; /* damaged */
                        continue;
                }
                if (r >= 0)
                        r = replay_one(replayed, &record);
        }
        return r;
}

/* telling */

static int print_monitored(void *userdata, const Monitored *monitored) {
        (void)userdata;
        if (strcmp(monitored->name, "mode") == 0)
                printf("%s\n", _("The draft only watches: nothing that it denies is refused."));
        else
                printf(_("%s only watches: nothing that it denies is refused.\n"), monitored->name);
        return 0;
}

static void print_sums(const char *title, struct json_object *sums) {
        if (json_object_object_length(sums) == 0)
                return;
        printf("%s\n", title);
        json_object_object_foreach(sums, key, sum) {
                int64_t records = 0, count = 0;

                (void)json_number(sum, "records", &records);
                (void)json_number(sum, "times", &count);
                fputs("  ", stdout);
                text_print(key, stdout);
                printf(_(": %" PRId64 " records, %" PRId64 " times\n"), records, count);
        }
}

/* How often which gap, since a list of each would say no more. */
static void print_undecided(struct json_object *undecided) {
        CLEANUP_JSON struct json_object *sums = json_object_new_object();

        for (size_t i = 0; i < json_object_array_length(undecided); i++)
                add_up(sums, json_text(json_object_array_get_idx(undecided, i), "missing"), 1);
        if (json_object_object_length(sums) == 0)
                return;
        printf("%s\n", _("These hold too little to say:"));
        json_object_object_foreach(sums, key, sum) {
                int64_t records = 0;

                (void)json_number(sum, "records", &records);
                printf(_("  %" PRId64 " records: %s\n"), records, key);
        }
}

static void print_text(Replayed *replayed) {
        size_t n = json_object_array_length(replayed->otherwise);

        if (replayed->locked)
                puts(_("This terminal is locked down: what follows holds once that is lifted."));
        printf(_("Of %" PRId64 " records, %zu would have ended otherwise, %" PRId64
                 " as they did; %zu cannot be told, %" PRId64 " are about no verdict.\n"),
               replayed->records, n, replayed->same, json_object_array_length(replayed->undecided),
               replayed->without);
        if (n > 0)
                table_print(replayed->table, stdout);
        print_sums(_("By the rule of then:"), replayed->by_rule);
        print_sums(_("By person:"), replayed->by_user);
        print_sums(_("By device:"), replayed->by_device);
        print_undecided(replayed->undecided);
        printf("%s\n", _("What was allowed on a device leaves no record; people are taken to be in the "
                         "groups of today."));
        (void)policy_foreach_monitored(replayed->draft, time(NULL), print_monitored, NULL);
}

static int print_json(const Replayed *replayed, const char *path) {
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        struct json_object *draft = json_object_new_object();

        json_put_text(draft, "path", path);
        json_object_object_add(draft, "serial", json_object_new_uint64(replayed->draft->serial));
        json_put_text(draft, "mode", policy_mode_to_string(replayed->draft->mode));
        json_object_object_add(object, "draft", draft);
        json_put_flag(object, "lockdown_ignored", replayed->locked);
        json_put_number(object, "records", replayed->records);
        json_put_number(object, "same", replayed->same);
        json_put_number(object, "without_verdict", replayed->without);
        json_object_object_add(object, "otherwise", json_object_get(replayed->otherwise));
        json_object_object_add(object, "undecided", json_object_get(replayed->undecided));
        json_object_object_add(object, "by_rule", json_object_get(replayed->by_rule));
        json_object_object_add(object, "by_user", json_object_get(replayed->by_user));
        json_object_object_add(object, "by_device", json_object_get(replayed->by_device));
        return json_print(object, "\n");
}

static int load_draft(const Options *options, Policy **ret) {
        const char *path = options->arguments[0];
        int r = explain_load(path, true, ret);

        if (r < 0)
                return EXIT_TROUBLE;
        /* a lockdown is left out: the draft is asked about what was, and what will be */
        (*ret)->lsm_missing = status_file_lacks_lsm(options->value[OPTION_RUNTIME_DIR]);
        r = policy_resolve(*ret, &policy_resolver_nss);
        return r < 0 ? fail(_("users and groups could not be looked up: %s"), strerror(-r)) : 0;
}

int command_policy_replay(const Options *options) {
        const char *const headings[COLUMNS] = {_("TIME"), _("EVENT"), _("USER"), _("WHAT"), _("DEVICE"),
                                               _("THEN"), _("DRAFT"), _("RULE"), _("TIMES")};
        CLEANUP(scope_sd_journal_close) sd_journal *journal = NULL;
        CLEANUP(replayed_clear)
        Replayed replayed = {.filter.any_kind = true,
                             .table = table_new(headings, COLUMNS),
                             .otherwise = json_object_new_array(),
                             .undecided = json_object_new_array(),
                             .by_rule = json_object_new_object(),
                             .by_user = json_object_new_object(),
                             .by_device = json_object_new_object()};
        int r;

        if (!replayed.table || !replayed.otherwise || !replayed.undecided)
                return fail(_("out of memory"));
        if (journal_source_times(options, &replayed.filter) != 0 ||
            load_draft(options, &replayed.draft) != 0 ||
            journal_source_open(options, &replayed.filter, &journal) != 0)
                return EXIT_TROUBLE;
        replayed.locked = status_file_is_locked_down(options->value[OPTION_RUNTIME_DIR]);
        r = replay_all(&replayed, journal);
        if (r < 0)
                return fail(_("cannot read the journal: %s"), strerror(-r));
        if (!options->value[OPTION_JSON])
                print_text(&replayed);
        else if (print_json(&replayed, options->arguments[0]) < 0)
                return fail(_("out of memory"));
        return json_object_array_length(replayed.otherwise) > 0 ? EXIT_NO : EXIT_YES;
}
