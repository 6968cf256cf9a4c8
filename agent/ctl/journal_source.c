/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/ctl/journal_source.h"

#include <errno.h>
#include <string.h>

#include "agent/ctl/i18n.h"
#include "agent/ctl/journal_files.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"

enum {
        FIELD_SIZE_MAX = 64 * 1024
};

DEFINE_CLEANUP(sd_journal, sd_journal_close);

static int parse_time(const char *option, const char *text, TimespecEdge edge, uint64_t *ret) {
        const char *why;

        if (!text || timespec_parse(text, timespec_now(), edge, ret, &why) == 0)
                return 0;
        return fail("%s '%s': %s", option, text, _(why));
}

int journal_source_times(const Options *options, EventFilter *filter) {
        filter->since = 0;
        filter->until = UINT64_MAX;
        if (parse_time("--since", options->value[OPTION_SINCE], TIMESPEC_START, &filter->since) != 0 ||
            parse_time("--until", options->value[OPTION_UNTIL], TIMESPEC_END, &filter->until) != 0)
                return 2;
        return filter->since > filter->until ? fail(_("--since is later than --until")) : 0;
}

/* The journal's own index sorts out nearly everything else. */
static int add_matches(sd_journal *journal, const EventFilter *filter) {
        int r = filter->untrusted ? 0 : sd_journal_add_match(journal, "_UID=0", 0);

        for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS && r >= 0; kind++) {
                char match[128];

                if (!filter->any_kind && !filter->by_kind[kind])
                        continue;
                snprintf(match, sizeof(match), FIELD_EVENT "=%s", event_to_string((EventKind)kind));
                r = sd_journal_add_match(journal, match, 0);
        }
        return r;
}

int journal_source_open(const Options *options, const EventFilter *filter, sd_journal **ret) {
        CLEANUP(scope_sd_journal_close) sd_journal *journal = NULL;
        /* root's records are in the system's files; what users wrote is in others */
        int r = journal_open_named(
                options, SD_JOURNAL_LOCAL_ONLY | (filter->untrusted ? 0 : SD_JOURNAL_SYSTEM), &journal);

        if (r != 0)
                return r;
        (void)sd_journal_set_data_threshold(journal, FIELD_SIZE_MAX);
        r = add_matches(journal, filter);
        if (r >= 0)
                r = journal_match_terminal(journal, options);
        if (r < 0)
                return fail(_("cannot search the journal: %s"), strerror(-r));
        *ret = STEAL_PTR(journal);
        return 0;
}

int journal_source_read(sd_journal *journal, EventRecord *ret, ChainDigest *digest) {
        CLEANUP_EVENT_RECORD EventRecord record = {0};
        const void *data;
        size_t length;
        int r = sd_journal_get_realtime_usec(journal, &record.realtime);

        if (r < 0)
                return r;
        sd_journal_restart_data(journal);
        while ((r = sd_journal_enumerate_available_data(journal, &data, &length)) > 0) {
                if (digest)
                        chain_digest_add_data(digest, data, length);
                r = event_record_add(&record, data, length);
                if (r < 0)
                        return r;
        }
        if (r < 0)
                return r;
        *ret = record;
        record = (EventRecord){0};
        return 0;
}
