/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command review: what the records of a month come to, on a sheet that a section head can read and sign.
 * It counts, and points at what is worth a question; it judges nobody.
 */
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/ctl/audit_journal.h"
#include "agent/ctl/command.h"
#include "agent/ctl/explain.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/journal_files.h"
#include "agent/ctl/people.h"
#include "agent/ctl/retention.h"
#include "agent/ctl/sheet.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "agent/ctl/words.h"

enum {
        BURST = 20, /* denials of one person within an hour */
        HOST_SIZE = 256,
        MONTH_SIZE = 8,
        WORK_BEGINS = 8 * 60 + 30, /* minutes of the day, from Monday to Friday */
        WORK_ENDS = 17 * 60 + 15,
};

typedef enum SheetPart {
        PART_EVENTS,
        PART_PEOPLE,
        PART_DEVICES,
        PART_DESTINATIONS,
        PART_RULES,
        PART_MEDIA,
        PART_LOGINS,
        PART_SIGNS,
        PART_NOTABLE,
        PARTS
} SheetPart;

typedef struct Review {
        sd_journal *journal;
        People people;
        Repeats repeats;
        SheetTable parts[PARTS];
        void *seen;       /* tree of names: media that were there before */
        SheetTable hours; /* denials by person and hour */
        uint64_t since, until, oldest;
        char host[HOST_SIZE], month[MONTH_SIZE];
} Review;

static void review_clear(Review *review) {
        if (review->journal)
                sd_journal_close(review->journal);
        people_clear(&review->people);
        repeats_clear(&review->repeats);
        for (size_t i = 0; i < PARTS; i++)
                sheet_table_clear(&review->parts[i]);
        tdestroy(review->seen, free);
        sheet_table_clear(&review->hours);
}

/* which month */

static int take_month(const char *text, Review *review) {
        time_t now = time(NULL);
        struct tm start, end;
        int year, month, length = 0;

        if (!localtime_r(&now, &start))
                return -ERANGE;
        year = start.tm_year + 1900;
        month = start.tm_mon; /* the one before, if none is named: 0 for the last one's December */
        if (text) {
                if (sscanf(text, "%4d-%2d%n", &year, &month, &length) != 2 || length != 7 ||
                    text[length] != '\0' || *text < '1' || *text > '9' || text[5] < '0' || month < 1 ||
                    month > 12)
                        return -EINVAL;
        } else if (month == 0) {
                year--;
                month = 12;
        }
        start = (struct tm){.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = 1, .tm_isdst = -1};
        end = (struct tm){.tm_year = year - 1900, .tm_mon = month, .tm_mday = 1, .tm_isdst = -1};
        review->since = (uint64_t)mktime(&start) * USEC_PER_SEC;
        review->until = (uint64_t)mktime(&end) * USEC_PER_SEC - 1;
        return strftime(review->month, sizeof(review->month), "%Y-%m", &start) > 0 ? 0 : -ERANGE;
}

/* counting */

static uint64_t times_of(const EventRecord *record) {
        uint64_t times = 1;

        (void)chain_number_parse(event_record_get(record, FIELD_COUNT), &times);
        return times;
}

static bool is_denial(EventKind kind) {
        return kind == EVENT_WRITE_DENIED || kind == EVENT_READ_DENIED || kind == EVENT_RAW_WRITE_DENIED;
}

static bool is_notable(EventKind kind) {
        static const EventKind notable[] = {
                EVENT_LATE_WRITER,       EVENT_POLICY_LOADED,      EVENT_POLICY_REFUSED,
                EVENT_POLICY_RESTORED,   EVENT_AGENT_LOST,         EVENT_ENFORCEMENT_FAILED,
                EVENT_FACTOR_ENROLLED,   EVENT_FACTOR_REMOVED,     EVENT_SUBSTITUTE_ISSUED,
                EVENT_GUARD_TOUCHED,     EVENT_BREAK_GLASS_USED,   EVENT_MAINTENANCE_STARTED,
                EVENT_MAINTENANCE_ENDED, EVENT_NETWORK_GUARD_LOST, EVENT_NETWORK_FAILED,
                EVENT_MONITOR_STARTED,   EVENT_MONITOR_ENDED,      EVENT_GRANT_BEGUN,
                EVENT_GRANT_ENDED,       EVENT_GRANT_REFUSED};

        for (size_t i = 0; i < ELEMENTS(notable); i++)
                if (notable[i] == kind)
                        return true;
        return false;
}

static bool is_off_hours(uint64_t realtime) {
        time_t when = (time_t)(realtime / USEC_PER_SEC);
        struct tm local;
        int minute;

        if (!localtime_r(&when, &local))
                return false;
        minute = local.tm_hour * 60 + local.tm_min;
        return local.tm_wday == 0 || local.tm_wday == 6 || minute < WORK_BEGINS || minute >= WORK_ENDS;
}

