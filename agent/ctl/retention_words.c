/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How this terminal's journal falls short of what the policy asks for, for people. */
#include <systemd/sd-journal.h>

#include "agent/ctl/audit_journal.h"
#include "agent/ctl/i18n.h"
#include "agent/ctl/retention.h"
#include "agent/ctl/text.h"
#include "agent/ctl/timespec.h"

char *retention_words(unsigned keep_days, uint64_t bytes, uint64_t oldest, uint64_t now) {
        uint64_t age = oldest && oldest < now ? (now - oldest) / USEC_PER_SEC : 0, days = 0;
        JournalLimits limits;

        journal_limits_read(&limits);
        switch (retention_judge(&limits, keep_days, bytes, age, journal_limits_max_use(&limits), &days)) {
        case RETENTION_ENOUGH:
                break;
        case RETENTION_VOLATILE:
                return text_format(
                        _("RECORDS ARE NOT KEPT: the policy asks for %u days, and the journal is gone "
                          "at the next start (journald.conf: Storage=persistent)."),
                        keep_days);
        case RETENTION_BY_TIME:
                return text_format(_("RECORDS ARE KEPT TOO SHORT: the policy asks for %u days, and journald "
                                     "keeps %llu (journald.conf: MaxRetentionSec=)."),
                                   keep_days, (unsigned long long)days);
        case RETENTION_BY_SIZE:
                return text_format(
                        _("RECORDS ARE KEPT TOO SHORT: the policy asks for %u days, and the journal "
                          "is full after about %llu (journald.conf: SystemMaxUse=)."),
                        keep_days, (unsigned long long)days);
        }
        return NULL;
}

char *retention_words_here(unsigned keep_days) {
        CLEANUP_JOURNAL sd_journal *journal = NULL;
        uint64_t bytes = 0, oldest = 0;

        if (sd_journal_open(&journal, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM) >= 0) {
                (void)sd_journal_get_usage(journal, &bytes);
                oldest = audit_journal_oldest(journal);
        }
        return retention_words(keep_days, bytes, oldest, timespec_now());
}
