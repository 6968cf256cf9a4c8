/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/keeper/untold.h"

#include "policy/scope.h"
#include "policy/translate.h"

static const EventKind kinds[] = {EVENT_WRITE_DENIED, EVENT_READ_DENIED, EVENT_RAW_WRITE_DENIED};

void untold_tell(Report *report, const Ledger *ledger, uint64_t abandoned) {
        uint64_t answering = ledger ? ledger->answering : 0;
        /* whom it was refusing it had answered, or is among those; what kind that was is not known */
        uint64_t in_between = answering > abandoned ? answering : abandoned;

        for (size_t i = 0; i < ELEMENTS(kinds); i++) {
                uint64_t count = ledger ? ledger_untold(ledger, kinds[i]) : 0;
                Record *record;

                if (kinds[i] == EVENT_WRITE_DENIED)
                        count += in_between;
                if (count == 0)
                        continue;
                record = record_new(kinds[i]);
                if (record) {
                        record->count = count;
                        record_set(record, TEXT_ERROR,
                                   N_("details were lost with the guard that was ended"));
                }
                report_submit(report, record);
        }
}