static const char *or_unknown(const char *text) {
        return text ? text : _("(unknown)");
}

/* Nobody was refused anything: it counts by what it would have been. */
static int count_watched(Review *review, const EventRecord *record, const EventRow *row) {
        return sheet_count(&review->parts[PART_SIGNS], _("only recorded, and not refused"),
                           or_unknown(row->cells[EVENT_RULE]), row->cells[EVENT_TIME], times_of(record));
}

static bool is_watched(const EventRecord *record) {
        const char *mode = event_record_get(record, FIELD_MODE);

        return mode && strcmp(mode, "monitor") == 0;
}

static int count_denial(Review *review, const EventRecord *record, const EventRow *row) {
        const char *who = or_unknown(row->cells[EVENT_USER]), *when = row->cells[EVENT_TIME];
        uint64_t times = times_of(record);
        char hour[TIMESPEC_TEXT_MAX];
        int r = sheet_count(&review->parts[PART_PEOPLE], who, NULL, when, times);

        if (r == 0)
                r = sheet_count(&review->parts[PART_DEVICES], or_unknown(row->cells[EVENT_DEVICE]), NULL,
                                when, times);
        if (r == 0)
                r = sheet_count(&review->parts[PART_RULES], or_unknown(row->cells[EVENT_RULE]), NULL, when,
                                times);
        if (r == 0 && is_off_hours(record->realtime))
                r = sheet_count(&review->parts[PART_SIGNS], _("refused outside of Mon-Fri 08:30-17:15"), who,
                                when, times);
        (void)snprintf(hour, sizeof(hour), "%.13s", when); /* "2026-11-21 08" */
        return r < 0 ? r : sheet_count(&review->hours, who, hour, when, times);
}

/* Programs that go on by themselves try at any hour, and often: no sign of anything. */
static int count_connection(Review *review, const EventRecord *record, const EventRow *row) {
        CLEANUP_FREE char *to = event_record_destination(record);
        const char *when = row->cells[EVENT_TIME];
        uint64_t times = times_of(record);
        int r = sheet_count(&review->parts[PART_PEOPLE], or_unknown(row->cells[EVENT_USER]), NULL, when,
                            times);

        if (r == 0)
                r = sheet_count(&review->parts[PART_DESTINATIONS], or_unknown(to), NULL, when, times);
        return r < 0 ? r
                     : sheet_count(&review->parts[PART_RULES], or_unknown(row->cells[EVENT_RULE]), NULL,
                                   when, times);
}

static bool is_refused_interface(EventKind kind, const EventRecord *record) {
        const char *verdict = event_record_get(record, FIELD_VERDICT);

        return kind == EVENT_NETWORK_INTERFACE_VERDICT && verdict &&
               strcmp(verdict, verdict_to_string(VERDICT_DENY)) == 0;
}

static int by_name(const void *left, const void *right) {
        return strcmp(left, right);
}

/* Whether MEDIUM is seen for the first time: 1, 0 or -ENOMEM. */
static int is_first(Review *review, const char *medium) {
        CLEANUP_FREE char *name = NULL;

        if (tfind(medium, &review->seen, by_name))
                return 0;
        name = strdup(medium);
        if (!name || !tsearch(name, &review->seen, by_name))
                return -ENOMEM;
        (void)STEAL_PTR(name); /* the tree's */
        return 1;
}

/* A medium that was let in, or kept from being written to. */
static int count_medium(Review *review, const EventRecord *record, const EventRow *row) {
        const char *medium = or_unknown(row->cells[EVENT_DEVICE]), *when = row->cells[EVENT_TIME];
        int first = is_first(review, medium);
        int r;

        if (first < 0 || record->realtime < review->since)
                return first < 0 ? first : 0;
        r = sheet_count(&review->parts[PART_MEDIA], medium,
                        word_access(event_record_get(record, FIELD_VERDICT)), when, 1);
        if (r == 0 && first)
                r = sheet_count(&review->parts[PART_SIGNS], _("medium seen for the first time"), medium,
                                when, 1);
        return r;
}

