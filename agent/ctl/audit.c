/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command audit verify: whether the records are all there, and as they were written. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/ctl/audit_journal.h"
#include "agent/ctl/chain_check.h"
#include "agent/ctl/command.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/terminals.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"
#include "agent/ctl/words.h"
#include "agent/file.h"
#include "policy/chain_file.h"

#define DEFAULT_STATE_DIR "/var/lib/sekisho"
#define CATCH_UP_USEC     (3 * USEC_PER_SEC) /* for what journald has not taken in yet */

enum {
        KEY_SIZE = 256
};

/* A chain as its writer left it, on this terminal. */
typedef struct Left {
        bool is_known, writing;
        ChainHead head;
        uint64_t since; /* when it was written to last */
} Left;

typedef struct Audit {
        sd_journal *journal;
        ChainCheck check;
        JournalSeals seals;
        uint64_t since, oldest;
        Left agent, logins;
        Terminals terminals;
        int journalctl; /* its exit status; -1: it was not asked */
} Audit;

static void audit_clear(Audit *audit) {
        if (audit->journal)
                sd_journal_close(audit->journal);
        chain_check_clear(&audit->check);
        terminals_clear(&audit->terminals);
}

/* reading */

static uint64_t machine_of(const EventRecord *record) {
        const char *id = event_record_get(record, "_MACHINE_ID");
        char first[17] = "";

        if (id)
                (void)snprintf(first, sizeof(first), "%s", id);
        return strtoull(first, NULL, 16);
}

/* Whether RECORD has a place in a chain. */
static bool read_place(const EventRecord *record, ChainItem *item) {
        const char *id = event_record_get(record, FIELD_CHAIN_ID),
                   *begin = event_record_get(record, FIELD_CHAIN_BEGIN);
        int word = begin ? chain_begin_from_string(begin) : CHAIN_GOES_ON;

        if (!id || !chain_id_is_valid(id) || word < 0 ||
            !chain_number_parse(event_record_get(record, FIELD_SEQUENCE), &item->sequence) ||
            !chain_number_parse(event_record_get(record, FIELD_WRITTEN), &item->written) ||
            !chain_link_parse(event_record_get(record, FIELD_CHAIN), item->link))
                return false;
        memcpy(item->id, id, CHAIN_ID_TEXT);
        item->begin = (ChainBegin)word;
        item->writer = chain_writer_from_string(event_record_get(record, FIELD_CHAIN_WRITER));
        return true;
}

static bool is_roots(const EventRecord *record) {
        const char *uid = event_record_get(record, "_UID");

        return uid && strcmp(uid, "0") == 0;
}

/* The record that the journal stands on. 0 or -errno. */
static int take_in(Audit *audit) {
        CLEANUP_EVENT_RECORD EventRecord record = {0};
        ChainDigest digest = {.n = 0};
        ChainItem item = {.sequence = 0};
        bool placed;
        int r = audit_journal_read(audit->journal, &record, &digest);

        if (r <= 0)
                return r;
        placed = read_place(&record, &item) && chain_digest_end(&digest, item.record) == 0;
        /* with a place in a chain it is judged by that, whatever was made of the rest */
        if ((!event_record_is_trusted(&record) && !(placed && is_roots(&record))) ||
            record.realtime < audit->since)
                return 0;
        item.realtime = record.realtime;
        item.machine = machine_of(&record);
        item.kind = (EventKind)event_from_string(event_record_get(&record, FIELD_EVENT));
        if (!placed)
                item.id[0] = '\0';
        r = terminals_note(&audit->terminals, item.machine, event_record_get(&record, "_HOSTNAME"));
        return r < 0 ? r : chain_check_add(&audit->check, &item);
}

static int take_in_rest(Audit *audit) {
        int r;

        while ((r = sd_journal_next(audit->journal)) > 0)
                if ((r = take_in(audit)) < 0)
                        return r;
        return r;
}

static bool has(const ChainCheck *check, const Left *left) {
        if (!left->is_known || left->writing)
                return true;
        for (size_t i = check->n; i > 0; i--)
                if (check->items[i - 1].sequence >= left->head.sequence &&
                    strcmp(check->items[i - 1].id, left->head.id) == 0)
                        return true;
        return false;
}

