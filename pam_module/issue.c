/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pam_module/issue.h"

#include <inttypes.h>
#include <string.h>
#include <syslog.h>

#include "pam_module/record.h"

void issue_take_away(Enrolment *enrolment, Factor factor) {
        if (factor == FACTOR_TOTP)
                memset(&enrolment->totp, 0, sizeof(enrolment->totp));
        else if (factor == FACTOR_RECOVERY)
                memset(enrolment->recovery, 0, sizeof(enrolment->recovery));
        else if (factor == FACTOR_SUBSTITUTE)
                memset(&enrolment->substitute, 0, sizeof(enrolment->substitute));
        else if (factor == FACTOR_CARD)
                memset(enrolment->cards, 0, sizeof(enrolment->cards));
        else if (factor == FACTOR_FIDO2)
                memset(enrolment->fido2, 0, sizeof(enrolment->fido2));
        else if (factor == FACTOR_FINGERPRINT)
                memset(&enrolment->fingerprint, 0, sizeof(enrolment->fingerprint));
        memset(&enrolment->failures[factor], 0, sizeof(enrolment->failures[factor]));
}

void issue_record(const IssueRecord *issue) {
        LoginRecord record = {.length = 0};

        record_begin(&record, issue->kind, issue->program);
        record_add(&record, "MESSAGE", "%s: %s of %s by %s", event_to_string(issue->kind),
                   factor_to_string(issue->factor), issue->key, issue->by);
        record_add_text(&record, FIELD_USER, issue->account);
        record_add_text(&record, FIELD_PERSON, issue->person);
        record_add(&record, FIELD_UID, "%" PRIu32, (uint32_t)issue->uid);
        record_add_text(&record, FIELD_FACTOR, factor_to_string(issue->factor));
        record_add_text(&record, FIELD_BY, issue->by);
        record_add_text(&record, FIELD_EXPIRES, issue->expires);
        if (record_send(&record, issue->store) < 0)
                syslog(LOG_AUTHPRIV | LOG_WARNING, "%s: %s of %s by %s", event_to_string(issue->kind),
                       factor_to_string(issue->factor), issue->account, issue->by);
}