static int count(Review *review, const EventRecord *record, EventKind kind, const EventRow *row) {
        const char *const cells[SHEET_COLUMNS] = {row->cells[EVENT_TIME], row->cells[EVENT_KIND],
                                                  row->cells[EVENT_USER], row->cells[EVENT_WHAT]};
        int r = kind == EVENT_DEVICE_VERDICT ? count_medium(review, record, row) : 0;

        if (r < 0 || record->realtime < review->since)
                return r;
        r = sheet_count(&review->parts[PART_EVENTS], row->cells[EVENT_KIND], NULL, NULL, times_of(record));
        if (r == 0 && is_denial(kind))
                r = is_watched(record) ? count_watched(review, record, row)
                                       : count_denial(review, record, row);
        if (r == 0 && kind == EVENT_CONNECTION_DENIED && !is_watched(record))
                r = count_connection(review, record, row);
        if (r == 0 && (kind == EVENT_LOGIN_DENIED || kind == EVENT_FACTOR_FAILED))
                r = sheet_count(&review->parts[PART_LOGINS],
                                or_unknown(event_record_get(record, FIELD_PERSON)
                                                   ? event_record_get(record, FIELD_PERSON)
                                                   : event_record_get(record, FIELD_USER)),
                                row->cells[EVENT_KIND], row->cells[EVENT_TIME], 1);
        if (r == 0 && (is_notable(kind) || is_refused_interface(kind, record)))
                r = sheet_add(&review->parts[PART_NOTABLE], cells, 1);
        return r;
}

/* Whether the record is of the month, or says that a medium was known before: few of a journal's are. */
static bool counts(const Review *review) {
        const char *medium = event_to_string(EVENT_DEVICE_VERDICT);
        const size_t name = strlen(FIELD_EVENT "=");
        const void *data;
        size_t length;
        uint64_t realtime;

        if (sd_journal_get_realtime_usec(review->journal, &realtime) < 0)
                return true; /* reading it tells why */
        if (realtime >= review->since)
                return realtime <= review->until;
        return sd_journal_get_data(review->journal, FIELD_EVENT, &data, &length) < 0 ||
               (length == name + strlen(medium) &&
                memcmp((const char *)data + name, medium, strlen(medium)) == 0);
}

static int take_in(Review *review) {
        CLEANUP_EVENT_RECORD EventRecord record = {0};
        CLEANUP_EVENT_ROW EventRow row = {0};
        ChainDigest digest = {.n = 0};
        int r = counts(review) ? audit_journal_read(review->journal, &record, &digest) : 0;

        if (r <= 0)
                return r;
        if (!event_record_is_trusted(&record))
                return 0;
        r = repeats_take(&review->repeats, &record, &digest);
        if (r != 0)
                return r < 0 ? r : 0;
        r = event_record_row(&record, people_name, &review->people, &row);
        return r < 0 ? r
                     : count(review, &record,
                             (EventKind)event_from_string(event_record_get(&record, FIELD_EVENT)), &row);
}

static int read_all(Review *review) {
        int r = sd_journal_seek_head(review->journal);

        review->oldest = audit_journal_oldest(review->journal);
        while (r >= 0 && (r = sd_journal_next(review->journal)) > 0)
                r = take_in(review);
        for (size_t i = 0; i < review->hours.n && r >= 0; i++) {
                const SheetRow *row = &review->hours.rows[i];

                if (row->times >= BURST)
                        r = sheet_count(&review->parts[PART_SIGNS], _("20 or more refused within an hour"),
                                        row->cells[0], row->cells[2], row->times);
        }
        for (size_t i = 0; i < PART_SIGNS; i++)
                sheet_sort(&review->parts[i]);
        return r;
}

/* the sheet */

static void head_tables(SheetTable *parts) {
        const SheetTable heads[PARTS] = {
                [PART_EVENTS] = {.key = "events",
                                 .title = _("Records by kind"),
                                 .keys = {"event", "times"},
                                 .headings = {_("EVENT"), _("TIMES")}},
                [PART_PEOPLE] = {.key = "refused_by_person",
                                 .title = _("Refused, by person"),
                                 .keys = {"person", "times", "last"},
                                 .headings = {_("USER"), _("TIMES"), _("LAST")}},
                [PART_DEVICES] = {.key = "refused_by_device",
                                  .title = _("Refused, by device"),
                                  .keys = {"device", "times", "last"},
                                  .headings = {_("DEVICE"), _("TIMES"), _("LAST")}},
                [PART_DESTINATIONS] = {.key = "refused_by_destination",
                                       .title = _("Refused, by destination on the network"),
                                       .keys = {"destination", "times", "last"},
                                       .headings = {_("DESTINATION"), _("TIMES"), _("LAST")}},
                [PART_RULES] = {.key = "refused_by_rule",
                                .title = _("Refused, by rule"),
                                .keys = {"rule", "times", "last"},
                                .headings = {_("RULE"), _("TIMES"), _("LAST")}},
                [PART_MEDIA] = {.key = "media",
                                .title = _("Media plugged in, and what was allowed with them"),
                                .keys = {"device", "verdict", "last", "times"},
                                .headings = {_("DEVICE"), _("ALLOWED"), _("LAST"), _("TIMES")}},
                [PART_LOGINS] = {.key = "logins_failed",
                                 .title = _("Logins that failed"),
                                 .keys = {"person", "event", "last", "times"},
                                 .headings = {_("USER"), _("EVENT"), _("LAST"), _("TIMES")}},
                [PART_SIGNS] = {.key = "signs",
                                .title = _("Worth a question"),
                                .keys = {"sign", "about", "last", "times"},
                                .headings = {_("WHAT"), _("ABOUT"), _("LAST"), _("TIMES")}},
                [PART_NOTABLE] = {.key = "notable",
                                  .title = _("Emergencies, substitutes, maintenance, changes of policy and "
                                             "of what people log in with"),
                                  .keys = {"time", "event", "person", "what"},
                                  .headings = {_("TIME"), _("EVENT"), _("USER"), _("WHAT")}},
        };

        memcpy(parts, heads, sizeof(heads));
}