/* A record that was written a moment ago may not be in the journal yet. */
static int catch_up(Audit *audit) {
        uint64_t until = timespec_now() + CATCH_UP_USEC;
        int r = 0;

        while (r >= 0 && (!has(&audit->check, &audit->agent) || !has(&audit->check, &audit->logins))) {
                uint64_t now = timespec_now();

                if (now >= until)
                        return 0;
                r = sd_journal_wait(audit->journal, until - now);
                if (r >= 0)
                        r = take_in_rest(audit);
        }
        return r;
}

static void read_left(const char *directory, const char *name, Left *ret) {
        CLEANUP_FREE char *path = text_format("%s/%s", directory, name);
        CLEANUP_CLOSE int fd = path ? open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return;
        ret->since = (uint64_t)st.st_mtim.tv_sec * USEC_PER_SEC;
        ret->is_known = chain_file_read(fd, &ret->head, &ret->writing) > 0;
}

/* verifying */

static int judge_end(Audit *audit, const Left *left, ChainWriter writer) {
        if (!left->is_known)
                return 0;
        return chain_check_end(&audit->check, &left->head, writer, left->writing,
                               audit->oldest > 0 && left->since > audit->oldest + USEC_PER_SEC &&
                                       left->since >= audit->since);
}

static int verify(Audit *audit) {
        int r = audit->since > 0 ? sd_journal_seek_realtime_usec(audit->journal, audit->since)
                                 : sd_journal_seek_head(audit->journal);

        audit->oldest = audit_journal_oldest(audit->journal);
        if (r >= 0)
                r = take_in_rest(audit);
        if (r >= 0)
                r = catch_up(audit);
        if (r >= 0)
                r = chain_check_run(&audit->check, audit->since == 0);
        if (r >= 0)
                r = judge_end(audit, &audit->agent, WRITER_AGENT);
        return r < 0 ? r : judge_end(audit, &audit->logins, WRITER_LOGINS);
}

/* Where in the journal ITEM is: a new string, or NULL. */
static char *cursor_of(sd_journal *journal, const ChainItem *item) {
        char match[128], *cursor = NULL;

        if (item->realtime == 0)
                return NULL;
        sd_journal_flush_matches(journal);
        if (item->id[0] != '\0') {
                (void)snprintf(match, sizeof(match), FIELD_CHAIN_ID "=%s", item->id);
                (void)sd_journal_add_match(journal, match, 0);
                (void)snprintf(match, sizeof(match), FIELD_SEQUENCE "=%" PRIu64, item->sequence);
        } else
                (void)snprintf(match, sizeof(match), FIELD_EVENT "=%s", event_to_string(item->kind));
        (void)sd_journal_add_match(journal, match, 0);
        if (sd_journal_seek_realtime_usec(journal, item->realtime) < 0 || sd_journal_next(journal) <= 0 ||
            sd_journal_get_cursor(journal, &cursor) < 0)
                return NULL;
        return cursor;
}

/* journalctl, which can verify seals */

