/* SPDX-License-Identifier: GPL-2.0-or-later */
/* untold.h: denials that an agent had counted, and the journal not been told of, when it died. */
#pragma once

#include "agent/report/ledger.h"
#include "agent/report/report.h"

/* Tell them, one record for each kind. ABANDONED callers were refused just now that it had not answered. */
void untold_tell(Report *report, const Ledger *ledger, uint64_t abandoned);