/* Whether this terminal's journal can keep records for as long as the policy asks. 0, or -EINVAL after one
 * line on stderr. */
static int tell_retention(const Review *review, const Options *options, char **ret) {
        CLEANUP(explain_clear) Explain explain = {0};
        uint64_t bytes = 0, now = timespec_now();
        unsigned keep;

        if (options->value[OPTION_DIRECTORY] || options->value[OPTION_FILE])
                return 0;
        if (explain_begin(options, &explain) != 0)
                return -EINVAL;
        keep = explain.policy->records_keep_days;
        if (keep == 0)
                return 0;
        (void)sd_journal_get_usage(review->journal, &bytes);
        *ret = retention_words(keep, bytes, review->oldest, now);
        return 0;
}

static int print_sheet(Review *review, const Options *options) {
        char from[TIMESPEC_TEXT_MAX], to[TIMESPEC_TEXT_MAX], begins[TIMESPEC_TEXT_MAX];
        CLEANUP_FREE char *period = text_format("%s - %s", timespec_for_person(review->since, from),
                                                timespec_for_person(review->until, to));
        CLEANUP_FREE char *remark = NULL;
        CLEANUP_FREE char *short_of = NULL;
        Sheet sheet = {.title = _("Review of the guard's records"),
                       .host = review->host,
                       .month = review->month,
                       .tables = review->parts,
                       .n_tables = PARTS};

        if (review->oldest == 0 || review->oldest > review->since)
                remark = text_format(
                        _("INCOMPLETE: the journal goes back to %s only, and not to the beginning "
                          "of the month."),
                        review->oldest ? timespec_for_person(review->oldest, begins) : "-");
        if (!period)
                return -ENOMEM;
        sheet.period = period;
        if (tell_retention(review, options, &short_of) < 0)
                return -EINVAL;
        sheet.remarks[0] = remark;
        sheet.remarks[1] = short_of;
        if (options->value[OPTION_JSON])
                return sheet_print_json(&sheet);
        if (options->value[OPTION_HTML])
                return sheet_print_html(&sheet, stdout);
        if (options->value[OPTION_CSV])
                return sheet_print_csv(&sheet, stdout);
        return sheet_print_text(&sheet, stdout);
}

int command_review(const Options *options) {
        CLEANUP(review_clear) Review review = {0};
        int forms =
                !!options->value[OPTION_JSON] + !!options->value[OPTION_HTML] + !!options->value[OPTION_CSV];
        int r = take_month(options->value[OPTION_MONTH], &review);

        if (r < 0)
                return fail(_("--month '%s': expected a month such as 2026-11"),
                            options->value[OPTION_MONTH]);
        if (forms > 1)
                return fail(_("--json, --html and --csv exclude each other"));
        head_tables(review.parts);
        if (gethostname(review.host, sizeof(review.host) - 1) < 0)
                review.host[0] = '\0';
        if (options->value[OPTION_DIRECTORY] || options->value[OPTION_FILE])
                (void)snprintf(review.host, sizeof(review.host), "%s",
                               options->value[OPTION_DIRECTORY] ? options->value[OPTION_DIRECTORY]
                                                                : options->value[OPTION_FILE]);
        if (options->value[OPTION_TERMINAL])
                (void)snprintf(review.host, sizeof(review.host), "%s", options->value[OPTION_TERMINAL]);
        if (audit_journal_open(options, &review.journal) != 0)
                return EXIT_TROUBLE;
        r = read_all(&review);
        if (r < 0)
                return fail(_("cannot read the journal: %s"), strerror(-r));
        r = print_sheet(&review, options);
        return r == -EINVAL ? EXIT_TROUBLE : r < 0 ? fail(_("out of memory")) : EXIT_YES;
}