static int run_journalctl(const Options *options, const char *key) {
        CLEANUP_FREE char *with = text_format("--verify-key=%s", key);
        CLEANUP_FREE char *from = options->value[OPTION_DIRECTORY]
                                          ? text_format("--directory=%s", options->value[OPTION_DIRECTORY])
                                  : options->value[OPTION_FILE]
                                          ? text_format("--file=%s", options->value[OPTION_FILE])
                                          : strdup("--quiet");
        int status;
        pid_t pid;

        if (!with || !from)
                return -ENOMEM;
        (void)fflush(NULL);
        pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0) {
                if (dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
                        (void)execl("/usr/bin/journalctl", "journalctl", "--verify", "--quiet", with, from,
                                    (char *)NULL);
                _exit(127);
        }
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int verify_seals(const Options *options, Audit *audit) {
        const char *path = options->value[OPTION_VERIFY_KEY];
        char key[KEY_SIZE];
        ssize_t n;

        audit->journalctl = -1;
        audit->seals = audit_journal_seals(options);
        if (!path)
                return 0;
        n = file_read_small(AT_FDCWD, path, key, sizeof(key));
        if (n < 0)
                return fail("--verify-key %s: %s", path, strerror((int)-n));
        if (audit->seals.sealed == 0)
                return fail(_("--verify-key: none of these journal files is sealed"));
        audit->journalctl = run_journalctl(options, key);
        explicit_bzero(key, sizeof(key));
        if (audit->journalctl < 0 || audit->journalctl > 125)
                return fail(_("cannot run journalctl --verify"));
        return 0;
}

/* telling */

static const char *writer_text(ChainWriter writer) {
        switch (writer) {
        case WRITER_AGENT:
                return _("agent");
        case WRITER_KEEPER:
                return _("keeper");
        case WRITER_LOGINS:
                return _("logins");
        case WRITER_LOGIN:
                return _("one login");
        case WRITER_UNKNOWN:
                break;
        }
        return _("unknown writer");
}

static const char *finding_text(ChainFindingKind kind) {
        switch (kind) {
        case CHAIN_MISSING:
                return _("MISSING: taken away, or lost with the power");
        case CHAIN_LAST_MISSING:
                return _("MISSING at the end: written, and not there any more");
        case CHAIN_CHANGED:
                return _("CHANGED: this record, or the one before it, is not what was written");
        case CHAIN_TIME_CHANGED:
                return _("CHANGED: its time is not the time at which it was written");
        case CHAIN_INSERTED:
                return _("INSERTED: its number is another record's");
        case CHAIN_UNCHAINED:
                return _("INSERTED: in the guard's name, and in no chain");
        case CHAIN_LAPSED:
                return _("older than what the journal keeps");
        case CHAIN_KILLED:
                return _("not written: the guard was killed meanwhile");
        case CHAIN_RECOVERED:
                return _("goes on from the journal: the guard had lost where the chain ended");
        case CHAIN_BEGUN:
                return _("a chain begins: it cannot be tied to what was before");
        }
        return "?";
}

static void tell_finding(Audit *audit, const ChainFinding *finding) {
        const ChainItem *item = finding->item;
        CLEANUP_FREE char *cursor = cursor_of(audit->journal, item);
        char time[TIMESPEC_TEXT_MAX], numbers[64] = "-";

        if (finding->from > 0 && finding->from == finding->to)
                (void)snprintf(numbers, sizeof(numbers), "%" PRIu64, finding->from);
        else if (finding->from > 0)
                (void)snprintf(numbers, sizeof(numbers), "%" PRIu64 "-%" PRIu64, finding->from, finding->to);
        if (audit->terminals.n > 1)
                printf("%s  ", terminals_name(&audit->terminals, item->machine));
        printf("%s  %s %s  %s\n", item->realtime > 0 ? timespec_for_person(item->realtime, time) : "-",
               writer_text(item->writer), numbers, finding_text(finding->kind));
        if (chain_finding_is_fault(finding->kind))
                printf("    %s  %s\n    %s\n", item->id, word_event(event_to_string(item->kind)),
                       cursor ? cursor : "-");
}

static void tell_seals(const Audit *audit) {
        if (audit->seals.sealed == 0)
                puts(_("The journal is not sealed: who was root could have written everything anew since "
                       "then."));
        else if (audit->journalctl < 0)
                printf(_("%zu of %zu journal files are sealed; --verify-key checks that.\n"),
                       audit->seals.sealed, audit->seals.files);
        else if (audit->journalctl == 0)
                printf(_("%zu of %zu journal files are sealed, and journalctl finds them as they were "
                         "written.\n"),
                       audit->seals.sealed, audit->seals.files);
        else
                puts(_("JOURNALCTL FINDS JOURNAL FILES THAT ARE NOT AS THEY WERE SEALED."));
}

static void tell(Audit *audit) {
        size_t faults = chain_check_faults(&audit->check);
        char time[TIMESPEC_TEXT_MAX];

        for (size_t i = 0; i < audit->check.n_findings; i++)
                tell_finding(audit, &audit->check.findings[i]);
        printf(_("%zu records in %zu chains; the journal begins at %s.\n"), audit->check.chained,
               audit->check.chains, audit->oldest ? timespec_for_person(audit->oldest, time) : "-");
        if (audit->terminals.n > 1)
                printf(_("They are from %zu terminals.\n"), audit->terminals.n);
        if (audit->check.unchained_before > 0)
                printf(_("%zu records are from before there were chains.\n"), audit->check.unchained_before);
        tell_seals(audit);
        if (faults == 0)
                puts(_("No record is missing, changed or inserted."));
        else
                printf(_("%zu FAULTS.\n"), faults);
}

static int tell_json(Audit *audit) {
        CLEANUP_JSON struct json_object *object = json_object_new_object();
        struct json_object *list = json_object_new_array();
        char time[TIMESPEC_TEXT_MAX];

        if (!object || !list) {
                json_object_put(list);
                return -ENOMEM;
        }
        for (size_t i = 0; i < audit->check.n_findings; i++) {
                const ChainFinding *finding = &audit->check.findings[i];
                CLEANUP_FREE char *cursor = cursor_of(audit->journal, finding->item);
                struct json_object *one = json_object_new_object();

                json_put_text(one, "finding", chain_finding_to_string(finding->kind));
                json_put_flag(one, "fault", chain_finding_is_fault(finding->kind));
                json_put_text(one, "writer", chain_writer_to_string(finding->item->writer));
                json_put_text(one, "chain", finding->item->id[0] ? finding->item->id : NULL);
                json_put_number(one, "from", (int64_t)finding->from);
                json_put_number(one, "to", (int64_t)finding->to);
                json_put_text(one, "host", terminals_name(&audit->terminals, finding->item->machine));
                json_put_text(one, "event", event_to_string(finding->item->kind));
                json_put_text(one, "time",
                              finding->item->realtime ? timespec_iso(finding->item->realtime, time) : NULL);
                json_put_text(one, "cursor", cursor);
                json_object_array_add(list, one);
        }
        json_object_object_add(object, "findings", list);
        json_put_number(object, "faults", (int64_t)chain_check_faults(&audit->check));
        json_put_number(object, "records", (int64_t)audit->check.chained);
        json_put_number(object, "chains", (int64_t)audit->check.chains);
        json_put_number(object, "terminals", (int64_t)audit->terminals.n);
        json_put_number(object, "unchained_before", (int64_t)audit->check.unchained_before);
        json_put_text(object, "journal_begins", audit->oldest ? timespec_iso(audit->oldest, time) : NULL);
        json_put_number(object, "journal_files", (int64_t)audit->seals.files);
        json_put_number(object, "journal_files_sealed", (int64_t)audit->seals.sealed);
        json_put_text(object, "seals",
                      audit->journalctl < 0    ? "not-verified"
                      : audit->journalctl == 0 ? "good"
                                               : "broken");
        return json_print(object, "\n");
}

int command_audit_verify(const Options *options) {
        CLEANUP(audit_clear) Audit audit = {.journalctl = -1};
        const char *since = options->value[OPTION_SINCE], *why;
        bool here = !options->value[OPTION_DIRECTORY] && !options->value[OPTION_FILE];
        const char *state = options->value[OPTION_STATE_DIR];
        int r;

        if (since && timespec_parse(since, timespec_now(), TIMESPEC_START, &audit.since, &why) < 0)
                return fail("--since '%s': %s", since, _(why));
        if (state && !here)
                return fail(_("--state-dir goes with the journal of this terminal alone"));
        if (here) { /* before the journal: it must have what these say */
                CLEANUP_FREE char *login = text_format("%s/login", state ? state : DEFAULT_STATE_DIR);

                read_left(state ? state : DEFAULT_STATE_DIR, CHAIN_FILE_AGENT, &audit.agent);
                if (login)
                        read_left(login, CHAIN_FILE_LOGINS, &audit.logins);
        }
        if (audit_journal_open(options, &audit.journal) != 0 || verify_seals(options, &audit) != 0)
                return EXIT_TROUBLE;
        r = verify(&audit);
        if (r < 0)
                return fail(_("cannot read the journal: %s"), strerror(-r));
        if (!options->value[OPTION_JSON])
                tell(&audit);
        else if (tell_json(&audit) < 0)
                return fail(_("out of memory"));
        return chain_check_faults(&audit.check) > 0 || audit.journalctl > 0 ? EXIT_NO : EXIT_YES;
}
